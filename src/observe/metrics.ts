import type {
  Counter,
  Gauge,
  Histogram,
  InstrumentOptions,
  Labels,
  Metrics,
  Sample,
} from '../core/metrics.ts'
import type { Family, FamilyType, Series } from './metrics-expose.ts'

/** Label sets of one name; further ones are counted together (SECURITY: hostile tags are labels too). */
export const defaultMaxSeries = 1_000

/** Characters of one label value; longer ones are cut. */
export const maxLabelLength = 256

/** Labels that the configuration bounds: they stay when a label set is merged into `(other)`. */
const boundedLabels = new Set(['plugin_id', 'type', 'reason', 'worker_id', 'hostname'])
const otherValue = '(other)'

/** The content type of what `expose` gives. */
export const exposeContentType = 'text/plain; version=0.0.4; charset=utf-8'

interface Stored extends Family {
  readonly series: Map<string, Series & { readonly instrument: unknown }>
  readonly maxSeries: number
}

/**
 * Numbers in maps. prom-client, which writes them out, is loaded by the first scrape: a server that nobody
 * scrapes pays neither its memory nor its start.
 */
export function createMetrics(options: { processMetrics?: boolean } = {}): Metrics & {
  summary(options: InstrumentOptions): Histogram
  collect(run: (report: (sample: Sample) => void) => void): () => void
} {
  const families = new Map<string, Stored>()
  const collectors = new Set<(report: (sample: Sample) => void) => void>()

  const family = (type: FamilyType, of: InstrumentOptions): Stored => {
    let found = families.get(of.name)
    if (found === undefined) {
      checkName(of.name)
      const { name, help, maxSeries = defaultMaxSeries } = of
      found = { name, help, type, maxSeries, series: new Map() }
      families.set(name, found)
    }
    if (found.type !== type) throw new Error(`metric ${of.name} is a ${found.type}, not a ${type}`)
    return found
  }

  /** The instrument of the label set, made if it is new. */
  const instrument = <T>(
    type: FamilyType,
    of: InstrumentOptions,
    make: () => { instrument: T; samples: Series['samples'] },
  ): T => {
    const into = family(type, of)
    let labels = boundLabels(of.labels ?? {})
    let key = keyOf(labels)
    let found = into.series.get(key)
    if (found === undefined && into.series.size >= into.maxSeries) {
      labels = mergedLabels(labels)
      key = keyOf(labels)
      found = into.series.get(key)
      countMerged(into.name)
    }
    if (found === undefined) {
      found = { labels, ...make() }
      into.series.set(key, found)
    }
    return found.instrument as T
  }

  const observable = (
    type: FamilyType,
    of: InstrumentOptions,
    read: () => number | undefined,
  ): void => {
    const labels = boundLabels(of.labels ?? {})
    const into = family(type, of)
    const key = keyOf(labels)
    if (!into.series.has(key) && into.series.size >= into.maxSeries) {
      countMerged(into.name)
      return
    }
    into.series.set(key, { labels, instrument: read, samples: () => [{ value: read() }] })
  }

  const counter = (of: InstrumentOptions): Counter => instrument('counter', of, createCounter)
  const countMerged = (metric: string): void => {
    if (metric === mergedOptions.name) return
    counter({ ...mergedOptions, labels: { metric } }).add()
  }

  return {
    counter,
    gauge: (of) => instrument('gauge', of, createGauge),
    observableGauge: (of, read) => observable('gauge', of, read),
    observableCounter: (of, read) => observable('counter', of, read),
    histogram: (of) => instrument('histogram', of, () => createHistogram(of.buckets)),
    summary: (of) => instrument('summary', of, createSummary),
    collect(run) {
      collectors.add(run)
      return () => {
        collectors.delete(run)
      }
    },
    forget(labels) {
      const wanted = Object.entries(labels)
      for (const of of families.values()) {
        for (const [key, series] of of.series) {
          if (wanted.every(([label, value]) => series.labels[label] === value))
            of.series.delete(key)
        }
      }
    },
    async expose() {
      const { expose, collected } = await import('./metrics-expose.ts')
      const filled = [...families.values()].filter((of) => of.series.size > 0)
      const shown = collected(filled, collectors, defaultMaxSeries)
      return expose(shown, options.processMetrics ?? true)
    },
  }
}

const mergedOptions = {
  name: 'sluice_metrics_merged_label_sets_total',
  help: 'Times a label set was counted as (other) because the metric has as many as it may have.',
}

function checkName(name: string): void {
  if (!/^[a-zA-Z_:][a-zA-Z0-9_:]{0,199}$/.test(name)) throw new Error(`bad metric name "${name}"`)
}

function boundLabels(labels: Labels): Labels {
  let cut: Record<string, string> | undefined
  for (const [name, value] of Object.entries(labels)) {
    if (value.length <= maxLabelLength) continue
    cut ??= { ...labels }
    cut[name] = value.slice(0, maxLabelLength)
  }
  return cut ?? labels
}

function mergedLabels(labels: Labels): Labels {
  return Object.fromEntries(
    Object.entries(labels).map(([name, value]) => [
      name,
      boundedLabels.has(name) ? value : otherValue,
    ]),
  )
}

/** One text for one label set, whatever the order of its labels; lengths keep values from running into each other. */
function keyOf(labels: Labels): string {
  const names = Object.keys(labels).sort()
  return names.map((name) => `${name}=${labels[name]?.length}:${labels[name]}`).join(',')
}

function createCounter() {
  const counter = {
    value: 0,
    add(value = 1) {
      counter.value += value
    },
  }
  return { instrument: counter as Counter, samples: () => [{ value: counter.value }] }
}

function createGauge() {
  const gauge = {
    value: 0,
    set(value: number) {
      gauge.value = value
    },
    add(value: number) {
      gauge.value += value
    },
  }
  return { instrument: gauge as Gauge, samples: () => [{ value: gauge.value }] }
}

function createSummary() {
  let sum = 0
  let count = 0
  const instrument: Histogram = {
    observe(value) {
      sum += value
      count++
    },
  }
  const samples: Series['samples'] = () => [
    { suffix: '_sum', value: sum },
    { suffix: '_count', value: count },
  ]
  return { instrument, samples }
}

function createHistogram(bounds: readonly number[]) {
  const upper = [...new Set(bounds)].filter(Number.isFinite).sort((a, b) => a - b)
  const counts = new Float64Array(upper.length + 1)
  let sum = 0
  let count = 0
  const instrument: Histogram = {
    observe(value) {
      let index = 0
      while (index < upper.length && value > (upper[index] as number)) index++
      counts[index] = (counts[index] as number) + 1
      sum += value
      count++
    },
  }
  const samples: Series['samples'] = () => {
    let below = 0
    const buckets = upper.map((bound, index) => {
      below += counts[index] as number
      return { suffix: '_bucket', labels: { le: String(bound) }, value: below }
    })
    return [
      ...buckets,
      { suffix: '_bucket', labels: { le: '+Inf' }, value: count },
      { suffix: '_sum', value: sum },
      { suffix: '_count', value: count },
    ]
  }
  return { instrument, samples }
}

import { positionOf } from '../config/schema.ts'
import type { Batch } from '../core/batch.ts'
import { ConfigError } from '../core/errors.ts'
import type { Labels, Metrics } from '../core/metrics.ts'
import { MsgFloat, type MsgValue } from '../core/value.ts'
import { eachEntry, valueAt } from '../msgpack/entries.ts'
import { type PackedPath, packedPath, parseRecordPath } from '../text/record-path.ts'
import { compileLabel, type LabeledEvent, type LabelTemplate, noEvent } from './label-template.ts'
import { checkLabelName, type Surroundings } from './labels.ts'
import type { MetricParams, RecordMetricsParams } from './metric-section.ts'

/** Label sets of one metric: tags and fields are hostile, but a cluster may have many. */
const maxSeries = 10_000
/** Label sets whose instrument is found without a look at its labels. */
const maxRemembered = 10_000

const defaultBuckets = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10]

export interface RecordMetrics {
  /** Counts the batch's events. `failed` is told of each value that is no number, and of each path that leads nowhere. */
  instrument(batch: Batch, failed: (error: Error) => void): void
}

interface Metric {
  readonly name: string
  readonly needsRecord: boolean
  /** `count` events at once; one where the record is looked at. */
  add(event: LabeledEvent, count: number): void
}

/** The metrics of a prometheus filter or output. Throws ConfigError. */
export function createRecordMetrics(
  params: RecordMetricsParams,
  options: { readonly metrics: Metrics; readonly surroundings: Surroundings },
): RecordMetrics {
  const all = params.metric.map((metric) => createMetric(metric, params.labels?.extra, options))
  const byRecord = all.filter((metric) => metric.needsRecord)
  const byTag = all.filter((metric) => !metric.needsRecord)
  return {
    instrument(batch, failed) {
      if (batch.count === 0) return
      const { tag, packed } = batch
      const event = { tag, parts: tag.split('.'), packed, recordAt: 0 }
      for (const metric of byTag) metric.add(event, batch.count)
      if (byRecord.length === 0) return
      eachEntry(packed, (_start, timeEnd) => {
        event.recordAt = timeEnd
        for (const metric of byRecord) {
          try {
            metric.add(event, 1)
          } catch (error) {
            const { message } = error as Error
            failed(new Error(`metric ${metric.name}: ${message}`, { cause: error }))
          }
        }
      })
    },
  }
}

function createMetric(
  params: MetricParams,
  common: ReadonlyMap<string, string> | undefined,
  options: { readonly metrics: Metrics; readonly surroundings: Surroundings },
): Metric {
  const written = new Map([...(common ?? []), ...(params.labels?.extra ?? [])])
  const labels = compileLabels(written, params, options.surroundings)
  const update = instrumentOf(params, options.metrics)
  const key =
    params.key === undefined
      ? undefined
      : packedPath(parseRecordPath(params.key, positionOf(params, 'key')))
  if (key === undefined && params.type !== 'counter') {
    throw new ConfigError(`a ${params.type} needs a key`, { position: positionOf(params) })
  }
  if (params.initialized) {
    for (const set of initialSets(params, labels, options.surroundings)) update(set)
  }
  const templates = [...labels.values()]
  const names = [...labels.keys()]
  const remembered = new Map<string, (value: number) => void>()
  return {
    name: params.name,
    needsRecord: key !== undefined || templates.some(({ needs }) => needs === 'record'),
    add(event, count) {
      const value = key === undefined ? count : fieldNumber(event, key)
      if (value === undefined) return
      const values = templates.map((template) => template.render(event))
      const id = values.length === 1 ? (values[0] as string) : JSON.stringify(values)
      let add = remembered.get(id)
      if (add === undefined) {
        if (remembered.size >= maxRemembered) remembered.clear()
        add = update(Object.fromEntries(names.map((name, index) => [name, values[index] ?? ''])))
        remembered.set(id, add)
      }
      add(value)
    },
  }
}

/** undefined: the event has none, and does not count. Throws TypeError if it is something else than a number. */
function fieldNumber({ packed, recordAt }: LabeledEvent, path: PackedPath): number | undefined {
  const at = path.find(packed, recordAt)
  const value = at < 0 ? null : valueAt(packed, at)
  return value === null ? undefined : numberOf(value)
}

function compileLabels(
  written: ReadonlyMap<string, string>,
  params: MetricParams,
  surroundings: Surroundings,
): Map<string, LabelTemplate> {
  const labels = new Map<string, LabelTemplate>()
  for (const [name, value] of written) {
    const position = positionOf(params.labels ?? params, name)
    checkLabelName(name, position)
    if (name === 'le' && params.type === 'histogram') {
      throw new ConfigError('a histogram has a label "le" of its own', { position })
    }
    labels.set(name, compileLabel(value, surroundings, position))
  }
  return labels
}

/** For a label set, how a value gets into the metric. */
function instrumentOf(
  params: MetricParams,
  metrics: Metrics,
): (labels: Labels) => (value: number) => void {
  const { name, desc: help, type } = params
  const buckets = bucketsOf(params)
  const make = (labels: Labels): ((value: number) => void) => {
    const of = { name, help, labels, maxSeries }
    switch (type) {
      case 'counter': {
        const counter = metrics.counter(of)
        return (value) => {
          if (value < 0) throw new RangeError('a counter cannot go down')
          counter.add(value)
        }
      }
      case 'gauge': {
        const gauge = metrics.gauge(of)
        return (value) => gauge.set(value)
      }
      case 'summary':
      case 'histogram': {
        const summary = type === 'summary' ? metrics.summary?.(of) : undefined
        const histogram = summary ?? metrics.histogram({ ...of, buckets })
        return (value) => histogram.observe(value)
      }
    }
  }
  checkName(params, metrics)
  return make
}

/** A bad name, or one that has another type already, is an error of the configuration. */
function checkName(params: MetricParams, metrics: Metrics): void {
  const { name, desc: help, type } = params
  const probe = { plugin_id: '', type: '', sluice_probe: '' }
  try {
    const of = { name, help, labels: probe, maxSeries }
    if (type === 'counter') metrics.counter(of)
    else if (type === 'gauge') metrics.gauge(of)
    else if (type === 'summary') metrics.summary?.(of)
    else metrics.histogram({ ...of, buckets: [] })
    metrics.forget(probe)
  } catch (error) {
    throw new ConfigError((error as Error).message, { position: positionOf(params, 'name') })
  }
}

function bucketsOf(params: MetricParams): readonly number[] {
  if (params.buckets === undefined) return defaultBuckets
  return params.buckets.split(',').map((text) => {
    const value = text.trim() === '' ? Number.NaN : Number(text)
    if (Number.isFinite(value)) return value
    throw new ConfigError(`"${text.trim()}" is no upper bound of a bucket`, {
      position: positionOf(params, 'buckets'),
      hint: 'numbers with commas: 0.1, 1, 5, 10',
    })
  })
}

/** The label sets a metric with `initialized true` has from the start. Throws ConfigError. */
function initialSets(
  params: MetricParams,
  labels: ReadonlyMap<string, LabelTemplate>,
  surroundings: Surroundings,
): Labels[] {
  const fixed = new Map<string, string>()
  for (const [name, label] of labels) {
    if (label.needs === 'nothing') fixed.set(name, label.render(noEvent))
  }
  const open = [...labels.keys()].filter((name) => !fixed.has(name))
  const sets = params.initlabels.map(({ extra }, index) => {
    const position = positionOf(params.initlabels[index] as object)
    for (const [name, value] of extra) {
      const known = labels.get(name)
      if (known === undefined || known.needs === 'nothing') {
        throw new ConfigError(
          `<initlabels> can only set labels that depend on events, not ${name}`,
          { position },
        )
      }
      if (
        value.startsWith('$.') ||
        compileLabel(value, surroundings, position).needs !== 'nothing'
      ) {
        throw new ConfigError(`<initlabels> has plain values only, not ${value}`, { position })
      }
    }
    return Object.fromEntries([...fixed, ...extra])
  })
  if (open.length === 0 && sets.length === 0) return [Object.fromEntries(fixed)]
  for (const name of open) {
    if (sets.length > 0 && sets.every((set) => Object.hasOwn(set, name))) continue
    throw new ConfigError(`initialized needs <initlabels> with a value for ${name}`, {
      position: positionOf(params, 'initialized'),
    })
  }
  return sets
}

function numberOf(value: MsgValue): number {
  if (typeof value === 'number') return value
  if (typeof value === 'bigint') return Number(value)
  if (value instanceof MsgFloat) return value.value
  throw new TypeError('the value is no number')
}

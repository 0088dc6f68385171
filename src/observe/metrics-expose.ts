import prometheus from 'prom-client'
import type { Labels, Sample } from '../core/metrics.ts'

export type FamilyType = 'counter' | 'gauge' | 'histogram' | 'summary'

/** One label set of a metric. */
export interface Series {
  readonly labels: Labels
  /** Asked at each scrape. `suffix` is put behind the metric's name; an undefined value is left out. */
  samples(): readonly { suffix?: string; labels?: Labels; value: number | undefined }[]
}

export interface Family {
  readonly name: string
  readonly help: string
  readonly type: FamilyType
  readonly series: ReadonlyMap<string, Series>
}

let processRegistry: prometheus.Registry | undefined

/**
 * The Prometheus text of all families, and prom-client's own process metrics (memory, CPU, event loop lag, …) where
 * `processMetrics` is set. Those watch the process from the first scrape on.
 */
export async function expose(
  families: readonly Family[],
  processMetrics: boolean,
): Promise<string> {
  const registry = new prometheus.Registry()
  for (const family of families) {
    registry.registerMetric(adapter(family) as unknown as prometheus.Metric)
  }
  const own = await registry.metrics()
  if (!processMetrics) return own
  processRegistry ??= watchProcess()
  return `${own}\n${await processRegistry.metrics()}`
}

function watchProcess(): prometheus.Registry {
  // prom-client counts CPU time from here on, the first scrape: what was used before it counts too.
  const { user, system } = process.cpuUsage()
  const registry = new prometheus.Registry()
  prometheus.collectDefaultMetrics({ register: registry })
  const used = { user, system, total: user + system }
  for (const [part, microseconds] of Object.entries(used)) {
    const name = `process_cpu_${part === 'total' ? '' : `${part}_`}seconds_total`
    const counter = registry.getSingleMetric(name)
    if (counter instanceof prometheus.Counter) counter.inc(microseconds / 1e6)
  }
  return registry
}

/** What prom-client's registry asks of a metric when it writes it out. */
function adapter(family: Family) {
  const { name, help, type } = family
  return {
    name,
    help,
    type,
    async get() {
      const values = [...family.series.values()].flatMap((series) =>
        series
          .samples()
          .filter(({ value }) => value !== undefined && !Number.isNaN(value))
          .map(({ suffix = '', labels, value }) => ({
            metricName: `${name}${suffix}`,
            labels: labels === undefined ? series.labels : { ...series.labels, ...labels },
            value,
          })),
      )
      return { name, help, type, values, aggregator: 'sum' }
    },
  }
}

/**
 * The families with what the collectors report now among them. At most `maxSamples` of one name: a collector's labels
 * may come from outside.
 */
export function collected(
  families: readonly Family[],
  collectors: Iterable<(report: (sample: Sample) => void) => void>,
  maxSamples: number,
): Family[] {
  const reported = new Map<string, { first: Sample; series: Map<string, Series> }>()
  const report = (sample: Sample): void => {
    let into = reported.get(sample.name)
    if (into === undefined) {
      into = { first: sample, series: new Map() }
      reported.set(sample.name, into)
    }
    if (into.series.size >= maxSamples) return
    const { labels, value } = sample
    into.series.set(JSON.stringify(labels), { labels, samples: () => [{ value }] })
  }
  for (const run of collectors) run(report)

  const shown = families.map((family) => {
    const more = reported.get(family.name)
    reported.delete(family.name)
    if (more === undefined) return family
    return { ...family, series: new Map<string, Series>([...family.series, ...more.series]) }
  })
  for (const [name, { first, series }] of reported) {
    shown.push({ name, help: first.help, type: first.type, series })
  }
  return shown
}

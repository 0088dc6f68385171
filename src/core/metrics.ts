/**
 * Metrics as plugins see them. The hot path adds to plain numbers; the exporter (observe/metrics) reads them when
 * it is scraped. Asking twice for the same name and label values gives the same instrument.
 */
export type Labels = Readonly<Record<string, string>>

export interface Counter {
  /** Adds `value` (0 or more; 1 where it is left out). */
  add(value?: number): void
  readonly value: number
}

export interface Gauge {
  set(value: number): void
  add(value: number): void
  readonly value: number
}

export interface Histogram {
  observe(value: number): void
}

export interface InstrumentOptions {
  /** Full metric name with unit and, for counters, `_total`: `sluice_input_events_total`. */
  readonly name: string
  /** One sentence; the same for every use of the name. */
  readonly help: string
  readonly labels?: Labels
  /** Label sets of the name beyond which further ones are counted together as `(other)`. Default 1000. */
  readonly maxSeries?: number
}

/** What a collector reports at a scrape. */
export interface Sample {
  readonly name: string
  readonly help: string
  readonly type: 'counter' | 'gauge'
  readonly labels: Labels
  readonly value: number
}

export interface Metrics {
  counter(options: InstrumentOptions): Counter
  gauge(options: InstrumentOptions): Gauge
  /** A gauge whose value is asked for at each scrape; NaN: it has none now, and is left out. */
  observableGauge(options: InstrumentOptions, read: () => number): void
  /** A counter that lives elsewhere as a number and is asked for at each scrape. */
  observableCounter(options: InstrumentOptions, read: () => number): void
  histogram(options: InstrumentOptions & { readonly buckets: readonly number[] }): Histogram
  /** Prometheus' summary without quantiles: `_sum` and `_count`, as Fluentd's plugin writes it. */
  summary?(options: InstrumentOptions): Histogram
  /** Asks `run` for samples at each scrape, for figures whose labels come and go. Returns how to end it. */
  collect?(run: (report: (sample: Sample) => void) => void): () => void
  /** Takes away what the component with this `plugin_id` label had (after a reload). */
  forget(labels: Labels): void
  /** The Prometheus text format. */
  expose(): Promise<string>
}

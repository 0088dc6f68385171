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
}

export interface Metrics {
  counter(options: InstrumentOptions): Counter
  gauge(options: InstrumentOptions): Gauge
  /** A gauge whose value is asked for at each scrape. */
  observableGauge(options: InstrumentOptions, read: () => number): void
  /** A counter that lives elsewhere as a number and is asked for at each scrape. */
  observableCounter(options: InstrumentOptions, read: () => number): void
  histogram(options: InstrumentOptions & { readonly buckets: readonly number[] }): Histogram
  /** Takes away what the component with this `plugin_id` label had (after a reload). */
  forget(labels: Labels): void
  /** The Prometheus text format. */
  expose(): Promise<string>
}

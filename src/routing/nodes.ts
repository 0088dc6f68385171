import type { PluginView } from '../config/define.ts'
import type { BoundPlugin } from '../config/schema.ts'
import type { Batch } from '../core/batch.ts'
import type { Consumer } from '../core/consumer.ts'
import type { Filter } from '../core/filter.ts'
import type { Metrics } from '../core/metrics.ts'
import type { Output, OutputStatistics } from '../core/output.ts'
import type { Source } from '../core/source.ts'
import type { FilterStage } from './router.ts'

/** What is known of a plugin before it is made. */
export interface NodeInfo {
  readonly id: string
  readonly idWritten: boolean
  readonly type: string
  readonly bound: BoundPlugin
}

/** Called with an event that a plugin cannot process: see PluginContext.emitError. */
export type EmitError = (batch: Batch, error: Error) => void

/** One plugin's place in the graph. */
interface Node {
  readonly info: NodeInfo
  readonly category: PluginView['category']
  readonly emittedRecords: number
  readonly emittedBytes: number
  readonly statistics?: (() => OutputStatistics) | undefined
}

/** For monitor_agent and the like: read-only, always current. */
export function viewOf(node: Node): PluginView {
  const { id, idWritten, type, bound } = node.info
  return {
    id,
    idWritten,
    type,
    bound,
    category: node.category,
    get emittedRecords() {
      return node.emittedRecords
    },
    get emittedBytes() {
      return node.emittedBytes
    },
    statistics: () => node.statistics?.(),
  }
}

function labelsOf(info: NodeInfo) {
  return { plugin_id: info.id, type: info.type }
}

/** A source with its way into the graph: counts what was taken. */
export class SourceNode implements Node, Consumer, Source {
  readonly info: NodeInfo
  readonly category = 'input'
  emittedRecords = 0
  emittedBytes = 0
  readonly reemits = false
  /** It asked for the way into the graph: sources that only serve (metrics, monitoring) do not. */
  emits = false
  source!: Source
  readonly #next: Consumer

  constructor(info: NodeInfo, next: Consumer) {
    this.info = info
    this.#next = next
  }

  get id(): string {
    return this.info.id
  }

  get claims(): readonly string[] {
    return this.source.claims
  }

  async check(): Promise<void> {
    await this.source.check?.()
  }

  start(): Promise<void> {
    return this.source.start()
  }

  stop(deadline: AbortSignal): Promise<void> {
    return this.source.stop(deadline)
  }

  emit(batch: Batch): void | Promise<void> {
    let taken: void | Promise<void>
    try {
      taken = this.#next.emit(batch)
    } catch (error) {
      // Inside the graph a refusal is an exception, so that `copy` can act on it at once; the
      // source is told by a rejection, as of every other batch that was not taken, and says so.
      return Promise.reject(error)
    }
    if (taken !== undefined) return this.#later(taken, batch.count, batch.packed.length)
    this.emittedRecords += batch.count
    this.emittedBytes += batch.packed.length
    return undefined
  }

  async #later(taken: Promise<void>, count: number, bytes: number): Promise<void> {
    await taken
    this.emittedRecords += count
    this.emittedBytes += bytes
  }

  publish(metrics: Metrics): void {
    if (!this.emits) return
    const labels = labelsOf(this.info)
    const counter = (name: string, help: string, read: () => number) =>
      metrics.observableCounter({ name, help, labels }, read)
    counter(
      'sluice_input_events_total',
      'Events that a source received and the graph took.',
      () => this.emittedRecords,
    )
    counter(
      'sluice_input_bytes_total',
      'Bytes of these events, as packed entries.',
      () => this.emittedBytes,
    )
  }
}

/** A filter as the router uses it. */
export class FilterNode implements Node, FilterStage {
  readonly info: NodeInfo
  readonly category = 'filter'
  emittedRecords = 0
  emittedBytes = 0
  /** Events it could not process, and that @ERROR did not take. */
  lostEvents = 0
  /** Events left out on purpose. */
  filteredEvents = 0
  inUse = false
  oneByOne = false
  filter!: Filter
  readonly #emitError: EmitError
  readonly #toErrorLabel: boolean
  #reported = 0
  #tell = true

  /**
   * `toErrorLabel`: what it reports goes to @ERROR, so its place among the other events matters.
   */
  constructor(info: NodeInfo, options: { emitError: EmitError; toErrorLabel: boolean }) {
    this.info = info
    this.#emitError = options.emitError
    this.#toErrorLabel = options.toErrorLabel
  }

  /** The filter's own emitError: what it reports is not counted as filtered as well. */
  report(batch: Batch, error: Error): void {
    this.#reported += batch.count
    if (this.#tell) this.#emitError(batch, error)
  }

  apply(batch: Batch): Batch | undefined {
    this.#reported = 0
    this.#tell = batch.count === 1 || !this.#toErrorLabel
    let rest: Batch | undefined
    try {
      rest = this.filter.apply(batch)
    } catch (error) {
      this.#tell = true
      this.report(batch, error as Error)
    }
    this.oneByOne = this.#reported > 0 && !this.#tell
    if (this.oneByOne) return undefined
    const left = rest === undefined ? 0 : rest.count
    if (left < batch.count) this.filteredEvents += Math.max(0, batch.count - left - this.#reported)
    if (left === 0) return undefined
    this.emittedRecords += left
    this.emittedBytes += rest!.packed.length
    return rest
  }

  publish(metrics: Metrics): void {
    const counter = (reason: string, read: () => number) =>
      metrics.observableCounter(
        {
          name: 'sluice_filter_dropped_events_total',
          help: 'Events that went into a filter and no further, by reason.',
          labels: { ...labelsOf(this.info), reason },
        },
        read,
      )
    counter('filter', () => this.filteredEvents)
    counter('error', () => this.lostEvents)
  }
}

/** An output with what monitoring wants to know of any. */
export class OutputNode implements Node, Output {
  readonly info: NodeInfo
  readonly category = 'output'
  emittedRecords = 0
  emittedBytes = 0
  /** It hands events to other pipelines, so it starts after their outputs and stops before them. */
  reemits = false
  output!: Output
  emitCount = 0
  /** Batches that it refused. */
  refusedCount = 0

  constructor(info: NodeInfo) {
    this.info = info
  }

  get id(): string {
    return this.info.id
  }

  emit(batch: Batch): void | Promise<void> {
    this.emitCount++
    let taken: void | Promise<void>
    try {
      taken = this.output.emit(batch)
    } catch (error) {
      this.refusedCount++
      throw error
    }
    if (taken !== undefined) return this.#later(taken, batch.count, batch.packed.length)
    this.emittedRecords += batch.count
    this.emittedBytes += batch.packed.length
    return undefined
  }

  async #later(taken: Promise<void>, count: number, bytes: number): Promise<void> {
    try {
      await taken
    } catch (error) {
      this.refusedCount++
      throw error
    }
    this.emittedRecords += count
    this.emittedBytes += bytes
  }

  start(): Promise<void> {
    return this.output.start()
  }

  stop(deadline: AbortSignal): Promise<void> {
    return this.output.stop(deadline)
  }

  check(): Promise<void> {
    return this.output.check?.() ?? Promise.resolve()
  }

  flush(): Promise<void> {
    return this.output.flush?.() ?? Promise.resolve()
  }

  get statistics(): (() => OutputStatistics) | undefined {
    const { output } = this
    return output.statistics === undefined ? undefined : () => output.statistics!()
  }

  get claims(): readonly string[] {
    return this.output.claims ?? []
  }
}

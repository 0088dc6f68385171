import type { PluginView } from '../config/define.ts'
import type { BoundPlugin } from '../config/schema.ts'
import type { Batch } from '../core/batch.ts'
import type { Component } from '../core/component.ts'
import type { Consumer } from '../core/consumer.ts'
import type { Filter, FilterLedger } from '../core/filter.ts'
import type { Labels, Metrics } from '../core/metrics.ts'
import type { Output, OutputStatistics } from '../core/output.ts'
import type { FollowedFile, Source } from '../core/source.ts'
import type { FilterStage } from './router.ts'
import { SourceEntry } from './source-entry.ts'
import { Tenure } from './tenure.ts'

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
  files?(): readonly FollowedFile[] | undefined
  counts?(): Readonly<Record<string, number>> | undefined
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
    files: () => node.files?.(),
    counts: () => node.counts?.(),
  }
}

function labelsOf(info: NodeInfo) {
  return { plugin_id: info.id, type: info.type }
}

/** A source with its way into the graph: counts what was taken. */
export class SourceNode implements Node, Consumer, Source {
  readonly info: NodeInfo
  readonly category = 'input'
  readonly reemits = false
  /** It asked for the way into the graph: sources that only serve (metrics, monitoring) do not. */
  emits = false
  source!: Source
  /** What the source emits to, and reports to: that of the first node it stood at. */
  entry: SourceEntry
  readonly tenure = new Tenure()
  readonly #next: Consumer
  /** Those of all nodes the source has stood at. */
  #counts = { records: 0, bytes: 0 }

  constructor(info: NodeInfo, options: { next: Consumer; emitError: EmitError }) {
    this.info = info
    this.#next = options.next
    this.entry = new SourceEntry(this, options.emitError)
  }

  get id(): string {
    return this.info.id
  }

  get emittedRecords(): number {
    return this.tenure.left ? 0 : this.#counts.records
  }

  get emittedBytes(): number {
    return this.tenure.left ? 0 : this.#counts.bytes
  }

  get claims(): readonly string[] {
    return this.tenure.shared ? [] : this.source.claims
  }

  async check(): Promise<void> {
    await this.source.check?.()
  }

  files(): readonly FollowedFile[] | undefined {
    return this.tenure.left ? undefined : this.source.files?.()
  }

  counts(): Readonly<Record<string, number>> | undefined {
    return this.tenure.left ? undefined : this.source.counts?.()
  }

  start(): Promise<void> {
    return this.tenure.starts ? this.source.start() : Promise.resolve()
  }

  stop(deadline: AbortSignal): Promise<void> {
    return this.tenure.stops ? this.source.stop(deadline) : Promise.resolve()
  }

  /** The old node's source is to stand here from `moveIn` on, in place of the one just made. */
  borrow(old: SourceNode): void {
    this.source = old.source
    this.tenure.borrow(old.tenure)
  }

  /** What the source emits from here on comes here. */
  moveIn(old: SourceNode): void {
    this.continueCounts(old)
    const { emitError } = this.entry
    this.entry = old.entry
    this.entry.emitError = emitError
    this.entry.target = this
  }

  /** Counters of the same source go on. */
  continueCounts(old: SourceNode): void {
    this.#counts = old.#counts
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
    this.#counts.records += batch.count
    this.#counts.bytes += batch.packed.length
    return undefined
  }

  async #later(taken: Promise<void>, count: number, bytes: number): Promise<void> {
    await taken
    this.#counts.records += count
    this.#counts.bytes += bytes
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
export class FilterNode implements Node, FilterStage, Component {
  readonly info: NodeInfo
  readonly category = 'filter'
  readonly reemits = true
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

  get id(): string {
    return this.info.id
  }

  async start(): Promise<void> {}

  async stop(deadline: AbortSignal): Promise<void> {
    await this.filter.stop?.(deadline)
  }

  apply(batch: Batch): Batch | undefined {
    this.#reported = 0
    // What a filter with a memory was shown it cannot be shown again: it reports as it goes.
    const { ledger } = this.filter
    this.#tell = ledger !== undefined || batch.count === 1 || !this.#toErrorLabel
    const before = ledger === undefined ? 0 : elsewhere(ledger)
    let rest: Batch | undefined
    try {
      rest = this.filter.apply(batch)
    } catch (error) {
      this.#tell = true
      this.report(batch, error as Error)
    }
    this.oneByOne = this.#reported > 0 && !this.#tell
    this.#tell = true
    if (this.oneByOne) return undefined
    const left = rest === undefined ? 0 : rest.count
    const kept = ledger === undefined ? 0 : elsewhere(ledger) - before
    if (left + kept < batch.count) {
      this.filteredEvents += Math.max(0, batch.count - left - kept - this.#reported)
    }
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
    const { ledger } = this.filter
    if (ledger !== undefined) exposeLedger(ledger, labelsOf(this.info), metrics)
  }
}

/** Events that the ledger accounts for. */
function elsewhere({ heldEvents, joinedEvents, passedEvents }: FilterLedger): number {
  return heldEvents + joinedEvents + passedEvents
}

function exposeLedger(ledger: FilterLedger, labels: Labels, metrics: Metrics): void {
  metrics.observableGauge(
    { name: 'sluice_filter_held_events', help: 'Events that wait inside a filter.', labels },
    () => ledger.heldEvents,
  )
  metrics.observableCounter(
    {
      name: 'sluice_filter_joined_events_total',
      help: 'Events that a filter made a part of others.',
      labels,
    },
    () => ledger.joinedEvents,
  )
  metrics.observableCounter(
    {
      name: 'sluice_filter_passed_events_total',
      help: 'Events that a filter sent to a label of its own.',
      labels,
    },
    () => ledger.passedEvents,
  )
}

/** An output with what monitoring wants to know of any. */
export class OutputNode implements Node, Output {
  readonly info: NodeInfo
  readonly category = 'output'
  emittedRecords = 0
  emittedBytes = 0
  /** It hands events to other pipelines, so it starts after their outputs and stops before them. */
  reemits = false
  /** The pipelines it hands them to. */
  readonly leadsTo = new Set<string>()
  /** The pipeline it stands in. */
  stands = 'ROOT'
  /** It asked for outputs of its own (copy): these may be kept by a reload, it cannot. */
  hasChildren = false
  output!: Output
  emitCount = 0
  /** Batches that it refused. */
  refusedCount = 0
  readonly tenure = new Tenure()
  /** Where its output reports events: shared by all nodes the output has stood at. */
  reports: { emitError: EmitError }

  constructor(info: NodeInfo, emitError: EmitError) {
    this.info = info
    this.reports = { emitError }
  }

  /** The old node's output is to stand here from `moveIn` on, in place of the one just made. */
  borrow(old: OutputNode): void {
    this.output = old.output
    this.tenure.borrow(old.tenure)
  }

  moveIn(old: OutputNode): void {
    this.emittedRecords += old.emittedRecords
    this.emittedBytes += old.emittedBytes
    this.emitCount += old.emitCount
    this.refusedCount += old.refusedCount
    const { emitError } = this.reports
    this.reports = old.reports
    this.reports.emitError = emitError
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
    return this.tenure.starts ? this.output.start() : Promise.resolve()
  }

  stop(deadline: AbortSignal): Promise<void> {
    return this.tenure.stops ? this.output.stop(deadline) : Promise.resolve()
  }

  check(): Promise<void> {
    return this.output.check?.() ?? Promise.resolve()
  }

  flush(): Promise<void> {
    return this.output.flush?.() ?? Promise.resolve()
  }

  /** undefined: it has no buffer. */
  get persistent(): boolean | undefined {
    return this.output.persistent
  }

  get statistics(): (() => OutputStatistics) | undefined {
    const { output, tenure } = this
    if (tenure.left) return undefined
    return output.statistics === undefined ? undefined : () => output.statistics!()
  }

  get claims(): readonly string[] {
    return this.tenure.shared ? [] : (this.output.claims ?? [])
  }
}

import type { PluginContext } from '../../config/define.ts'
import type { Consumer } from '../../core/consumer.ts'
import type { Clock } from '../../core/host.ts'
import type { Parser } from '../../core/parser.ts'
import { emitKept } from '../../routing/slip.ts'
import { Reports } from '../../transport/reports.ts'
import { Blocks } from './blocks.ts'
import type { Events, TextReports } from './events.ts'
import type { TailShared } from './file-tail.ts'
import { PackedLines } from './packed-lines.ts'
import { ParsedLines } from './parsed-lines.ts'
import { type TailParams, type TailSettings, tagOfPath } from './settings.ts'

/** What all files of one source share: buffers, parser, the way events go, counts and warnings. */
export class Surroundings implements TailShared, TextReports {
  readonly clock: Clock
  readonly blocks = new Blocks()
  readonly parser: Parser
  readonly events: Events
  readonly readLinesLimit: number
  readonly flushIntervalMs: number | undefined
  readonly counts = { throttled: 0, bytes: 0, opened: 0, closed: 0, rotated: 0 }
  readonly #context: PluginContext
  readonly #router: Consumer
  readonly #settings: TailSettings
  readonly #tag: string
  readonly #reports: Reports
  readonly #tags = new Map<string, string>()

  constructor(options: { params: TailParams; settings: TailSettings; context: PluginContext }) {
    const { params, settings, context } = options
    const { host, log } = context
    this.clock = host.clock
    this.#context = context
    this.#router = context.router
    this.#settings = settings
    this.#tag = params.tag
    this.readLinesLimit = params.readLinesLimit
    this.flushIntervalMs =
      params.multilineFlushInterval === undefined ? undefined : params.multilineFlushInterval * 1000
    this.parser = context.createParser(params.parse)
    this.#reports = new Reports({
      log,
      clock: host.clock,
      metrics: host.metrics,
      labels: this.#labels,
    })
    const { wholeField } = this.parser
    this.events =
      wholeField === undefined
        ? new ParsedLines({
            parser: this.parser,
            pathKey: params.pathKey,
            emitUnmatched: params.emitUnmatchedLines,
            clock: host.clock,
            reports: this,
          })
        : new PackedLines({ field: wholeField, pathKey: params.pathKey, clock: host.clock })
  }

  get #labels() {
    return { plugin_id: this.#context.id, type: this.#context.type }
  }

  /** From here on the metrics show the counts. */
  register(tracked: () => number): void {
    const { metrics } = this.#context.host
    const counter = (name: string, help: string, read: () => number) =>
      metrics.observableCounter({ name, help, labels: this.#labels }, read)
    const { counts } = this
    counter('sluice_tail_read_bytes_total', 'Bytes read from files.', () => counts.bytes)
    counter('sluice_tail_files_opened_total', 'Files opened.', () => counts.opened)
    counter('sluice_tail_files_closed_total', 'Files closed.', () => counts.closed)
    counter('sluice_tail_files_rotated_total', 'Rotations seen.', () => counts.rotated)
    counter(
      'sluice_tail_files_throttled_total',
      'Times that a limit kept a file from being read.',
      () => counts.throttled,
    )
    metrics.observableGauge(
      { name: 'sluice_tail_files_tracked', help: 'Files followed.', labels: this.#labels },
      tracked,
    )
  }

  forget(): void {
    this.#context.host.metrics.forget({ plugin_id: this.#context.id })
  }

  emit(path: string): Promise<void> | undefined {
    const { events } = this
    const batch = { tag: this.#tagOf(path), packed: events.packed, count: events.count }
    try {
      const taken = emitKept(this.#router, batch)
      return taken === undefined ? undefined : taken
    } catch (error) {
      return Promise.reject(error)
    } finally {
      events.clear()
    }
  }

  #tagOf(path: string): string {
    const around = this.#settings.tagAround
    if (around === undefined) return this.#tag
    let tag = this.#tags.get(path)
    if (tag === undefined) {
      if (this.#tags.size >= 10_000) this.#tags.clear()
      tag = around.before + tagOfPath(path) + around.after
      this.#tags.set(path, tag)
    }
    return tag
  }

  warn(message: string, fields: object): void {
    this.#reports.warn(message, fields as Record<string, unknown>)
  }

  lost(why: 'unmatched' | 'incomplete' | 'too_long', message: string, fields: object): void {
    this.#reports.invalidEvents(why, 1)
    this.warn(message, fields)
  }

  sayRefused(path: string, error: unknown): void {
    this.warn('events could not be taken: they are read again', { path, error })
  }

  sayFailed(path: string, error: unknown): void {
    this.warn('a file could not be read', { path, error })
  }
}

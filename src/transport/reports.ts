import type { Clock } from '../core/host.ts'
import type { LogFields, Logger } from '../core/log.ts'
import type { Counter, Metrics } from '../core/metrics.ts'

/** One warning of a kind is written in this time; the others are counted, and the count goes with the next. */
const warningIntervalMs = 10_000
/** Kinds of warnings times clients that are told apart. */
const warningKinds = 256

/**
 * Counts of one source that listens, and its warnings, of which one of a kind is written in a while. `Invalid`: why events that came
 * in went no further; `Loss`: why what was read was lost before it was counted in events. Both are values of the label `reason`.
 */
export class Reports<Invalid extends string = string, Loss extends string = string> {
  readonly log: Logger
  events = 0
  bytes = 0
  connections = 0
  connectionsTotal = 0
  rejectedEvents = 0
  /** Messages that had come before. undefined: the source does not look. */
  repeatedMessages: number | undefined
  readonly #clock: Clock
  readonly #metrics: Metrics
  readonly #labels: Readonly<Record<string, string>>
  readonly #counters = new Map<string, Counter>()
  readonly #warned = new Map<string, { atMs: number; suppressed: number }>()

  constructor(options: {
    log: Logger
    clock: Clock
    metrics: Metrics
    labels: Readonly<Record<string, string>>
  }) {
    this.log = options.log
    this.#clock = options.clock
    this.#metrics = options.metrics
    this.#labels = options.labels
  }

  /** From here on the metrics show these counts. */
  register(): void {
    const metrics = this.#metrics
    const labels = this.#labels
    metrics.observableCounter(
      { name: 'sluice_input_events_total', help: 'Events taken in.', labels },
      () => this.events,
    )
    metrics.observableCounter(
      { name: 'sluice_input_bytes_total', help: 'Bytes read from clients.', labels },
      () => this.bytes,
    )
    metrics.observableGauge(
      { name: 'sluice_connections', help: 'Connections that are open.', labels },
      () => this.connections,
    )
    metrics.observableCounter(
      { name: 'sluice_connections_total', help: 'Connections accepted.', labels },
      () => this.connectionsTotal,
    )
    metrics.observableCounter(
      {
        name: 'sluice_input_rejected_events_total',
        help: 'Events that could not be buffered and were not acknowledged.',
        labels,
      },
      () => this.rejectedEvents,
    )
    if (this.repeatedMessages === undefined) return
    metrics.observableCounter(
      {
        name: 'sluice_input_repeated_messages_total',
        help: 'Messages that had come before: acknowledged again, and handed on no second time.',
        labels,
      },
      () => this.repeatedMessages ?? 0,
    )
  }

  invalidEvents(reason: Invalid, count: number): void {
    this.#count('sluice_input_invalid_events_total', 'Events dropped as invalid.', reason, count)
  }

  lostMessage(reason: Loss): void {
    const help = 'Messages dropped whole, before their events were counted.'
    this.#count('sluice_input_dropped_messages_total', help, reason, 1)
  }

  /** Of a datagram that was longer than the limit only the first bytes are looked at. */
  cutMessage(reason: string): void {
    const help = 'Datagrams of which only the first bytes were looked at.'
    this.#count('sluice_input_cut_messages_total', help, reason, 1)
  }

  refused(reason: string): void {
    const help = 'Connections closed by a limit, at once or later.'
    this.#count('sluice_connections_refused_total', help, reason, 1)
  }

  #count(name: string, help: string, reason: string, by: number): void {
    const key = `${name} ${reason}`
    let counter = this.#counters.get(key)
    if (counter === undefined) {
      counter = this.#metrics.counter({ name, help, labels: { ...this.#labels, reason } })
      this.#counters.set(key, counter)
    }
    counter.add(by)
  }

  /** At most one warning with this message and of this `kind` in warningIntervalMs. */
  warn(message: string, fields: LogFields, kind = ''): void {
    const nowMs = this.#clock.monotonicMs()
    const key = `${message} ${kind}`
    const last = this.#warned.get(key)
    if (last !== undefined && nowMs - last.atMs < warningIntervalMs) {
      last.suppressed += 1
      return
    }
    const suppressed = last?.suppressed ?? 0
    // The oldest entry goes first, and what it has counted is said, so that no count is lost in
    // silence.
    this.#warned.delete(key)
    if (this.#warned.size >= warningKinds) this.#forgetOldest()
    this.#warned.set(key, { atMs: nowMs, suppressed: 0 })
    this.log.warn(message, suppressed === 0 ? fields : { ...fields, suppressed })
  }

  #forgetOldest(): void {
    for (const [key, { suppressed }] of this.#warned) {
      this.#warned.delete(key)
      if (suppressed > 0) this.log.warn('more warnings of a kind', { kind: key, suppressed })
      return
    }
  }
}

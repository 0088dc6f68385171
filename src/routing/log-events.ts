import type { Batch } from '../core/batch.ts'
import type { Consumer } from '../core/consumer.ts'
import type { Clock } from '../core/host.ts'
import { type LogFields, type Logger, type LogLevel, logLevels } from '../core/log.ts'
import type { Metrics } from '../core/metrics.ts'
import { EventTime, type MsgMap, type MsgValue } from '../core/value.ts'
import { Encoder } from '../msgpack/encode.ts'
import type { Graph } from './build.ts'
import { logEventQueueLimit } from './limits.ts'

/**
 * Sluice's own log as events `fluent.trace` … `fluent.fatal`, for configurations that ask for them.
 * Wraps the log that everything is handed; what is written goes to the real one as always, and
 * waits here (bounded) for the graph.
 *
 * What is logged while such an event is on its way through the graph becomes no event: an output
 * that fails would feed itself for ever.
 */
export class LogEvents {
  readonly #clock: Clock
  readonly #metrics: Metrics
  readonly #encoder = new Encoder(1024)
  #queue: Batch[] = []
  #collecting = false
  #consumer: Consumer | undefined
  #scheduled = false
  #emitting = false

  constructor(options: { clock: Clock; metrics: Metrics }) {
    this.#clock = options.clock
    this.#metrics = options.metrics
  }

  /** A log that writes to `log` and, where events are wanted, here. */
  wrap(log: Logger): Logger {
    const write = (level: LogLevel) => (message: string, fields?: LogFields) => {
      log[level](message, fields)
      if (this.#collecting && !this.#emitting && log.enabled(level)) {
        this.#add(level, message, fields ?? {})
      }
    }
    return {
      trace: write('trace'),
      debug: write('debug'),
      info: write('info'),
      warn: write('warn'),
      error: write('error'),
      fatal: write('fatal'),
      enabled: (level) => log.enabled(level),
      child: (options) => this.wrap(log.child(options)),
    }
  }

  /** From here on messages become events, which wait. */
  collect(): void {
    this.#collecting = true
  }

  /** The graph has started: what waits goes out, and so does what comes. */
  connect(consumer: Consumer): void {
    this.#collecting = true
    this.#consumer = consumer
    this.#schedule()
  }

  /** Sends what waits, and ends: the graph is about to stop. */
  disconnect(): void {
    this.#drain()
    this.#collecting = false
    this.#consumer = undefined
    this.#queue = []
  }

  #add(level: LogLevel, message: string, fields: LogFields): void {
    if (this.#queue.length >= logEventQueueLimit) {
      this.#lost('queue_full')
      return
    }
    const seconds = this.#clock.wallMs() / 1000
    const whole = Math.floor(seconds)
    this.#encoder.reset()
    this.#encoder.arrayHeader(2)
    this.#encoder.time(new EventTime(whole, Math.floor((seconds - whole) * 1e9)))
    this.#encoder.value(recordOf(message, fields))
    this.#queue.push({ tag: `fluent.${level}`, packed: this.#encoder.copy(), count: 1 })
    this.#schedule()
  }

  #schedule(): void {
    if (this.#consumer === undefined || this.#scheduled || this.#queue.length === 0) return
    this.#scheduled = true
    this.#clock.soon(() => {
      this.#scheduled = false
      this.#drain()
    })
  }

  #drain(): void {
    const consumer = this.#consumer
    if (consumer === undefined) return
    const batches = this.#queue
    this.#queue = []
    this.#emitting = true
    try {
      for (const batch of batches) this.#emit(consumer, batch)
    } finally {
      this.#emitting = false
    }
  }

  /**
   * A refused one is in the log itself already; to say that its copy was refused would only make
   * another.
   */
  #emit(consumer: Consumer, batch: Batch): void {
    try {
      consumer.emit(batch)?.catch(() => this.#lost('refused'))
    } catch {
      this.#lost('refused')
    }
  }

  #lost(reason: 'queue_full' | 'refused'): void {
    this.#metrics
      .counter({
        name: 'sluice_log_events_dropped_total',
        help: 'Messages of the own log that did not become events, by reason.',
        labels: { reason },
      })
      .add()
  }
}

/** Fluentd's record: the fields, then `message` with the fields behind it as text. */
function recordOf(message: string, fields: LogFields): MsgMap {
  const record: MsgMap = new Map()
  let text = message
  for (const [key, value] of Object.entries(fields)) {
    const plain = plainValue(value)
    record.set(key, plain)
    text += ` ${key}=${typeof plain === 'string' ? JSON.stringify(plain) : String(plain)}`
  }
  record.set('message', text)
  return record
}

function plainValue(value: unknown): MsgValue {
  if (value === null || value === undefined) return null
  if (typeof value === 'string' || typeof value === 'boolean') return value
  if (typeof value === 'number' || typeof value === 'bigint') return value
  if (value instanceof Error) return `${value.name}: ${value.message}`
  return JSON.stringify(value) ?? String(value)
}

/**
 * Where log events go: <label @FLUENT_LOG>, or the top level where one of its <match> patterns
 * names `fluent`. A `<match **>` alone gets none, unlike in Fluentd: standard output would mix
 * events with the log. undefined: nowhere.
 */
export function logEventConsumer(graph: Graph, log: Logger): Consumer | undefined {
  const label = graph.routers.get('@FLUENT_LOG')
  if (label !== undefined) return label
  const named = graph.bound.root.stages.some(
    (stage) => stage.kind === 'output' && /(^|[\s{,])fluent\b/.test(stage.argument),
  )
  if (!named) return undefined
  const root = graph.routers.get('ROOT')!
  log.warn(
    'define <match fluent.**> to capture fluentd logs in top level is deprecated. Use <label @FLUENT_LOG> instead',
  )
  const wanted = new Set(logLevels.map((level) => `fluent.${level}`).filter((t) => root.matches(t)))
  return { emit: (batch) => (wanted.has(batch.tag) ? root.emit(batch) : undefined) }
}

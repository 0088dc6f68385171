import type { PluginContext } from '../../config/define.ts'
import type { Batch } from '../../core/batch.ts'
import type { Timer } from '../../core/host.ts'
import type { Source } from '../../core/source.ts'
import type { MsgMap } from '../../core/value.ts'
import { Encoder, encode } from '../../msgpack/encode.ts'
import { currentTime } from '../../parsers/event-time.ts'
import type { LocalStorage } from '../../storage/local.ts'
import { Reports } from '../../transport/reports.ts'

export interface SampleSettings {
  readonly tag: string
  readonly size: number
  readonly rate: number
  readonly autoIncrementKey: string | undefined
  /** One at least. */
  readonly records: readonly MsgMap[]
}

/** A second's events are made in so many turns. */
const turns = 10
const turnMs = 1000 / turns
/** Fluentd's name for the number of the last event, in the storage. */
const lastValue = 'auto_increment_value'
/** Events handed on at once. */
const batchEvents = 10_000

/** In each turn a share of the second's events; what the consumer does not take in time is not made up for. */
export class SampleSource implements Source {
  readonly claims: readonly string[] = []
  readonly #settings: SampleSettings
  readonly #context: PluginContext
  readonly #storage: LocalStorage
  readonly #reports: Reports
  readonly #encoder = new Encoder()
  /** The records packed, where they do not change. */
  readonly #packed: readonly Uint8Array[]
  #index = 0
  #counter = 0
  #turn = 0
  #nextMs = 0
  #timer: Timer | undefined
  #stopped = false
  #making: Promise<void> | undefined

  constructor(
    settings: SampleSettings,
    { context, storage }: { context: PluginContext; storage: LocalStorage },
  ) {
    this.#storage = storage
    const { host, log } = context
    this.#settings = settings
    this.#context = context
    this.#packed = settings.records.map(encode)
    const labels = { plugin_id: context.id, type: context.type }
    this.#reports = new Reports({ log, clock: host.clock, metrics: host.metrics, labels })
  }

  async start(): Promise<void> {
    this.#stopped = false
    await this.#storage.open()
    const last = this.#storage.get(lastValue)
    if (Number.isSafeInteger(last)) this.#counter = (last as number) + 1
    this.#reports.register()
    this.#nextMs = this.#context.host.clock.monotonicMs() + turnMs
    this.#later()
  }

  #later(): void {
    const { clock } = this.#context.host
    const nowMs = clock.monotonicMs()
    // Turns that were missed while the process had no time are left out.
    if (this.#nextMs < nowMs - 1000) this.#nextMs = nowMs
    this.#timer = clock.after(Math.max(0, this.#nextMs - nowMs), () => {
      this.#nextMs += turnMs
      this.#take()
      this.#later()
    })
  }

  #take(): void {
    const { rate, size } = this.#settings
    const turn = this.#turn
    this.#turn = (turn + 1) % turns
    const count = Math.floor((rate * (turn + 1)) / turns) - Math.floor((rate * turn) / turns)
    if (count === 0 || this.#making !== undefined) return
    this.#making = this.#make(count * size).finally(() => {
      this.#making = undefined
    })
  }

  async #make(count: number): Promise<void> {
    for (let left = count; left > 0 && !this.#stopped; left -= batchEvents) {
      const events = Math.min(left, batchEvents)
      try {
        await this.#emit(events)
        this.#reports.events += events
      } catch (error) {
        this.#reports.rejectedEvents += events
        this.#reports.warn('events could not be taken and are lost', { events, error })
      }
    }
  }

  #emit(count: number): void | Promise<void> {
    const { records, autoIncrementKey, tag } = this.#settings
    const encoder = this.#encoder
    encoder.reset()
    const time = currentTime(this.#context.host.clock)
    for (let n = 0; n < count; n++) {
      const index = this.#index
      this.#index = (index + 1) % records.length
      encoder.entry(time)
      if (autoIncrementKey === undefined) encoder.raw(this.#packed[index] as Uint8Array)
      else encoder.value(new Map(records[index]).set(autoIncrementKey, this.#counter++))
    }
    if (autoIncrementKey !== undefined) this.#storage.set(lastValue, this.#counter - 1)
    const batch = { tag, packed: encoder.bytes, count }
    // What was saved may have been counted in vain; the other way around, numbers would come twice.
    if (this.#storage.persistent) return this.#storage.save().then(() => this.#pass(batch))
    return this.#pass(batch)
  }

  #pass(batch: Batch): void | Promise<void> {
    return this.#context.router.emit(batch)
  }

  async stop(): Promise<void> {
    this.#stopped = true
    this.#timer?.cancel()
    await this.#making
    await this.#storage.close()
    this.#context.host.metrics.forget({ plugin_id: this.#context.id })
  }
}

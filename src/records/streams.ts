import type { Clock, Timer } from '../core/host.ts'

/** Bytes that a stream costs besides what it holds. */
const streamOverheadBytes = 512
/** How often streams are looked at for silence, as in the gems. */
const lookIntervalMs = 1000

/** Something held for one stream of events. */
export interface Stream {
  readonly identity: string
  /** Of what it holds. Changed by `Streams.charge` alone. */
  heldBytes: number
  /** Monotonic. */
  touchedMs: number
}

/**
 * What waits, by stream: bounded in all, and given out when a stream is silent too long. Ordered by when they were touched
 * last, so that what is due stands in front.
 */
export class Streams<S extends Stream> {
  readonly #clock: Clock
  readonly #silenceMs: number
  readonly #limitBytes: number
  readonly #fromFirst: boolean
  readonly #due: (stream: S, why: 'silence' | 'memory') => void
  readonly #byIdentity = new Map<string, S>()
  #heldBytes = 0
  #timer: Timer | undefined
  #ended = false

  /**
   * `silenceMs` 0: for ever; `fromFirst`: it counts from when a stream was taken in, not from its last event. `due` is
   * called with streams that were taken away already.
   */
  constructor(options: {
    clock: Clock
    silenceMs: number
    fromFirst?: boolean
    limitBytes: number
    due: (stream: S, why: 'silence' | 'memory') => void
  }) {
    this.#clock = options.clock
    this.#silenceMs = options.silenceMs
    this.#fromFirst = options.fromFirst ?? false
    this.#limitBytes = options.limitBytes
    this.#due = options.due
  }

  get(identity: string): S | undefined {
    return this.#byIdentity.get(identity)
  }

  /** Of all streams, with what they cost. */
  get heldBytes(): number {
    return this.#heldBytes
  }

  get size(): number {
    return this.#byIdentity.size
  }

  /** It holds so many bytes more, and was heard of now; one that is new is taken in. Others may become due. */
  charge(stream: S, bytes: number): void {
    const known = this.#byIdentity.has(stream.identity)
    if (!known || !this.#fromFirst) {
      this.#byIdentity.delete(stream.identity)
      this.#byIdentity.set(stream.identity, stream)
      stream.touchedMs = this.#clock.monotonicMs()
    }
    stream.heldBytes += bytes
    this.#heldBytes += bytes + (known ? 0 : overheadOf(stream))
    while (this.#heldBytes > this.#limitBytes) {
      const [oldest] = this.#byIdentity.values()
      if (oldest === undefined || oldest === stream) break
      this.remove(oldest)
      this.#due(oldest, 'memory')
    }
    this.#watch()
  }

  remove(stream: S): void {
    if (!this.#byIdentity.delete(stream.identity)) return
    this.#heldBytes -= stream.heldBytes + overheadOf(stream)
  }

  /** All of them, which are no longer held; nothing is watched any more. */
  end(): S[] {
    this.#ended = true
    this.#timer?.cancel()
    this.#timer = undefined
    const all = [...this.#byIdentity.values()]
    for (const stream of all) this.remove(stream)
    return all
  }

  #watch(): void {
    if (this.#timer !== undefined || this.#ended || this.#silenceMs <= 0) return
    if (this.#byIdentity.size === 0) return
    const interval = Math.min(lookIntervalMs, this.#silenceMs)
    this.#timer = this.#clock.after(interval, () => {
      this.#timer = undefined
      this.#look()
      this.#watch()
    })
  }

  #look(): void {
    const before = this.#clock.monotonicMs() - this.#silenceMs
    for (const stream of this.#byIdentity.values()) {
      if (stream.touchedMs > before) return
      this.remove(stream)
      this.#due(stream, 'silence')
    }
  }
}

function overheadOf(stream: Stream): number {
  return streamOverheadBytes + stream.identity.length * 2
}

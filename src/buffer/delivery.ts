import { PermanentError, RetryableError } from '../core/errors.ts'
import type { Clock, Random, Timer } from '../core/host.ts'
import type { Logger } from '../core/log.ts'
import type { Sink, WriteResult } from '../core/output.ts'
import type { Books } from './books.ts'
import { nextState } from './chunk.ts'
import { addTo, changeBy, type Held, type Totals, takeFrom } from './held.ts'
import { ChunkQueue } from './queue.ts'
import {
  failedAgain,
  firstFailure,
  isExhausted,
  notBefore,
  type RetryPolicy,
  type RetryState,
  usesSecondary,
} from './retry.ts'
import type { ChunkChange } from './store.ts'

/** Chunks on their way: queued, in flight, waiting to be tried again. */
export interface Delivery {
  /** Of queued chunks and those in flight. */
  readonly totals: Readonly<Totals>
  readonly length: number
  readonly inFlight: number
  readonly retry: RetryState | undefined
  chunks(): Iterable<Held>
  enqueue(held: Held): void
  /** A chunk turned out to hold less. */
  changed(change: ChunkChange): void
  /** Starts what can be started now. */
  pump(): void
  /** Gives up the oldest queued chunk. */
  dropOldest(reason: string): boolean
  /** Settles when nothing is in flight, and nothing queued that could be tried now. */
  idle(): Promise<void>
  /**
   * The last round: what waits for a retry is tried at once, failures go to the secondary if there is one, and are
   * repeated otherwise. Settles when nothing is left or the deadline has aborted; then all writes are aborted.
   * `onlyInFlight`: what is queued stays.
   */
  drain(deadline: AbortSignal, options: { onlyInFlight: boolean }): Promise<void>
  /** Gives up everything, in flight too. Returns the events that were lost. */
  abandon(reason: string): number
}

export interface DeliveryOptions {
  readonly sink: Sink
  readonly secondary: Sink | undefined
  readonly policy: RetryPolicy
  readonly concurrency: number
  readonly slowFlushMs: number
  readonly clock: Clock
  readonly random: Random
  readonly books: Books
  readonly log: Logger
  /** Called when there is nothing queued and a place is free: may enqueue something. */
  refill(): void
  /** A chunk is gone: there is room. `delivered` false: it was dropped. */
  onGone(held: Held, delivered: boolean): void
  observeSeconds(seconds: number): void
}

/** In the last round nobody waits longer than this between two attempts. */
const lastRoundWaitMs = 1000

/** How long writes that go on after the deadline are waited for: less than the graph's own patience (stopGraceMs). */
const landingMs = 400

export function createDelivery(options: DeliveryOptions): Delivery {
  return new ChunkDelivery(options)
}

class ChunkDelivery implements Delivery {
  readonly totals: Totals = { bytes: 0, events: 0 }
  retry: RetryState | undefined
  readonly #options: DeliveryOptions
  readonly #queue = new ChunkQueue<Held>()
  readonly #inFlight = new Set<Held>()
  readonly #abort = new AbortController()
  #timer: Timer | undefined
  #lastRound = false
  #onlyInFlight = false
  #pumping = false
  #idle: (() => void)[] = []
  #onLanded: () => void = () => undefined

  constructor(options: DeliveryOptions) {
    this.#options = options
  }

  get length(): number {
    return this.#queue.length
  }

  get inFlight(): number {
    return this.#inFlight.size
  }

  *chunks(): Iterable<Held> {
    yield* this.#inFlight
    yield* this.#queue
  }

  enqueue(held: Held): void {
    this.#queue.push(held)
    addTo(this.totals, held)
  }

  changed(change: ChunkChange): void {
    changeBy(this.totals, change)
  }

  pump(): void {
    // `refill` seals chunks, which asks for a pump: the loop below goes on with them anyway.
    if (this.#pumping) return
    this.#pumping = true
    while (this.#inFlight.size < this.#places()) {
      if (this.#queue.length === 0) this.#options.refill()
      const held = this.#queue.shift()
      if (held === undefined) break
      void this.#deliver(held)
    }
    this.#pumping = false
    this.#tellIdle()
  }

  /** How many may be in flight: while failures are being retried one at a time, when its time has come. */
  #places(): number {
    const { clock, concurrency } = this.#options
    if (this.#abort.signal.aborted || this.#onlyInFlight) return 0
    if (this.retry === undefined) return concurrency
    const waitMs = this.retry.nextMs - clock.monotonicMs()
    if (waitMs <= 0) return 1
    if (this.#queue.length > 0) this.#wake(waitMs)
    return 0
  }

  #wake(waitMs: number): void {
    this.#timer?.cancel()
    this.#timer = this.#options.clock.after(waitMs, () => {
      this.#timer = undefined
      this.pump()
    })
  }

  async #deliver(held: Held): Promise<void> {
    const { sink, secondary, policy, clock, books } = this.#options
    held.state = nextState(held.state, 'take')
    this.#inFlight.add(held)
    const startMs = clock.monotonicMs()
    const bySecondary =
      this.retry !== undefined && usesSecondary(policy, this.retry, startMs) ? secondary : undefined
    try {
      await held.sealed
      if (held.stored.prepare !== undefined) await held.stored.prepare()
      if (isEmpty(held)) {
        // Nothing of it could be stored, or read again: that was counted when it showed.
        if (held.state === 'in_flight') this.#close(held, true)
        this.pump()
        return
      }
      books.writeCount += 1
      const result = await (bySecondary ?? sink).write(held.stored, this.#abort.signal)
      this.#measure(startMs)
      if (held.state === 'in_flight') this.#delivered(held, result?.refused)
    } catch (error) {
      this.#measure(startMs)
      if (held.state === 'in_flight') await this.#failed(held, error as Error, bySecondary)
    }
    this.pump()
  }

  #measure(startMs: number): void {
    const { clock, books, slowFlushMs, log } = this.#options
    const tookMs = clock.monotonicMs() - startMs
    books.flushTimeMs += tookMs
    this.#options.observeSeconds(tookMs / 1000)
    if (tookMs <= slowFlushMs) return
    books.slowFlushCount += 1
    log.warn('buffer flush took longer time than slow_flush_log_threshold', {
      elapsed_time: tookMs / 1000,
      slow_flush_log_threshold: slowFlushMs / 1000,
    })
  }

  #delivered(held: Held, refused?: { readonly reason: string; readonly events: number }): void {
    const { log } = this.#options
    if (this.retry !== undefined) log.warn('retry succeeded.', { chunk_id: held.stored.id })
    this.retry = undefined
    this.#arrived(held, refused)
  }

  #arrived(held: Held, refused?: { readonly reason: string; readonly events: number }): void {
    const { books } = this.#options
    const lost = Math.min(refused?.events ?? 0, held.stored.count)
    books.deliveredEvents += held.stored.count - lost
    if (refused !== undefined) books.drop(refused.reason, lost)
    this.#close(held, true)
  }

  async #failed(held: Held, error: Error, bySecondary: Sink | undefined): Promise<void> {
    const { secondary, books, log } = this.#options
    const permanent = error instanceof PermanentError
    if (secondary !== undefined && bySecondary === undefined && (permanent || this.#lastRound)) {
      log.warn(
        permanent
          ? 'got unrecoverable error in primary. Skip retry and flush chunk to secondary'
          : 'failed to flush the buffer at shutdown. Flush chunk to secondary',
        { chunk: held.stored.id, error },
      )
      await this.#toSecondary(held, secondary)
      return
    }
    if (permanent) {
      log.error('the destination refused a chunk for good; it is dropped', {
        chunk: held.stored.id,
        records: held.stored.count,
        error,
      })
      books.errorCount += 1
      books.drop('rejected', held.stored.count)
      this.#close(held, false)
      return
    }
    this.#putBack(held)
    this.#scheduleRetry(held, error, bySecondary !== undefined)
  }

  async #toSecondary(held: Held, secondary: Sink): Promise<void> {
    const { books, log } = this.#options
    books.errorCount += 1
    books.writeCount += 1
    let result: WriteResult | undefined
    try {
      result = (await secondary.write(held.stored, this.#abort.signal)) ?? undefined
    } catch (error) {
      if (held.state !== 'in_flight') return
      log.error('got an error in secondary; the chunk is dropped', {
        chunk: held.stored.id,
        records: held.stored.count,
        error,
      })
      books.drop('rejected', held.stored.count)
      this.#close(held, false)
      return
    }
    if (held.state === 'in_flight') this.#arrived(held, result?.refused)
  }

  #putBack(held: Held): void {
    held.state = nextState(held.state, 'put_back')
    this.#inFlight.delete(held)
    this.#queue.unshift(held)
    this.#options.books.rollbackCount += 1
  }

  #scheduleRetry(held: Held, error: Error, bySecondary: boolean): void {
    const { policy, clock, random, books, log } = this.#options
    const nowMs = clock.monotonicMs()
    books.errorCount += 1
    // Several chunks that were in flight together fail together: that is one failure.
    if (this.retry === undefined) this.retry = firstFailure(policy, nowMs)
    else if (nowMs >= this.retry.nextMs) {
      this.retry = failedAgain(policy, this.retry, { nowMs, unit: random.unit() })
    }
    if (error instanceof RetryableError && error.retryAfterMs !== undefined) {
      this.retry = notBefore(policy, this.retry, { nowMs, delayMs: error.retryAfterMs })
    }
    if (isExhausted(policy, this.retry)) {
      this.#giveUp(error)
      return
    }
    if (this.#lastRound) {
      this.retry = { ...this.retry, nextMs: Math.min(this.retry.nextMs, nowMs + lastRoundWaitMs) }
    }
    const words = bySecondary
      ? 'failed to flush the buffer with secondary output.'
      : 'failed to flush the buffer.'
    log.warn(words, {
      retry_times: this.retry.steps,
      next_retry_seconds: Math.round((this.retry.nextMs - nowMs) / 100) / 10,
      chunk: held.stored.id,
      error,
    })
  }

  /** As Fluentd: everything that is queued is given up, and the next chunk starts afresh. */
  #giveUp(error: Error): void {
    const { books, log } = this.#options
    let records = 0
    for (let held = this.#queue.shift(); held !== undefined; held = this.#queue.shift()) {
      records += held.stored.count
      books.drop('retries_exhausted', held.stored.count)
      this.#close(held, false)
    }
    log.error('Hit limit for retries. dropping all chunks in the buffer queue.', {
      retry_times: this.retry?.steps,
      records,
      error,
    })
    this.retry = undefined
  }

  dropOldest(reason: string): boolean {
    const held = this.#queue.shift()
    if (held === undefined) return false
    this.#options.books.drop(reason, held.stored.count)
    this.#options.log.warn('dropping oldest chunk to make space after buffer overflow', {
      chunk_id: held.stored.id,
      records: held.stored.count,
    })
    this.#close(held, false)
    return true
  }

  #close(held: Held, delivered: boolean): void {
    held.state = nextState(held.state, 'close')
    this.#inFlight.delete(held)
    takeFrom(this.totals, held)
    void Promise.resolve(held.stored.remove()).catch((error: unknown) =>
      this.#options.log.error('a chunk could not be removed', { chunk: held.stored.id, error }),
    )
    this.#options.onGone(held, delivered)
  }

  idle(): Promise<void> {
    return new Promise((resolve) => {
      this.#idle.push(resolve)
      this.#tellIdle()
    })
  }

  #tellIdle(): void {
    if (this.#inFlight.size > 0) return
    this.#onLanded()
    const waits = (this.retry !== undefined && !this.#lastRound) || this.#onlyInFlight
    if (this.#queue.length > 0 && !waits && !this.#abort.signal.aborted) return
    this.#tellAllIdle()
  }

  #tellAllIdle(): void {
    const told = this.#idle
    this.#idle = []
    for (const tell of told) tell()
  }

  async drain(deadline: AbortSignal, options: { onlyInFlight: boolean }): Promise<void> {
    this.#lastRound = true
    this.#onlyInFlight = options.onlyInFlight
    this.retry = undefined
    this.#timer?.cancel()
    const aborted = new Promise<void>((resolve) => {
      if (deadline.aborted) resolve()
      else deadline.addEventListener('abort', () => resolve(), { once: true })
    })
    this.pump()
    await Promise.race([this.idle(), aborted])
    this.#abort.abort()
    this.#timer?.cancel()
    await this.#landed()
    this.#tellAllIdle()
  }

  /**
   * Writes that heed the signal say now how they ended. One that does not (a file's, half-way through) is waited for a little:
   * what it writes is neither to be cut nor to be counted as lost when it is there.
   */
  #landed(): Promise<void> {
    if (this.#inFlight.size === 0) return Promise.resolve()
    return new Promise<void>((resolve) => {
      this.#onLanded = resolve
      this.#timer = this.#options.clock.after(landingMs, resolve)
    }).then(() => this.#timer?.cancel())
  }

  abandon(reason: string): number {
    let lost = 0
    const left = [...this.chunks()]
    while (this.#queue.shift() !== undefined);
    for (const held of left) {
      lost += held.stored.count
      this.#options.books.drop(reason, held.stored.count)
      this.#forget(held)
    }
    return lost
  }

  /** Closes without `remove`: a write that goes on behind our back must not see its bytes change. */
  #forget(held: Held): void {
    held.state = nextState(held.state, 'close')
    this.#inFlight.delete(held)
    takeFrom(this.totals, held)
  }
}

function isEmpty({ stored }: Held): boolean {
  return stored.count === 0 && stored.sizeBytes === 0
}

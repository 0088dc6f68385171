import { PermanentError, RetryableError } from '../core/errors.ts'
import type { Timer } from '../core/host.ts'
import type { Sink, WriteResult } from '../core/output.ts'
import { type AsideResult, giveUpToBackup, putAside } from './aside.ts'
import { type EndingBackup, endingBackup } from './backup-end.ts'
import { enterChunk } from './books.ts'
import { nextState } from './chunk.ts'
import type { ChunkEnd, Delivery, DeliveryOptions } from './delivery-contract.ts'
import { writeDivided } from './division.ts'
import { addTo, changeBy, type Held, isEmpty, type Totals, takeFrom } from './held.ts'
import { ChunkQueue } from './queue.ts'
import {
  failedAgain,
  firstFailure,
  isExhausted,
  notBefore,
  type RetryState,
  usesSecondary,
} from './retry.ts'
import type { ChunkChange } from './store.ts'

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
  readonly #backup: EndingBackup
  readonly #queue = new ChunkQueue<Held>()
  readonly #inFlight = new Set<Held>()
  readonly #abort = new AbortController()
  #timer: Timer | undefined
  #lastRound = false
  #onlyInFlight = false
  #pumping = false
  readonly #idle: (() => void)[] = []
  #onLanded: () => void = () => undefined

  constructor(options: DeliveryOptions) {
    this.#backup = endingBackup(options.backup, options.clock)
    this.#options = { ...options, backup: this.#backup }
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
    const { secondary, policy, clock, books } = this.#options
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
        if (held.state === 'in_flight') this.#close(held, 'delivered')
        this.pump()
        return
      }
      books.writeCount += 1
      const result = await this.#write(held, bySecondary)
      this.#measure(startMs)
      if (held.state === 'in_flight') this.#delivered(held, result?.refused)
    } catch (error) {
      this.#measure(startMs)
      if (held.state === 'in_flight') await this.#failed(held, error as Error, bySecondary)
    }
    this.pump()
  }

  async #write(held: Held, bySecondary: Sink | undefined): Promise<WriteResult | undefined> {
    const { sink, books } = this.#options
    const { signal } = this.#abort
    if (bySecondary === undefined) {
      const asked = () => {
        books.writeCount += 1
      }
      return await writeDivided(held, sink, { signal, asked })
    }
    const chunk = (await held.division?.remainder()) ?? held.stored
    return (await bySecondary.write(chunk, signal)) ?? undefined
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

  #arrived(held: Held, lost: WriteResult['refused']): void {
    enterChunk(this.#options.books, held, { lost })
    this.#close(held, 'delivered')
  }

  async #failed(held: Held, error: Error, bySecondary: Sink | undefined): Promise<void> {
    const { secondary } = this.#options
    if (error instanceof PermanentError) {
      await this.#refused(held, error, bySecondary)
      return
    }
    if (secondary !== undefined && bySecondary === undefined && this.#lastRound) {
      this.#options.log.warn('failed to flush the buffer at shutdown. Flush chunk to secondary', {
        chunk: held.stored.id,
        error,
      })
      const taken = await this.#byLastResort(held, secondary)
      if (held.state !== 'in_flight' || taken) return
    }
    this.#putBack(held)
    this.#scheduleRetry(held, error, bySecondary !== undefined)
  }

  /** Resolves to whether the secondary took it. */
  async #byLastResort(held: Held, secondary: Sink): Promise<boolean> {
    const { books, log } = this.#options
    books.errorCount += 1
    books.writeCount += 1
    try {
      const result = await this.#write(held, secondary)
      if (held.state === 'in_flight') this.#arrived(held, result?.refused)
      return true
    } catch (error) {
      log.warn('got an error in secondary', { chunk: held.stored.id, error })
      return false
    }
  }

  /** Goes aside whole, or what is left once its parts were tried. */
  async #refused(held: Held, error: PermanentError, bySecondary: Sink | undefined): Promise<void> {
    const { books, backup, secondary, log } = this.#options
    books.errorCount += 1
    let result: AsideResult
    try {
      const chunk = (await held.division?.remainder()) ?? held.stored
      if (bySecondary === undefined && secondary !== undefined) books.writeCount += 1
      const to = { backup, log, secondary: bySecondary === undefined ? secondary : undefined }
      result = await putAside(to, { held, chunk, error, signal: this.#abort.signal })
    } catch (failure) {
      if (held.state !== 'in_flight') return
      this.#putBack(held)
      this.#scheduleRetry(held, failure as Error, false)
      return
    }
    if (held.state !== 'in_flight') return
    // A destination that took the rest of the events is there again.
    if ((held.division?.delivered ?? 0) > 0) this.retry = undefined
    const delivered = result.how === 'delivered'
    enterChunk(books, held, { reason: delivered ? undefined : result.how, lost: result.lost })
    this.#close(held, delivered ? 'delivered' : 'refused')
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
    const { books, log, backupExhausted } = this.#options
    const given: Held[] = []
    for (let held = this.#queue.shift(); held !== undefined; held = this.#queue.shift()) {
      given.push(held)
    }
    const words = backupExhausted
      ? 'Hit limit for retries. All chunks in the buffer queue are kept aside.'
      : 'Hit limit for retries. dropping all chunks in the buffer queue.'
    log.error(words, {
      retry_times: this.retry?.steps,
      records: given.reduce((sum, { stored }) => sum + stored.count, 0),
      error,
    })
    this.retry = undefined
    if (backupExhausted) {
      void this.#keepAll(given, error)
      return
    }
    for (const held of given) {
      enterChunk(books, held, { reason: 'retries_exhausted' })
      this.#close(held, 'lost')
    }
  }

  /** One after the other: there may be very many. Nothing else is delivered meanwhile, they count as in flight. */
  async #keepAll(given: readonly Held[], error: Error): Promise<void> {
    const { books, backup, log } = this.#options
    for (const held of given) {
      held.state = nextState(held.state, 'take')
      this.#inFlight.add(held)
    }
    for (const held of given) {
      const how = await giveUpToBackup({ backup, log }, { held, error })
      if (held.state !== 'in_flight') continue
      if (how === 'stays') this.#putBack(held)
      else {
        enterChunk(books, held, { reason: how })
        this.#close(held, how === 'backed_up' ? 'refused' : 'lost')
      }
    }
    this.pump()
  }

  dropOldest(reason: string): boolean {
    const held = this.#queue.shift()
    if (held === undefined) return false
    enterChunk(this.#options.books, held, { reason })
    this.#options.log.warn('dropping oldest chunk to make space after buffer overflow', {
      chunk_id: held.stored.id,
      records: held.stored.count,
    })
    this.#close(held, 'lost')
    return true
  }

  #close(held: Held, end: ChunkEnd): void {
    held.state = nextState(held.state, 'close')
    this.#inFlight.delete(held)
    takeFrom(this.totals, held)
    void Promise.resolve(held.stored.remove()).catch((error: unknown) =>
      this.#options.log.error('a chunk could not be removed', { chunk: held.stored.id, error }),
    )
    this.#options.onGone(held, end)
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
    for (const tell of this.#idle.splice(0)) tell()
  }

  async drain(deadline: AbortSignal, options: { onlyInFlight: boolean }): Promise<void> {
    this.#lastRound = true
    this.#onlyInFlight = options.onlyInFlight
    this.retry = undefined
    this.#timer?.cancel()
    const late = new Promise<unknown>((resolve) => {
      if (deadline.aborted) resolve(undefined)
      else deadline.addEventListener('abort', resolve, { once: true })
    })
    this.pump()
    await Promise.race([this.idle(), late])
    this.#abort.abort()
    this.#timer?.cancel()
    await this.#landed()
    await this.#backup.end()
    for (const tell of this.#idle.splice(0)) tell()
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
      lost += held.stored.count - (held.division?.delivered ?? 0)
      enterChunk(this.#options.books, held, { reason })
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

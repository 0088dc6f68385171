import type { Clock, Timer } from '../core/host.ts'

/**
 * Slows sources down to what a sink takes, so that a burst at full speed does not fill memory up to the buffer's
 * limit: while more than `limitBytes` are on their way, emits stay pending until some have arrived. Only
 * while chunks do arrive: a sink that stalls or fails holds nobody up (then total_limit_size and overflow_action hold), so
 * that it cannot stop the other outputs of its sources.
 */
export const stallMs = 500

/**
 * On their way before sources are slowed down, in bytes: at least this, and enough for as many chunks as are delivered at
 * once, and one behind them.
 */
export const pacedBytes = 8 * 1024 * 1024

export class Pacer {
  readonly #clock: Clock
  readonly #limitBytes: number
  #waiting: (() => void)[] = []
  #lastProgressMs: number
  #timer: Timer | undefined

  constructor(clock: Clock, limitBytes: number) {
    this.#clock = clock
    this.#limitBytes = limitBytes
    this.#lastProgressMs = Number.NEGATIVE_INFINITY
  }

  /** `backlogBytes`: queued and in flight. Undefined: go on. */
  wait(backlogBytes: number): Promise<void> | undefined {
    if (backlogBytes <= this.#limitBytes) return undefined
    const leftMs = this.#lastProgressMs + stallMs - this.#clock.monotonicMs()
    if (leftMs <= 0) return undefined
    this.#timer ??= this.#clock.after(leftMs, () => this.#checkStall())
    return new Promise((resolve) => this.#waiting.push(resolve))
  }

  /** A delivery began with nothing else under way (not one that is tried again), or a chunk arrived. */
  progress(backlogBytes: number): void {
    this.#lastProgressMs = this.#clock.monotonicMs()
    if (backlogBytes <= this.#limitBytes) this.release()
  }

  release(): void {
    this.#timer?.cancel()
    this.#timer = undefined
    const waiting = this.#waiting
    this.#waiting = []
    for (const resolve of waiting) resolve()
  }

  #checkStall(): void {
    this.#timer = undefined
    const leftMs = this.#lastProgressMs + stallMs - this.#clock.monotonicMs()
    if (leftMs <= 0) this.release()
    else this.#timer = this.#clock.after(leftMs, () => this.#checkStall())
  }
}

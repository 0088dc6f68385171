import type { Clock } from '../core/host.ts'
import type { LogFields } from '../core/log.ts'
import { repeatedMessageIntervalMs } from './limits.ts'

/**
 * Lets one message of its kind through at a time, and tells the next one how many were held back.
 */
export class LogLimiter {
  readonly #clock: Clock
  readonly #intervalMs: number
  #nextMs = Number.NEGATIVE_INFINITY
  #suppressed = 0

  constructor(clock: Clock, intervalMs = repeatedMessageIntervalMs) {
    this.#clock = clock
    this.#intervalMs = intervalMs
  }

  /**
   * Calls `write` now, or counts. `fields` get `suppressed=N` where others were held back before.
   */
  run(fields: LogFields, write: (fields: LogFields) => void): void {
    const now = this.#clock.monotonicMs()
    if (now < this.#nextMs) {
      this.#suppressed++
      return
    }
    this.#nextMs = now + this.#intervalMs
    const suppressed = this.#suppressed
    this.#suppressed = 0
    write(suppressed === 0 ? fields : { ...fields, suppressed })
  }
}

/** How much of something may be used in each period, which begins with the first use. */
export class Quota {
  readonly #limit: () => number
  readonly #periodMs: number
  #sinceMs: number | undefined
  #used = 0

  constructor(limit: () => number, periodMs: number) {
    this.#limit = limit
    this.#periodMs = periodMs
  }

  /** Infinity: any number. */
  left(nowMs: number): number {
    if (this.#sinceMs !== undefined && nowMs - this.#sinceMs >= this.#periodMs) {
      this.#sinceMs = undefined
      this.#used = 0
    }
    return Math.max(0, this.#limit() - this.#used)
  }

  use(amount: number, nowMs: number): void {
    this.#sinceMs ??= nowMs
    this.#used += amount
  }

  /** Until there is something left again. */
  waitMs(nowMs: number): number {
    return Math.max(1, (this.#sinceMs ?? nowMs) + this.#periodMs - nowMs)
  }
}

/** Of one file: bytes and lines that may be read now. */
export interface FileQuotas {
  readonly bytes: Quota
  readonly lines: Quota
}

/**
 * The phi accrual failure detector, with Fluentd's constants: from how regularly heartbeats came,
 * how unlikely it is that a server which is silent for so long is still there. Pure: all times are
 * handed in, in seconds of one clock.
 */
export class FailureDetector {
  readonly #intervalSeconds: number
  readonly #hardTimeoutSeconds: number
  #last: number
  /** Seconds between heartbeats, the oldest first. */
  #gaps: number[]

  constructor(options: {
    readonly intervalSeconds: number
    readonly hardTimeoutSeconds: number
    readonly nowSeconds: number
  }) {
    this.#intervalSeconds = options.intervalSeconds
    this.#hardTimeoutSeconds = options.hardTimeoutSeconds
    this.#last = options.nowSeconds
    this.#gaps = [options.intervalSeconds]
  }

  /** Heartbeats since the start, or since it was cleared. */
  get samples(): number {
    return this.#gaps.length
  }

  /** Nothing came for `hard_timeout`. */
  isSilent(nowSeconds: number): boolean {
    return nowSeconds - this.#last > this.#hardTimeoutSeconds
  }

  /**
   * A heartbeat came, or something as good: one that comes early makes nobody suspicious of the
   * next being on time.
   */
  add(nowSeconds: number): void {
    const gap = this.#gaps.length === 0 ? 0 : nowSeconds - this.#last
    this.#gaps.push(Math.max(this.#intervalSeconds, gap))
    if (this.#gaps.length > sampleLimit) this.#gaps.shift()
    this.#last = nowSeconds
  }

  /**
   * How suspicious the silence is: by 1 more, it is ten times less likely that the server is there.
   */
  phi(nowSeconds: number): number {
    if (this.#gaps.length === 0) return 0
    let weighted = 0
    let weights = 0
    for (const [i, gap] of this.#gaps.entries()) {
      weighted += gap * (i + 1)
      weights += i + 1
    }
    // Both are moved so that a gap of one interval counts as one second.
    const meanGap = weighted / weights - this.#intervalSeconds + 1
    const silence = nowSeconds - this.#last - this.#intervalSeconds + 1
    return silence / meanGap / Math.LN10
  }

  /** Starts over, as one of which nothing is known. */
  clear(): void {
    this.#gaps = []
    this.#last = Number.NEGATIVE_INFINITY
  }
}

const sampleLimit = 1000

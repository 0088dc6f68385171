import type { Clock } from '../core/host.ts'

/**
 * Whether a disk is fast enough to be waited for. A write to the operating system's memory takes microseconds, less than
 * it costs to have it done by another thread. Where the system makes writers wait (too much of its memory waits for the
 * disk; a network file system), other threads do it: nobody else is to wait for that.
 */
export interface WriteSpeed {
  /** Whether the next write may be waited for. */
  readonly fast: boolean
  /** How long one that was waited for took. */
  took(ms: number): void
}

const slowMs = 20
const firstPauseMs = 1_000
const longestPauseMs = 60_000

export function createWriteSpeed(clock: Clock): WriteSpeed {
  let pauseMs = firstPauseMs
  let untilMs = Number.NEGATIVE_INFINITY
  return {
    get fast() {
      return untilMs === Number.NEGATIVE_INFINITY || clock.monotonicMs() >= untilMs
    },
    took(ms) {
      if (ms >= slowMs) {
        untilMs = clock.monotonicMs() + pauseMs
        pauseMs = Math.min(pauseMs * 2, longestPauseMs)
      } else if (untilMs !== Number.NEGATIVE_INFINITY) {
        untilMs = Number.NEGATIVE_INFINITY
        pauseMs = firstPauseMs
      }
    },
  }
}

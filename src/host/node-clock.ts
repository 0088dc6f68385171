import { performance } from 'node:perf_hooks'
import type { Clock, Timer } from '../core/host.ts'

/** setTimeout takes at most this; a longer delay would fire at once. */
const maxDelayMs = 2 ** 31 - 1

/**
 * Wall and monotonic clocks may disagree by this much before the wall clock is read anew (it was
 * set, or drifted).
 */
const driftLimitMs = 2

export function createNodeClock(): Clock {
  let anchorWallMs = Date.now()
  let anchorMonotonicMs = performance.now()

  return {
    wallMs() {
      // Date.now() has whole milliseconds; the monotonic clock gives the part below, so that events
      // that arrive within one millisecond still carry times in their order.
      const monotonicMs = performance.now()
      const coarseMs = Date.now()
      const fineMs = anchorWallMs + (monotonicMs - anchorMonotonicMs)
      if (Math.abs(fineMs - coarseMs) <= driftLimitMs) return fineMs
      anchorWallMs = coarseMs
      anchorMonotonicMs = monotonicMs
      return coarseMs
    },
    monotonicMs: () => performance.now(),
    after,
    soon(run) {
      setImmediate(run)
    },
    localOffsetSeconds: (epochSeconds) =>
      -new Date(epochSeconds * 1000).getTimezoneOffset() * 60 || 0,
  }
}

function after(delayMs: number, run: () => void): Timer {
  let timer: NodeJS.Timeout
  const arm = (leftMs: number) => {
    timer =
      leftMs > maxDelayMs
        ? setTimeout(() => arm(leftMs - maxDelayMs), maxDelayMs)
        : setTimeout(run, leftMs)
    timer.unref()
  }
  arm(Math.max(0, delayMs))
  return {
    cancel() {
      clearTimeout(timer)
    },
  }
}

import type { Clock, Timer } from '../core/host.ts'
import type { Held } from './held.ts'
import type { BufferPolicy } from './policy.ts'

/** Chunks that become due within such a time of each other are looked at together. */
const granularityMs = 50

/** A slice's end is a time of the wall clock, which may be set: it is looked at at least this often. */
const longestTimerMs = 60_000

/** Ends staged chunks by age: flush_interval, and the end of their time slice. */
export interface Aging {
  /** A chunk was staged: it will be due some day. */
  watch(held: Held): void
  /** The queue got shorter: what was due may have a place now. */
  queueShrank(): void
  stop(): void
}

export function createAging(options: {
  readonly policy: Pick<
    BufferPolicy,
    'flush' | 'flushIntervalMs' | 'timekeyWaitSeconds' | 'lateSliceMs' | 'queuedChunks'
  >
  readonly timekeySeconds: number | undefined
  readonly clock: Clock
  staged(): Iterable<Held>
  queued(): number
  seal(held: Held): void
  /** Chunks were queued. */
  onQueued(): void
}): Aging {
  const { policy, timekeySeconds, clock } = options
  let timer: Timer | undefined
  let timerAtMs = Number.POSITIVE_INFINITY
  /** Whether a chunk that is due waits for the queue to get shorter; it fills up meanwhile. */
  let heldBack = false

  function dueInMs(held: Held): number {
    const { timekey } = held.stored.metadata
    const byAge =
      policy.flush === 'interval'
        ? held.createdMonotonicMs + policy.flushIntervalMs - clock.monotonicMs()
        : Number.POSITIVE_INFINITY
    if (timekeySeconds === undefined || timekey === undefined) return byAge
    const end = (timekey + timekeySeconds + policy.timekeyWaitSeconds) * 1000
    // A slice that was over when its first event came gathers others that are late.
    const lateMs = held.createdMonotonicMs + policy.lateSliceMs - clock.monotonicMs()
    return Math.min(byAge, Math.max(end - clock.wallMs(), lateMs))
  }

  function wakeIn(delayMs: number): void {
    const delay = Math.min(Math.max(delayMs, granularityMs), longestTimerMs)
    const atMs = clock.monotonicMs() + delay
    if (atMs >= timerAtMs) return
    timer?.cancel()
    timerAtMs = atMs
    timer = clock.after(delay, () => {
      timerAtMs = Number.POSITIVE_INFINITY
      check()
    })
  }

  function check(): void {
    let nextMs = Number.POSITIVE_INFINITY
    let sealed = false
    heldBack = false
    for (const held of [...options.staged()]) {
      const dueMs = dueInMs(held)
      if (dueMs > 0) nextMs = Math.min(nextMs, dueMs)
      else if (options.queued() < policy.queuedChunks) {
        options.seal(held)
        sealed = true
      } else heldBack = true
    }
    if (nextMs !== Number.POSITIVE_INFINITY) wakeIn(nextMs)
    if (sealed) options.onQueued()
  }

  return {
    watch(held) {
      const dueMs = dueInMs(held)
      if (dueMs !== Number.POSITIVE_INFINITY) wakeIn(dueMs)
    },
    queueShrank() {
      if (heldBack) check()
    },
    stop() {
      timer?.cancel()
      timerAtMs = Number.NEGATIVE_INFINITY
    },
  }
}

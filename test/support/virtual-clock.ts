import type { Clock, Timer } from '../../src/core/host.ts'

export interface VirtualClock extends Clock {
  /**
   * Moves both clocks on by `ms`, running what is due in order, with all `soon` tasks and promises
   * in between.
   */
  advance(ms: number): Promise<void>
  /** Runs `soon` tasks and settles promises until nothing is left, without moving the time. */
  settle(): Promise<void>
  /** Sets the wall clock, as an administrator would; timers keep their pace. */
  setWallMs(ms: number): void
  /** Timers that wait. */
  readonly pendingTimers: number
  /** Answers localOffsetSeconds. */
  offsetSeconds: number
}

interface Waiting {
  readonly atMs: number
  readonly order: number
  readonly run: () => void
}

/** Starts at 2023-11-14 22:13:20 UTC unless told otherwise. */
export function createVirtualClock(startMs = 1_700_000_000_000): VirtualClock {
  let nowMs = 0
  let wallOffsetMs = startMs
  let order = 0
  const timers = new Set<Waiting>()
  let soon: (() => void)[] = []

  function next(): Waiting | undefined {
    let first: Waiting | undefined
    for (const timer of timers) {
      if (
        first === undefined ||
        timer.atMs < first.atMs ||
        (timer.atMs === first.atMs && timer.order < first.order)
      ) {
        first = timer
      }
    }
    return first
  }

  async function settle(): Promise<void> {
    // A real turn of the event loop lets every settled promise run its course; nothing waits for
    // time to pass.
    for (let quiet = 0; quiet < 2; quiet += 1) {
      await new Promise<void>((resolve) => setImmediate(resolve))
      if (soon.length > 0) quiet = -1
      const tasks = soon
      soon = []
      for (const task of tasks) task()
    }
  }

  return {
    offsetSeconds: 0,
    wallMs: () => wallOffsetMs + nowMs,
    monotonicMs: () => nowMs,
    after(delayMs, run): Timer {
      order += 1
      const timer = { atMs: nowMs + Math.max(0, delayMs), order, run }
      timers.add(timer)
      return { cancel: () => timers.delete(timer) }
    },
    soon(run) {
      soon.push(run)
    },
    localOffsetSeconds() {
      return this.offsetSeconds
    },
    async advance(ms) {
      const untilMs = nowMs + ms
      await settle()
      for (;;) {
        const timer = next()
        if (timer === undefined || timer.atMs > untilMs) break
        timers.delete(timer)
        nowMs = timer.atMs
        timer.run()
        await settle()
      }
      nowMs = untilMs
      await settle()
    },
    settle,
    setWallMs(ms) {
      wallOffsetMs = ms - nowMs
    },
    get pendingTimers() {
      return timers.size
    },
  }
}

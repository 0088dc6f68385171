import type { Clock, Timer } from '../core/host.ts'
import type { LogLevel } from '../core/log.ts'

/** How often one message is written before the rest of its window is only counted. */
export const repeatBurst = 10
export const repeatWindowMs = 30_000
/** Messages remembered at once. */
const maxRemembered = 1_000

export interface RepeatSettings {
  /** ignore_repeated_log_interval: the same text as the last one is left out within it. */
  readonly ignoreRepeatedMs: number | undefined
  /** ignore_same_log_interval: the same text as any earlier one is left out within it. */
  readonly ignoreSameMs: number | undefined
}

export interface Repeats {
  configure(settings: RepeatSettings): void
  /**
   * Whether to write it. `text` is the whole line, `key` what makes messages alike (who says it and what, without its
   * values). Warnings and worse beyond the burst are counted, and summed up when their window ends.
   */
  admit(level: LogLevel, key: string, text: string): boolean
  /** Sums up what is still counted: before exit, and when logs are reopened. */
  flush(): void
}

interface Window {
  readonly level: LogLevel
  readonly startMs: number
  written: number
  suppressed: number
  timer: Timer | undefined
}

/** `summary` is called with how many messages alike were left out, in how many seconds. */
export function createRepeats(options: {
  readonly clock: Pick<Clock, 'monotonicMs' | 'after'>
  summary(level: LogLevel, key: string, count: number, seconds: number): void
}): Repeats {
  const { clock } = options
  let settings: RepeatSettings = { ignoreRepeatedMs: undefined, ignoreSameMs: undefined }
  let last: { text: string; ms: number } | undefined
  const same = new Map<string, number>()
  const windows = new Map<string, Window>()

  const close = (key: string): void => {
    const window = windows.get(key)
    if (window === undefined) return
    windows.delete(key)
    window.timer?.cancel()
    if (window.suppressed === 0) return
    const seconds = Math.max(1, Math.round((clock.monotonicMs() - window.startMs) / 1000))
    options.summary(window.level, key, window.suppressed, seconds)
  }

  const ignoredByInterval = (text: string, now: number): boolean => {
    if (settings.ignoreSameMs !== undefined) {
      const before = same.get(text)
      if (before !== undefined && now - before <= settings.ignoreSameMs) return true
      same.delete(text)
      same.set(text, now)
      if (same.size > maxRemembered) same.delete(same.keys().next().value as string)
      return false
    }
    if (settings.ignoreRepeatedMs === undefined) return false
    if (last !== undefined && last.text === text && now - last.ms <= settings.ignoreRepeatedMs) {
      return true
    }
    last = { text, ms: now }
    return false
  }

  const withinBurst = (level: LogLevel, key: string, now: number): boolean => {
    let window = windows.get(key)
    if (window !== undefined && now - window.startMs >= repeatWindowMs) {
      close(key)
      window = undefined
    }
    if (window === undefined) {
      if (windows.size >= maxRemembered) close(windows.keys().next().value as string)
      window = { level, startMs: now, written: 0, suppressed: 0, timer: undefined }
      windows.set(key, window)
    }
    if (window.written < repeatBurst) {
      window.written++
      return true
    }
    window.suppressed++
    window.timer ??= clock.after(window.startMs + repeatWindowMs - now, () => close(key))
    return false
  }

  return {
    configure(next) {
      settings = next
    },
    admit(level, key, text) {
      const now = clock.monotonicMs()
      if (ignoredByInterval(text, now)) return false
      return level === 'warn' || level === 'error' ? withinBurst(level, key, now) : true
    },
    flush() {
      for (const key of [...windows.keys()]) close(key)
    },
  }
}

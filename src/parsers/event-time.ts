import type { Clock } from '../core/host.ts'
import { EventTime } from '../core/value.ts'

/** EventTime has 32 bits of seconds; times outside of 1970 to 2106 stay as integers, without a fraction. */
export function eventTime(seconds: number, nanoseconds: number): EventTime {
  const fits = seconds >= 0 && seconds < 2 ** 32
  return new EventTime(seconds, fits ? nanoseconds : undefined)
}

/** Now, for texts that have no time. */
export function currentTime(clock: Pick<Clock, 'wallMs'>): EventTime {
  const ms = clock.wallMs()
  const seconds = Math.floor(ms / 1000)
  return eventTime(seconds, Math.min(Math.round((ms - seconds * 1000) * 1e6), 999_999_999))
}

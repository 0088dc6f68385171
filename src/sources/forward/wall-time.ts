import type { Clock } from '../../core/host.ts'

/** Sets `time` to the clock's wall time. Milliseconds have fractions: a double keeps about 100 ns of a wall time. */
export function setToWallTime(
  time: { seconds: number; nanoseconds: number },
  clock: Pick<Clock, 'wallMs'>,
): void {
  const wallMs = clock.wallMs()
  const seconds = Math.floor(wallMs / 1000)
  time.seconds = seconds
  time.nanoseconds = Math.min(999_999_999, Math.floor((wallMs - seconds * 1000) * 1e6))
}

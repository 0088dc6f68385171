import type { Clock } from '../core/host.ts'
import type { TimeText } from '../text/ruby-ascii.ts'
import { formatTime } from '../time/format-time.ts'
import { compileStrftime } from '../time/strftime.ts'
import { localZone } from '../time/zones.ts'

/** How Fluentd's EventTime shows itself inside an array or a hash: in local time, to the nanosecond. */
export function inspectedTime(clock: Pick<Clock, 'localOffsetSeconds'>): TimeText {
  const steps = compileStrftime('%Y-%m-%d %H:%M:%S.%N %z')
  const zone = localZone(clock)
  return (time) => formatTime(steps, zone, time.seconds, (time.nanoseconds ?? 0) % 1e9)
}

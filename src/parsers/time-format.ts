import type { EventTime } from '../core/value.ts'
import type { Zone } from '../kernel/types.ts'
import { daysFromCivil } from '../time/civil.ts'
import { eventTime } from './event-time.ts'
import { fromLocal } from './free-time.ts'

/** Reads a time of one form; undefined: the text does not have it. */
export type TimeReader = (text: string) => EventTime | undefined

/** `zone`: of times that name none. Throws ConfigError for a format that nothing can be read by. */
export function compileTimeFormat(format: string, zone: Zone): TimeReader {
  if (format === '%iso8601') return (text) => parseIso8601(text, zone)
  return () => undefined
}

const iso8601 =
  /^\s*(\d{4,6})-(\d\d)-(\d\d)T(\d\d):(\d\d):(\d\d)(?:\.(\d+))?(?:(Z)|([+-])(\d\d)(?::?(\d\d))?)?\s*$/i

/** Date and time both, as Ruby's Time.iso8601 wants them. */
function parseIso8601(text: string, zone: Zone): EventTime | undefined {
  const found = iso8601.exec(text)
  if (found === null) return undefined
  const [year, month, day, hour, minute, second] = found.slice(1, 7).map(Number) as [
    number,
    number,
    number,
    number,
    number,
    number,
  ]
  const valid = month >= 1 && month <= 12 && day >= 1 && day <= 31
  if (!valid || hour > 24 || minute > 59 || second > 60) return undefined
  const local = daysFromCivil(year, month, day) * 86_400 + hour * 3600 + minute * 60 + second
  const nanoseconds = Number((found[7] ?? '').slice(0, 9).padEnd(9, '0'))
  return eventTime(toEpoch(local, found, zone), nanoseconds)
}

function toEpoch(local: number, found: RegExpExecArray, zone: Zone): number {
  if (found[8] !== undefined) return local
  if (found[9] === undefined) return fromLocal(local, zone)
  const offset = Number(found[10]) * 3600 + Number(found[11] ?? 0) * 60
  return local - (found[9] === '-' ? -offset : offset)
}

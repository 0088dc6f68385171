import type { EventTime } from '../core/value.ts'
import type { Zone } from '../kernel/types.ts'
import { civilFromSeconds, daysFromCivil } from '../time/civil.ts'
import { fromLocal } from '../time/strptime.ts'
import { eventTime } from './event-time.ts'

/**
 * Times without a time_format, for which Fluentd asks Ruby's Time.parse: the forms that are in use, not all that Ruby
 * guesses. A part that is missing is taken from now (the year, or all of the date), a time that is missing is midnight.
 */

const months = ['jan', 'feb', 'mar', 'apr', 'may', 'jun', 'jul', 'aug', 'sep', 'oct', 'nov', 'dec']
const clockTime =
  '(?<hour>\\d{1,2}):(?<minute>\\d{2})(?::(?<second>\\d{2})(?:[.,](?<fraction>\\d+))?)?'
const half = '(?:\\s*(?<half>[ap]m))?'
const zoneName = '(?:\\s*(?<zone>z|[a-z]{3,4}|(?:utc|gmt)?[+-]\\d{1,2}(?::?\\d{2})?))?'
const monthName = '(?<monthName>[a-z]{3})[a-z]*\\.?'
const weekday = '(?:(?:sun|mon|tue|wed|thu|fri|sat)[a-z]*,?\\s+)?'

const forms = [
  // 2021-02-03, 2021/02/03 04:05, 2021-02-03T04:05:06.789+09:00
  `${weekday}(?<year>\\d{4})[-/.](?<month>\\d{1,2})[-/.](?<day>\\d{1,2})(?:[t\\s]+${clockTime}${half}${zoneName})?`,
  // 20210203T040506Z, 20210203
  '(?<year>\\d{4})(?<month>\\d{2})(?<day>\\d{2})(?:t?(?<hour>\\d{2})(?<minute>\\d{2})(?<second>\\d{2})(?:[.,](?<fraction>\\d+))?' +
    `${zoneName})?`,
  // 10/Oct/2020:13:55:36 -0700, Wed, 03 Feb 2021 04:05:06 GMT, 3-Feb-2021
  `${weekday}(?<day>\\d{1,2})(?:st|nd|rd|th)?[-/\\s]+${monthName}[-/\\s,]+(?<year>\\d{4})(?:[:t\\s]+${clockTime}${half}${zoneName})?`,
  // Wed Feb  3 04:05:06 +0900 2021, Feb 3 04:05:06 2021
  `${weekday}${monthName}\\s+(?<day>\\d{1,2})(?:st|nd|rd|th)?,?\\s+${clockTime}${half}${zoneName}\\s+(?<year>\\d{4})`,
  // Feb 3, 2021 4:05 PM
  `${weekday}${monthName}\\s+(?<day>\\d{1,2})(?:st|nd|rd|th)?,?\\s+(?<year>\\d{4})(?:\\s+${clockTime}${half}${zoneName})?`,
  // Feb  3 04:05:06
  `${weekday}${monthName}\\s+(?<day>\\d{1,2})\\s+${clockTime}${half}${zoneName}`,
  // 04:05:06
  `${clockTime}${half}${zoneName}`,
].map((form) => new RegExp(`^\\s*${form}\\s*$`, 'i'))

/** Longer texts are no times. */
const longestTime = 80

/** Offsets in seconds of the zones that mail knows by name (RFC 2822). */
const namedOffsets: Readonly<Record<string, number | undefined>> = {
  z: 0,
  utc: 0,
  gmt: 0,
  est: -5 * 3600,
  edt: -4 * 3600,
  cst: -6 * 3600,
  cdt: -5 * 3600,
  mst: -7 * 3600,
  mdt: -6 * 3600,
  pst: -8 * 3600,
  pdt: -7 * 3600,
  jst: 9 * 3600,
  cet: 3600,
  cest: 7200,
  bst: 3600,
  ist: 5.5 * 3600,
}

/** undefined: the text is none of the known forms. `zone`: of texts that name none. */
export function parseFreeTime(text: string, zone: Zone, nowSeconds: number): EventTime | undefined {
  if (text.length > longestTime) return undefined
  for (const form of forms) {
    const groups = form.exec(text)?.groups
    if (groups !== undefined) return fromGroups(groups, zone, nowSeconds)
  }
  return undefined
}

type Groups = Readonly<Record<string, string | undefined>>

function fromGroups(groups: Groups, zone: Zone, nowSeconds: number): EventTime | undefined {
  const days = dayNumber(groups, zone, nowSeconds)
  const hour = hourOf(groups)
  const minute = Number(groups.minute ?? 0)
  const second = Number(groups.second ?? 0)
  if (days === undefined || hour > 24 || minute > 59 || second > 60) return undefined
  const local = days * 86_400 + hour * 3600 + minute * 60 + second
  const seconds = toEpoch(local, groups.zone, zone)
  if (seconds === undefined) return undefined
  return eventTime(seconds, Number((groups.fraction ?? '').slice(0, 9).padEnd(9, '0')))
}

function dayNumber(groups: Groups, zone: Zone, nowSeconds: number): number | undefined {
  const today = civilFromSeconds(nowSeconds + zone(nowSeconds).offsetSeconds)
  const year = groups.year === undefined ? today.year : Number(groups.year)
  let month = groups.month === undefined ? today.month : Number(groups.month)
  if (groups.monthName !== undefined) month = months.indexOf(groups.monthName.toLowerCase()) + 1
  const day = groups.day === undefined ? today.day : Number(groups.day)
  if (month < 1 || month > 12) return undefined
  const first = daysFromCivil(year, month, 1)
  const next = month === 12 ? daysFromCivil(year + 1, 1, 1) : daysFromCivil(year, month + 1, 1)
  return day >= 1 && first + day <= next ? first + day - 1 : undefined
}

function hourOf(groups: Groups): number {
  const hour = Number(groups.hour ?? 0)
  if (groups.half === undefined) return hour
  return (hour % 12) + (groups.half.toLowerCase() === 'pm' ? 12 : 0)
}

function toEpoch(local: number, written: string | undefined, zone: Zone): number | undefined {
  if (written === undefined) return fromLocal(local, zone)
  const named = namedOffsets[written.toLowerCase()]
  if (named !== undefined) return local - named
  const offset = /([+-])(\d{1,2}):?(\d{2})?$/.exec(written)
  if (offset === null) return undefined
  const size = Number(offset[2]) * 3600 + Number(offset[3] ?? 0) * 60
  return local - (offset[1] === '-' ? -size : size)
}

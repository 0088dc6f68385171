import type { Clock } from '../core/host.ts'
import type { Zone, ZoneOffset } from '../kernel/types.ts'
import { daysFromCivil, floorDiv } from './civil.ts'

/** UTC itself: its name is written by %Z. (A zone of +00:00 has none.) */
const utc: ZoneOffset = { offsetSeconds: 0, from: -Infinity, until: Infinity, name: 'UTC' }
export const utcZone: Zone = () => utc

export function fixedZone(offsetSeconds: number): Zone {
  const at = { offsetSeconds, from: -Infinity, until: Infinity }
  return () => at
}

/** Local time: the TZ variable's, asked from the clock. */
export function localZone(clock: Pick<Clock, 'localOffsetSeconds'>): Zone {
  return searched((seconds) => clock.localOffsetSeconds(seconds), localName)
}

/**
 * The zone of a text: `+09:00`, `+0900`, `+09`, a name of the time zone database (`Asia/Tokyo`), `UTC`, `Z`.
 * undefined: there is no such zone.
 */
export function parseZone(text: string): Zone | undefined {
  if (text === 'UTC' || text === 'Z' || text === 'GMT') return utcZone
  const fixed = /^([+-])(\d\d)(?::?(\d\d))?$/.exec(text)
  if (fixed !== null) {
    const hours = Number(fixed[2])
    const minutes = Number(fixed[3] ?? 0)
    if (hours > 23 || minutes > 59) return undefined
    return fixedZone((fixed[1] === '-' ? -1 : 1) * (hours * 3600 + minutes * 60))
  }
  if (!/^[^/]+\/[^/]+(\/[^/]+)?$/.test(text)) return undefined
  return namedZone(text)
}

function namedZone(name: string): Zone | undefined {
  let format: Intl.DateTimeFormat
  try {
    format = dateFormat(name)
  } catch {
    return undefined // RangeError: this is how Intl says that it knows no such zone.
  }
  // Fluentd turns the zone into an offset first, so that %Z has no name to write.
  return searched(
    (seconds) => intlOffset(format, seconds),
    () => '',
  )
}

function dateFormat(timeZone: string | undefined): Intl.DateTimeFormat {
  return new Intl.DateTimeFormat('en-US', {
    ...(timeZone === undefined ? {} : { timeZone }),
    hourCycle: 'h23',
    year: 'numeric',
    month: 'numeric',
    day: 'numeric',
    hour: 'numeric',
    minute: 'numeric',
    second: 'numeric',
  })
}

/** Seconds between which Intl is asked: the years 1 to 9999, which it writes without an era. */
const earliest = daysFromCivil(1, 1, 2) * 86_400
const latest = daysFromCivil(9999, 12, 30) * 86_400

function intlOffset(format: Intl.DateTimeFormat, seconds: number): number {
  const at = Math.min(Math.max(seconds, earliest), latest)
  const parts: Record<string, number> = {}
  for (const part of format.formatToParts(at * 1000)) parts[part.type] = Number(part.value)
  const { year = 0, month = 0, day = 0, hour = 0, minute = 0, second = 0 } = parts
  return daysFromCivil(year, month, day) * 86_400 + hour * 3600 + minute * 60 + second - at
}

/** Steps in which an interval of one offset is looked for, widest first. */
const steps = [86_400, 3600, 900, 1] as const
const cacheLimit = 512

/**
 * Finds an interval around a moment in which the offset stays: the widest of a day, an hour, a quarter of an hour that
 * has the same offset at both ends. No zone changes twice within one of them.
 */
function searched(
  offsetAt: (seconds: number) => number,
  nameAt: (seconds: number, offsetSeconds: number) => string,
): Zone {
  const cache = new Map<number, ZoneOffset>()
  return (seconds) => {
    const day = floorDiv(seconds, 86_400)
    const known = cache.get(day)
    if (known !== undefined && seconds >= known.from && seconds < known.until) return known
    const found = search(seconds, offsetAt, nameAt)
    if (cache.size >= cacheLimit) cache.clear()
    cache.set(day, found)
    return found
  }
}

function search(
  seconds: number,
  offsetAt: (seconds: number) => number,
  nameAt: (seconds: number, offsetSeconds: number) => string,
): ZoneOffset {
  const offsetSeconds = offsetAt(seconds)
  let from = seconds
  let until = seconds + 1
  for (const width of steps) {
    from = floorDiv(seconds, width) * width
    until = from + width
    if (offsetAt(from) === offsetSeconds && offsetAt(until - 1) === offsetSeconds) break
  }
  let name: string | undefined
  return {
    offsetSeconds,
    from,
    until,
    get name() {
      name ??= nameAt(seconds, offsetSeconds)
      return name
    },
  }
}

function localName(seconds: number, offsetSeconds: number): string {
  // A clock of a test may have a zone of its own, whose name nobody knows.
  if (intlOffset(dateFormat(undefined), seconds) !== offsetSeconds) return ''
  return shortName(seconds)
}

/** Each language knows the abbreviations of its own countries and writes `GMT+9` for the others. */
const languages = ['en-US', 'en-GB', 'en-AU', 'en-IN', 'ja-JP', 'ko-KR'] as const

function shortName(seconds: number): string {
  const at = Math.min(Math.max(seconds, earliest), latest)
  for (const language of languages) {
    const format = new Intl.DateTimeFormat(language, { timeZoneName: 'short' })
    const part = format.formatToParts(at * 1000).find((item) => item.type === 'timeZoneName')
    if (part !== undefined && /^[A-Z]{2,5}$/.test(part.value)) return part.value
  }
  return ''
}

import { EventTime } from '../core/value.ts'
import type { Zone } from '../kernel/types.ts'
import { civilFromSeconds, daysFromCivil } from './civil.ts'
import { dayNames, monthNames } from './format-time.ts'

/**
 * Reads times by Ruby's strptime formats, and `%iso8601`. A format becomes one regular expression without
 * nested repetition (linear in the text). As in Ruby, text behind the last directive does not matter, white space in the
 * format stands for any or none, and a day beyond the month's last runs over into the next month.
 */

export interface StrptimeOptions {
  /** Of texts that name no zone. */
  readonly zone: Zone
  /** The current time, which gives the parts that the format does not have. Without it they are those of 1970. */
  readonly nowSeconds?: () => number
}

/** Undefined: the text does not have the format. */
export type TimeReader = (text: string) => EventTime | undefined

/** Longer texts are no times. */
const longestText = 256

interface Parts {
  year?: number
  century?: number
  month?: number
  day?: number
  yearDay?: number
  hour?: number
  afternoon?: boolean
  minute?: number
  second?: number
  nanoseconds?: number
  offsetSeconds?: number
  epoch?: number
}

/** A directive: what it matches, in one group, and where that goes. False: out of range. */
interface Directive {
  readonly pattern: string
  readonly read: (text: string, parts: Parts) => boolean
}

/**
 * Compiles a format. Undefined if it has a directive that strptime does not know, so that it could never match.
 * The reader never throws.
 */
export function compileStrptime(format: string, options: StrptimeOptions): TimeReader | undefined {
  if (format === '%iso8601') return (text) => readIso8601(text, options)
  const steps: Directive[] = []
  const pattern = patternOf(format, steps)
  if (pattern === undefined) return undefined
  const regexp = new RegExp(`^${pattern}`)
  return (text) => {
    if (text.length > longestText) return undefined
    const found = regexp.exec(text)
    if (found === null) return undefined
    const parts: Parts = {}
    for (let i = 0; i < steps.length; i++) {
      if (!steps[i]!.read(found[i + 1]!, parts)) return undefined
    }
    return toEventTime(parts, options)
  }
}

const composites: Readonly<Record<string, string>> = {
  c: '%a %b %e %H:%M:%S %Y',
  D: '%m/%d/%y',
  x: '%m/%d/%y',
  F: '%Y-%m-%d',
  R: '%H:%M',
  r: '%I:%M:%S %p',
  T: '%H:%M:%S',
  X: '%H:%M:%S',
  v: '%e-%b-%Y',
  '+': '%a %b %e %H:%M:%S %Z %Y',
}

function patternOf(format: string, steps: Directive[]): string | undefined {
  let pattern = ''
  for (const match of format.matchAll(/%[-0^#_:]*[EO]?([A-Za-z%+])|\s+|[^%\s]+|%/g)) {
    const [text, letter] = match
    if (letter === undefined) {
      pattern += /^\s/.test(text) ? '\\s*' : text.replace(/[\\^$.*+?()[\]{}|/-]/g, '\\$&')
      continue
    }
    if (letter === '%') pattern += '%'
    else if (letter === 'n' || letter === 't') pattern += '\\s*'
    else if (composites[letter] !== undefined) {
      const inner = patternOf(composites[letter], steps)
      if (inner === undefined) return undefined
      pattern += inner
    } else {
      const rest = format.slice(match.index + text.length)
      const directive = directiveOf(
        letter,
        /^(?:\d|%[CDdeFGgHIjkLlMmNQRrSsTUuVvWwXxYy])/.test(rest),
      )
      if (directive === undefined) return undefined
      steps.push(directive)
      pattern += `(${directive.pattern})`
    }
  }
  return pattern
}

/** `packed`: a digit may follow at once, so that the digits of this one are counted. */
function directiveOf(letter: string, packed: boolean): Directive | undefined {
  return numberDirective(letter, packed) ?? wordDirective(letter)
}

type NumberPart = 'year' | 'century' | 'month' | 'day' | 'yearDay' | 'hour' | 'minute' | 'second'

function inRange(part: NumberPart, least: number, most: number): Directive['read'] {
  return (text, parts) => {
    const value = Number(text)
    parts[part] = value
    return value >= least && value <= most
  }
}

const ignored = (): boolean => true

function numberDirective(letter: string, packed: boolean): Directive | undefined {
  const two = ' ?\\d{1,2}'
  switch (letter) {
    case 'Y':
      return {
        pattern: packed ? '[+-]?\\d{1,4}' : '[+-]?\\d{1,6}',
        read: inRange('year', -999_999, 999_999),
      }
    case 'C':
      return { pattern: '\\d{1,2}', read: inRange('century', 0, 99) }
    case 'y':
      return { pattern: '\\d{1,2}', read: readShortYear }
    case 'm':
      return { pattern: two, read: inRange('month', 1, 12) }
    case 'd':
    case 'e':
      return { pattern: two, read: inRange('day', 1, 31) }
    case 'j':
      return { pattern: '\\d{1,3}', read: inRange('yearDay', 1, 366) }
    case 'H':
    case 'k':
      return { pattern: two, read: inRange('hour', 0, 24) }
    case 'I':
    case 'l':
      return { pattern: two, read: inRange('hour', 1, 12) }
    case 'M':
      return { pattern: two, read: inRange('minute', 0, 59) }
    case 'S':
      return { pattern: two, read: inRange('second', 0, 60) }
    case 'N':
      return { pattern: packed ? '\\d{1,9}' : '\\d+', read: readFraction }
    case 'L':
      return { pattern: packed ? '\\d{1,3}' : '\\d+', read: readFraction }
    case 's':
      return { pattern: '-?\\d{1,15}', read: (text, parts) => readEpoch(parts, Number(text), 0) }
    case 'Q':
      return { pattern: '-?\\d{1,15}', read: readMilliseconds }
    case 'U':
    case 'W':
    case 'V':
    case 'g':
      return { pattern: '\\d{1,2}', read: ignored }
    case 'u':
    case 'w':
      return { pattern: '\\d', read: ignored }
    case 'G':
      return { pattern: packed ? '\\d{1,4}' : '\\d{1,6}', read: ignored }
    default:
      return undefined
  }
}

function wordDirective(letter: string): Directive | undefined {
  switch (letter) {
    case 'B':
    case 'b':
    case 'h':
      return {
        pattern: anyCase(monthNames),
        read(text, parts) {
          const start = text.slice(0, 3).toLowerCase()
          parts.month = monthNames.findIndex((name) => name.toLowerCase().startsWith(start)) + 1
          return true
        },
      }
    case 'A':
    case 'a':
      return { pattern: anyCase(dayNames), read: ignored }
    case 'p':
    case 'P':
      return {
        pattern: '[AaPp](?:[Mm]|\\.[Mm]\\.)',
        read(text, parts) {
          parts.afternoon = text[0] === 'P' || text[0] === 'p'
          return true
        },
      }
    case 'z':
    case 'Z':
      return {
        pattern:
          '(?:[Gg][Mm][Tt]|[Uu][Tt][Cc]?)?[+-]\\d{1,2}(?::?\\d{2}(?::?\\d{2})?)?|[A-Za-z]{1,5}',
        read: readZone,
      }
    default:
      return undefined
  }
}

/** Full names and their first three letters, the longer first, in any case. */
function anyCase(names: readonly string[]): string {
  const forms = [...names, ...names.map((name) => name.slice(0, 3))]
  const letters = (form: string): string =>
    form.replace(/[A-Za-z]/g, (letter) => `[${letter.toUpperCase()}${letter.toLowerCase()}]`)
  return forms.map(letters).join('|')
}

function readShortYear(text: string, parts: Parts): boolean {
  const year = Number(text)
  parts.year = year + (year < 69 ? 2000 : 1900)
  return true
}

function readFraction(text: string, parts: Parts): boolean {
  parts.nanoseconds = Number(text.slice(0, 9).padEnd(9, '0'))
  return true
}

function readEpoch(parts: Parts, seconds: number, nanoseconds: number): boolean {
  parts.epoch = seconds
  parts.nanoseconds ??= nanoseconds
  return true
}

function readMilliseconds(text: string, parts: Parts): boolean {
  const seconds = Math.floor(Number(text) / 1000)
  return readEpoch(parts, seconds, (Number(text) - seconds * 1000) * 1e6)
}

/** Hours east of UTC of the zones that have a name in RFC 2822, and of others that logs have. */
const zoneHours: Readonly<Record<string, number | undefined>> = {
  utc: 0,
  ut: 0,
  gmt: 0,
  z: 0,
  wet: 0,
  est: -5,
  edt: -4,
  cst: -6,
  cdt: -5,
  mst: -7,
  mdt: -6,
  pst: -8,
  pdt: -7,
  akst: -9,
  akdt: -8,
  hst: -10,
  jst: 9,
  kst: 9,
  cet: 1,
  cest: 2,
  eet: 2,
  eest: 3,
  bst: 1,
  msk: 3,
  ist: 5.5,
  sgt: 8,
  aest: 10,
  aedt: 11,
}

function readZone(text: string, parts: Parts): boolean {
  const offset = /([+-])(\d{1,2})(?::?(\d{2})(?::?(\d{2}))?)?$/.exec(text)
  if (offset === null) {
    const name = text.toLowerCase()
    if (!Object.hasOwn(zoneHours, name)) return false
    parts.offsetSeconds = zoneHours[name]! * 3600
    return true
  }
  const [hours, minutes, seconds] = offset.slice(2).map((digits) => Number(digits ?? 0))
  const size = hours! * 3600 + minutes! * 60 + seconds!
  parts.offsetSeconds = offset[1] === '-' ? -size : size
  return hours! <= 24 && minutes! <= 59
}

function toEventTime(parts: Parts, options: StrptimeOptions): EventTime | undefined {
  const nanoseconds = parts.nanoseconds ?? 0
  if (parts.epoch !== undefined) return eventTime(parts.epoch, nanoseconds)
  if (parts.century !== undefined) parts.year = parts.century * 100 + ((parts.year ?? 0) % 100)
  if (parts.afternoon !== undefined && parts.hour !== undefined) {
    parts.hour = (parts.hour % 12) + (parts.afternoon ? 12 : 0)
  }
  const local = localSeconds(parts, options)
  const offset = parts.offsetSeconds
  const seconds = offset === undefined ? fromLocal(local, options.zone) : local - offset
  return eventTime(seconds, nanoseconds)
}

/**
 * Parts larger than the largest one given are those of now; smaller ones are the first (January, day 1, midnight).
 */
function localSeconds(parts: Parts, options: StrptimeOptions): number {
  const now = options.nowSeconds?.() ?? 0
  const offset = parts.offsetSeconds ?? options.zone(now).offsetSeconds
  const today = civilFromSeconds(Math.floor(now) + offset)
  const year = parts.year ?? today.year
  const hasDate = parts.month !== undefined || parts.day !== undefined
  const hasClock = parts.hour !== undefined || parts.minute !== undefined
  let days: number
  if (parts.yearDay !== undefined) days = daysFromCivil(year, 1, 1) + parts.yearDay - 1
  else {
    const month = parts.month ?? (parts.year === undefined ? today.month : 1)
    const day = parts.day ?? (parts.year === undefined && !hasDate ? today.day : 1)
    days = daysFromCivil(year, month, day)
  }
  const given = parts.year !== undefined || hasDate || parts.yearDay !== undefined
  const hour = parts.hour ?? (given || !hasClock ? 0 : today.hour)
  return days * 86_400 + hour * 3600 + (parts.minute ?? 0) * 60 + (parts.second ?? 0)
}

/** Seconds since 1970 of a civil time (in seconds as if it were UTC) in a zone. */
export function fromLocal(local: number, zone: Zone): number {
  const guess = local - zone(local).offsetSeconds
  return local - zone(guess).offsetSeconds
}

/** An EventTime has 32 bits of seconds; a time outside of them stays an integer, without its fraction. */
function eventTime(seconds: number, nanoseconds: number): EventTime | undefined {
  if (!Number.isSafeInteger(seconds)) return undefined
  const fits = seconds >= 0 && seconds < 2 ** 32
  return new EventTime(seconds, fits ? nanoseconds : undefined)
}

const iso8601 =
  /^\s*([+-]?\d{4,6})-(\d\d)-(\d\d)[Tt](\d\d):(\d\d):(\d\d)(?:\.(\d+))?([Zz]|[+-]\d\d(?::?\d\d)?)?\s*$/

/** Ruby's Time.iso8601: date and time both, to the second at least; a text without a zone is local. */
function readIso8601(text: string, options: StrptimeOptions): EventTime | undefined {
  const found = text.length > longestText ? null : iso8601.exec(text)
  if (found === null) return undefined
  const parts: Parts = { year: Number(found[1]) }
  const valid =
    inRange('month', 1, 12)(found[2]!, parts) &&
    inRange('day', 1, 31)(found[3]!, parts) &&
    inRange('hour', 0, 24)(found[4]!, parts) &&
    inRange('minute', 0, 59)(found[5]!, parts) &&
    inRange('second', 0, 60)(found[6]!, parts)
  if (!valid) return undefined
  if (found[7] !== undefined) readFraction(found[7], parts)
  if (found[8] !== undefined && !readZone(found[8], parts)) return undefined
  return toEventTime(parts, options)
}

import { ConfigError, type Position } from '../core/errors.ts'
import type { Clock } from '../core/host.ts'
import { ParserError } from '../core/parser.ts'
import { type EventTime, MsgFloat, type MsgValue, RawString } from '../core/value.ts'
import type { Zone } from '../kernel/types.ts'
import { fieldText } from '../text/field-text.ts'
import { inspectAscii } from '../text/ruby-ascii.ts'
import { compileStrptime } from '../time/strptime.ts'
import { localZone, parseZone, utcZone } from '../time/zones.ts'
import { eventTime } from './event-time.ts'
import { parseFreeTime } from './free-time.ts'
import { toFloat, toInteger } from './types.ts'

/** What a record's time field says. */
export type TimeParser = (value: MsgValue) => EventTime | ParserError

export interface TimeParserOptions {
  readonly type: 'string' | 'unixtime' | 'float' | 'mixed'
  readonly format: string | undefined
  readonly timezone: string | undefined
  /** Of mixed: formats tried after `format`. */
  readonly fallbacks?: readonly string[]
}

/** The time parameters that all parsers have. */
export interface TimeSettings {
  /** Without a timezone: local time, or UTC. */
  readonly localtime: boolean
  readonly clock: Pick<Clock, 'wallMs' | 'localOffsetSeconds'>
  /** For errors. */
  readonly position: Position | undefined
}

/** Throws ConfigError. */
export function createTimeParser(options: TimeParserOptions, settings: TimeSettings): TimeParser {
  switch (options.type) {
    case 'unixtime':
      return cached(parseUnixTime)
    case 'float':
      return cached(parseFloatTime)
    case 'mixed':
      return mixedParser(options, settings)
    default:
      return cached(textParser(options.format, options.timezone, settings))
  }
}

/** Lines come with the same second again and again: the last value is not parsed twice. */
function cached(parse: TimeParser): TimeParser {
  let lastValue: MsgValue | undefined
  let lastTime: EventTime | undefined
  return (value) => {
    if (value === lastValue && lastTime !== undefined) return lastTime
    const time = parse(value)
    if (time instanceof ParserError) return time
    lastValue = value
    lastTime = time
    return time
  }
}

function zoneOf(timezone: string | undefined, settings: TimeSettings): Zone {
  if (timezone === undefined) return settings.localtime ? localZone(settings.clock) : utcZone
  const zone = parseZone(timezone)
  if (zone === undefined) {
    throw new ConfigError(`Unsupported timezone '${timezone}'`, {
      position: settings.position,
      hint: 'zones are written as +09:00, +0900, +09 or Asia/Tokyo',
    })
  }
  return zone
}

function textParser(
  format: string | undefined,
  timezone: string | undefined,
  settings: TimeSettings,
): TimeParser {
  const zone = zoneOf(timezone, settings)
  if (format === undefined && (timezone !== undefined || !settings.localtime)) {
    throw new ConfigError('specifying timezone requires time format', {
      position: settings.position,
    })
  }
  const read = textReader(format, zone, settings)
  return (value) => {
    if (typeof value !== 'string') {
      return new ParserError(
        value instanceof RawString
          ? invalidTime(value)
          : `value must be string: ${fieldText(value)}`,
      )
    }
    const time = read(value)
    return time === undefined
      ? new ParserError(invalidTime(value))
      : eventTime(time.seconds, time.nanoseconds ?? 0)
  }
}

function textReader(
  format: string | undefined,
  zone: Zone,
  settings: TimeSettings,
): (text: string) => EventTime | undefined {
  const nowSeconds = () => settings.clock.wallMs() / 1000
  if (format === undefined) return (text) => parseFreeTime(text, zone, nowSeconds())
  const read = compileStrptime(format, { zone, nowSeconds })
  if (read === undefined) {
    throw new ConfigError(`no time can be read by the format ${format}`, {
      position: settings.position,
      hint: 'it has a directive that strptime does not know',
    })
  }
  return read
}

function invalidTime(value: MsgValue): string {
  return `invalid time format: value = ${fieldText(value)}`
}

/** A number or text with one: whole seconds. Text without any is 0, as in Fluentd. */
function parseUnixTime(value: MsgValue): EventTime | ParserError {
  if (!isNumeric(value)) return notNumeric(value)
  const seconds = Number(toInteger(value) instanceof MsgFloat ? Number.NaN : toInteger(value))
  return Number.isSafeInteger(seconds) ? eventTime(seconds, 0) : new ParserError(invalidTime(value))
}

/** Seconds with a fraction: of text, the digits before the first dot and nine behind it. */
function parseFloatTime(value: MsgValue): EventTime | ParserError {
  if (!isNumeric(value)) return notNumeric(value)
  if (typeof value !== 'string') {
    const number = toFloat(value)
    if (!Number.isFinite(number) || Math.abs(number) > Number.MAX_SAFE_INTEGER) {
      return new ParserError(invalidTime(value))
    }
    if (Number.isInteger(number)) return eventTime(number, 0)
    return decimalTime(fieldText(value), value)
  }
  return decimalTime(value, value)
}

function decimalTime(text: string, value: MsgValue): EventTime | ParserError {
  const [whole = '', fraction = ''] = text.split('.', 2)
  const seconds = toInteger(whole)
  if (typeof seconds !== 'number') return new ParserError(invalidTime(value))
  const digits = (/^\d{0,9}/.exec(fraction) as RegExpExecArray)[0]
  return eventTime(seconds, Number(digits.padEnd(9, '0')))
}

function isNumeric(value: MsgValue): boolean {
  const type = typeof value
  return type === 'string' || type === 'number' || type === 'bigint' || value instanceof MsgFloat
}

function notNumeric(value: MsgValue): ParserError {
  return new ParserError(`value must be a string or a number: ${inspectAscii(value)}`)
}

/** Tries `format`, then the fallbacks; unixtime and float among them take only what is a number altogether. */
function mixedParser(options: TimeParserOptions, settings: TimeSettings): TimeParser {
  const formats = [options.format, ...(options.fallbacks ?? [])].filter(
    (format) => format !== undefined,
  )
  if (formats.length === 0) {
    throw new ConfigError(
      'time_type is :mixed but time_format and time_format_fallbacks is empty.',
      { position: settings.position },
    )
  }
  const parsers = formats.map((format): TimeParser => {
    if (format === 'unixtime' || format === 'float') {
      const parse = format === 'unixtime' ? parseUnixTime : parseFloatTime
      return (value) => (isWholeNumber(value) ? parse(value) : new ParserError(invalidTime(value)))
    }
    return textParser(format, options.timezone, settings)
  })
  return (value) => {
    for (const parse of parsers) {
      const time = parse(value)
      if (!(time instanceof ParserError)) return time
    }
    return new ParserError(`${invalidTime(value)}, even though fallbacks: ${formats.join(',')}`)
  }
}

/** Ruby's Float(): nothing but a number. */
function isWholeNumber(value: MsgValue): boolean {
  if (typeof value !== 'string') return isNumeric(value)
  return /^\s*[+-]?\d+(?:_\d+)*(?:\.\d+(?:_\d+)*)?(?:[eE][+-]?\d+)?\s*$/.test(value)
}

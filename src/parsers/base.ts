import type { PluginContext } from '../config/define.ts'
import {
  array,
  type Bound,
  bool,
  enumeration,
  hash,
  isWritten,
  positionOf,
  regexp,
  string,
  time,
} from '../config/schema.ts'
import { ConfigError } from '../core/errors.ts'
import { type ParseItem, ParserError } from '../core/parser.ts'
import { type EventTime, type MsgMap, type MsgValue, RawString } from '../core/value.ts'
import { RegexpInputError } from '../text/regexp.ts'
import { scrub } from '../text/ruby-text.ts'
import { parseZone } from '../time/zones.ts'
import { currentTime } from './event-time.ts'
import { createTimeParser, type TimeParser, type TimeSettings } from './time.ts'
import { createConverters } from './types.ts'

export const timeTypes = ['string', 'unixtime', 'float', 'mixed'] as const

/** The parameters that every parser has; a parser with other defaults replaces them. */
export const parserParams = {
  types: hash({
    description:
      'Types of fields, `field:type,…`: string, integer, float, bool, time[:timezone][:format], array[:delimiter].',
  }),
  time_key: string({ description: "The field that holds the event's time." }),
  time_type: enumeration(timeTypes, {
    description:
      'What the time field holds: text, seconds, seconds with a fraction, or one of several.',
    default: 'string',
  }),
  time_format: string({
    description:
      "The time's form, as strptime has it, or %iso8601. Without it the usual forms are tried.",
  }),
  time_format_fallbacks: array({
    description:
      'With time_type mixed: forms to try after time_format (unixtime and float are forms too).',
    default: [],
  }),
  localtime: bool({
    description: 'Times without a zone are local ones; false: UTC.',
    default: true,
  }),
  utc: bool({ description: 'Times without a zone are UTC.', default: false }),
  timezone: string({ description: 'The zone of times without one: +09:00, Asia/Tokyo.' }),
  keep_time_key: bool({ description: 'Leave the time field in the record.', default: false }),
  estimate_current_event: bool({
    description: 'A text without a time gets the current one; false: the event keeps its own.',
    default: true,
  }),
  null_value_pattern: regexp({
    description: 'A regular expression: text fields in which it is found become null.',
  }),
  null_empty_string: bool({ description: 'Empty text fields become null.', default: false }),
  timeout: time({
    description: 'Seconds one text may take.',
    differs:
      'What a text may cost is bounded by steps that grow with its length (1 Mi characters for an expression), not by a timer.',
  }),
} as const

/** The values of parserParams, as a parser that replaced some of them has them. */
export type ParserValues = Omit<Bound<{ params: typeof parserParams }>, 'timeType' | 'timeKey'> & {
  readonly timeType: (typeof timeTypes)[number]
  readonly timeKey: string | undefined
}

/** What all parsers do with a record they made. */
export interface ParserBase {
  /** Takes the time out of the record, converts fields by `types`, puts null where null is meant. */
  finish(record: MsgMap): ParseItem
  /** For parsers that leave the record as it is. */
  noTime(): EventTime | undefined
  /** What the time field says. */
  parseTime(value: MsgValue): EventTime | ParserError
  /** `finish` changes nothing in a record but its time field. */
  readonly isPlain: boolean
}

/** Throws ConfigError. */
export function createParserBase(
  params: ParserValues,
  context: Pick<PluginContext, 'host'>,
): ParserBase {
  const { clock } = context.host
  const settings = timeSettings(params, context)
  const parseTime = createTimeReader(params, context)
  const { timeKey, keepTimeKey, estimateCurrentEvent } = params
  const noTime = () => (estimateCurrentEvent ? currentTime(clock) : undefined)
  const convert = createConvert(params, settings)
  return {
    noTime,
    parseTime,
    isPlain: convert === undefined,
    finish(record) {
      let eventTime: EventTime | ParserError | undefined
      if (timeKey !== undefined && record.has(timeKey)) {
        eventTime = parseTime(record.get(timeKey) ?? null)
        if (!keepTimeKey) record.delete(timeKey)
      } else {
        eventTime = noTime()
      }
      if (eventTime instanceof ParserError) return eventTime
      convert?.(record)
      return { time: eventTime, record }
    },
  }
}

/** Reads the time field by the parser's parameters. Throws ConfigError. */
export function createTimeReader(
  params: ParserValues,
  context: Pick<PluginContext, 'host'>,
): TimeParser {
  return createTimeParser(
    {
      type: params.timeType,
      format: params.timeFormat,
      timezone: params.timezone,
      fallbacks: params.timeFormatFallbacks,
    },
    timeSettings(params, context),
  )
}

function timeSettings(params: ParserValues, context: Pick<PluginContext, 'host'>): TimeSettings {
  return {
    localtime: isLocal(params),
    clock: context.host.clock,
    position: positionOf(params, isWritten(params, 'timezone') ? 'timezone' : 'timeFormat'),
  }
}

/** `localtime`, or the opposite of `utc` where only that is written. */
function isLocal(params: ParserValues): boolean {
  if (isWritten(params, 'localtime')) {
    if (isWritten(params, 'utc') && params.localtime === params.utc) {
      throw new ConfigError('both of utc and localtime are specified, use only one of them', {
        position: positionOf(params, 'utc'),
      })
    }
    return params.localtime && params.timezone === undefined
  }
  return !params.utc
}

function createConvert(
  params: ParserValues,
  settings: TimeSettings,
): ((record: MsgMap) => void) | undefined {
  const { types, nullEmptyString } = params
  const isNull = nullMatcher(params)
  if (types === undefined && !nullEmptyString && isNull === undefined) return undefined
  const converters = createConverters(types ?? {}, {
    position: positionOf(params, 'types'),
    createTimeParser: (options) => createTimeParser(options, settings),
    isTimezone: (text) => parseZone(text) !== undefined,
  })
  return (record) => {
    for (const [key, value] of record) {
      if (value === null || value === false) continue
      if (isText(value) && ((nullEmptyString && value === '') || isNull?.(value))) {
        record.set(key, null)
        continue
      }
      const convert = typeof key === 'string' ? converters.get(key) : undefined
      if (convert !== undefined) record.set(key, convert(value))
    }
  }
}

const isText = (value: MsgValue): value is string | RawString =>
  typeof value === 'string' || value instanceof RawString

function nullMatcher(params: ParserValues): ((value: string | RawString) => boolean) | undefined {
  const matcher = params.nullValuePattern
  if (matcher === undefined) return undefined
  return (value) => {
    const text = typeof value === 'string' ? value : scrub(value.bytes, '?')
    try {
      return matcher.test(text)
    } catch (error) {
      // Too long or too costly to say: it stays what it is.
      if (!(error instanceof RegexpInputError)) throw error
      return false
    }
  }
}

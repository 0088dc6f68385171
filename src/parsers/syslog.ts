import { defineParser, type PluginContext } from '../config/define.ts'
import { bool, enumeration, isWritten, string } from '../config/schema.ts'
import { type ParseItem, ParserError } from '../core/parser.ts'
import type { EventTime, MsgMap } from '../core/value.ts'
import { compileRegexp, type LineMatcher, RegexpInputError } from '../text/regexp.ts'
import { createTimeReader, type ParserValues, parserParams } from './base.ts'
import { textOf } from './text-of.ts'
import type { TimeParser } from './time.ts'

const rfc5424Detection = /^<[0-9]{1,3}>[1-9]\d{0,2}/

/** What follows the time. */
const rfc3164Rest =
  '/\\A(?<host>[^ ]*) (?<ident>[^ :\\[]*)(?:\\[(?<pid>[0-9]+)\\])?(?:[^:]*:)? *(?<message>.*)$/'
const rfc5424Rest =
  '/\\A(?<host>[!-~]{1,255}) (?<ident>[!-~]{1,48}) (?<pid>[!-~]{1,128}) (?<msgid>[!-~]{1,32}) (?<extradata>(?:-|(?:\\[.*?(?<!\\\\)\\])))(?: (?<message>.+))?\\z/m'

/** Of RFC 5424 times without a fraction. */
const wholeSeconds = '%Y-%m-%dT%H:%M:%S%z'

export const syslogParser = defineParser({
  name: 'syslog',
  summary: 'Reads syslog lines: RFC 3164, RFC 5424, or either.',
  shape: {
    params: {
      ...parserParams,
      time_format: string({
        description: "The time's form, of RFC 3164, and of RFC 5424 where it is written.",
        default: '%b %d %H:%M:%S',
      }),
      with_priority: bool({
        description: 'Lines begin with a priority: <13>.',
        default: false,
      }),
      message_format: enumeration(['rfc3164', 'rfc5424', 'auto'], {
        description:
          'The form of the lines: that of RFC 3164, that of RFC 5424, or either, told apart line by line.',
        default: 'rfc3164',
      }),
      rfc5424_time_format: string({
        description: "The time's form in RFC 5424 lines.",
        default: '%Y-%m-%dT%H:%M:%S.%L%z',
      }),
      parser_engine: enumeration(['regexp', 'string'], {
        description: 'Accepted; both mean the same here.',
        default: 'regexp',
        alias: 'parser_type',
        differs:
          "Fluentd's string engine puts `pri` behind `host` and divides odd lines otherwise.",
      }),
      support_colonless_ident: bool({
        description: 'Of the string engine: a program name need not end in a colon.',
        default: true,
        differs: 'Accepted; such names are always taken.',
      }),
    },
  },
  create(params, context) {
    const { messageFormat, withPriority, keepTimeKey } = params
    const format5424 =
      messageFormat === 'rfc5424' && isWritten(params, 'timeFormat')
        ? (params.timeFormat ?? params.rfc5424TimeFormat)
        : params.rfc5424TimeFormat
    const old = new LineForm({
      priority: withPriority ? /^<(\d{1,3})>/ : undefined,
      timeFormat: params.timeFormat ?? '',
      times: readers(params, context, [params.timeFormat ?? '']),
      rest: rfc3164Rest,
      keepTime: keepTimeKey,
    })
    const recent = new LineForm({
      priority: withPriority ? /^<(\d{1,3})>\d{1,3}\s/ : undefined,
      timeFormat: format5424,
      times: readers(params, context, [format5424, wholeSeconds]),
      rest: rfc5424Rest,
      keepTime: keepTimeKey,
    })
    return {
      parse(value) {
        const text = textOf(value)
        if (text instanceof ParserError) return [text]
        const isRecent =
          messageFormat === 'auto' ? rfc5424Detection.test(text) : messageFormat === 'rfc5424'
        return [(isRecent ? recent : old).parse(text)]
      },
    }
  },
})

function readers(
  params: ParserValues,
  context: PluginContext,
  formats: readonly string[],
): TimeParser[] {
  return formats.map((format) =>
    createTimeReader(Object.create(params, { timeFormat: { value: format } }), context),
  )
}

interface LineOptions {
  /** Its first group is the number. undefined: lines have none. */
  readonly priority: RegExp | undefined
  readonly timeFormat: string
  /** Tried in order. */
  readonly times: readonly TimeParser[]
  readonly rest: string
  readonly keepTime: boolean
}

class LineForm {
  private readonly options: LineOptions
  private readonly rest: LineMatcher
  /** Words of a time, by the spaces of its format. */
  private readonly timeWords: number

  constructor(options: LineOptions) {
    this.options = options
    this.rest = compileRegexp(options.rest)
    this.timeWords = options.timeFormat.split(/ +/).length
  }

  parse(text: string): ParseItem {
    const { priority, keepTime } = this.options
    const record: MsgMap = new Map()
    let at = 0
    if (priority !== undefined) {
      const found = priority.exec(text)
      if (found === null) return undefined
      record.set('pri', Number(found[1]))
      at = found[0].length
    }
    const timeEnd = this.timeEnd(text, at)
    if (timeEnd < 0) return new ParserError('parse failed the text ends before its time does')
    const timeText = text.slice(at, timeEnd).replace(/ {2,}/g, ' ')
    const time = this.time(timeText)
    if (time instanceof ParserError) return time
    if (keepTime) record.set('time', timeText)
    const filled = this.fill(text.slice(timeEnd + 1), record)
    if (filled instanceof ParserError) return filled
    return filled ? { time, record } : undefined
  }

  /** The space behind the time, or -1. */
  private timeEnd(text: string, from: number): number {
    let at = from - 1
    for (let word = 0; word < this.timeWords; word++) {
      while (text[at + 1] === ' ') at += 1
      at = text.indexOf(' ', at + 1)
      if (at < 0) return -1
    }
    return at
  }

  private time(text: string): EventTime | ParserError | undefined {
    let time = this.options.times[0]?.(text)
    for (const parse of this.options.times.slice(1)) {
      if (time instanceof ParserError) time = parse(text)
    }
    return time
  }

  /** Puts the fields into the record. False: the rest of the line has not their form. */
  private fill(rest: string, record: MsgMap): boolean | ParserError {
    try {
      const values = this.rest.match(rest)
      this.rest.names.forEach((name, i) => {
        const value = values?.[i]
        if (value === undefined) return
        record.set(name, name === 'message' ? value.replace(/\r?\n$|\r$/, '') : value)
      })
      return values !== undefined
    } catch (error) {
      if (!(error instanceof RegexpInputError)) throw error
      return new ParserError(`parse failed ${error.message}`)
    }
  }
}

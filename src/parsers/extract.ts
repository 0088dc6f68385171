import type { PluginContext } from '../config/define.ts'
import {
  array,
  type Bound,
  bool,
  enumeration,
  isWritten,
  positionOf,
  section,
  string,
} from '../config/schema.ts'
import { ConfigError } from '../core/errors.ts'
import { ParserError } from '../core/parser.ts'
import type { EventTime, MsgMap } from '../core/value.ts'
import { fieldText } from '../text/field-text.ts'
import { currentTime } from './event-time.ts'
import { createTimeParser } from './time.ts'

type TimeType = 'float' | 'unixtime' | 'string' | 'mixed'

/** `<extract>`: tag and time out of the record's fields. */
export function extractSection(timeType: TimeType = 'float') {
  return section(
    {
      params: {
        tag_key: string({ description: "The field that holds the event's tag." }),
        keep_tag_key: bool({ description: 'Leave that field in the record.', default: false }),
        time_key: string({ description: "The field that holds the event's time." }),
        keep_time_key: bool({ description: 'Leave that field in the record.', default: false }),
        time_type: enumeration(['float', 'unixtime', 'string', 'mixed'] as const, {
          description:
            'What the time field holds: seconds with a fraction, seconds, text, or one of several.',
          default: timeType,
        }),
        time_format: string({ description: "The time's form, as strptime has it, or %iso8601." }),
        time_format_fallbacks: array({
          description: 'With time_type mixed: forms to try after time_format.',
          default: [],
        }),
        localtime: bool({
          description: 'Times without a zone are local ones; false: UTC.',
          default: true,
        }),
        utc: bool({ description: 'Times without a zone are UTC.', default: false }),
        timezone: string({ description: 'The zone of times without one.' }),
      },
    },
    { description: 'Takes tag and time out of the record.' },
  )
}

export type ExtractParams = Bound<ReturnType<typeof extractSection>['shape']>

/** What is known of an event before: `time` undefined: nothing. */
export interface Extracted {
  readonly tag: string
  readonly time: EventTime | undefined
  readonly record: MsgMap
}

/** Changes the record (fields that are not kept go), and says tag and time: the record's, the given ones, or now. */
export type Extractor = (event: Extracted) => { tag: string; time: EventTime }

/** `params` undefined: there is no section. Throws ConfigError. */
export function extractorOf(
  params: ExtractParams | undefined,
  context: Pick<PluginContext, 'host' | 'log'>,
): Extractor {
  const { clock } = context.host
  if (params === undefined) {
    return ({ tag, time }) => ({ tag, time: time ?? currentTime(clock) })
  }
  if (
    isWritten(params, 'localtime') &&
    isWritten(params, 'utc') &&
    params.localtime === params.utc
  ) {
    throw new ConfigError('both of utc and localtime are specified, use only one of them', {
      position: positionOf(params, 'utc'),
    })
  }
  const { tagKey, keepTagKey, timeKey, keepTimeKey } = params
  const parseTime = createTimeParser(
    {
      type: params.timeType,
      format: params.timeFormat,
      timezone: params.timezone,
      fallbacks: params.timeFormatFallbacks,
    },
    {
      localtime: isWritten(params, 'localtime') ? params.localtime : !params.utc,
      clock,
      position: positionOf(params, 'timeFormat'),
    },
  )
  return ({ tag, time, record }) => {
    let own = tag
    const text = tagKey === undefined ? undefined : record.get(tagKey)
    if (tagKey !== undefined && text !== undefined && text !== null) {
      own = fieldText(text)
      if (!keepTagKey) record.delete(tagKey)
    }
    let at = time
    const value = timeKey === undefined ? undefined : record.get(timeKey)
    if (timeKey !== undefined && value !== undefined && value !== null) {
      const parsed = parseTime(value)
      if (parsed instanceof ParserError) {
        context.log.warn('the time could not be read: it is now', {
          time_key: timeKey,
          error: parsed,
        })
      } else {
        at = parsed
      }
      if (!keepTimeKey) record.delete(timeKey)
    }
    return { tag: own, time: at ?? currentTime(clock) }
  }
}

import { defineParser } from '../config/define.ts'
import { bool, plugin, string } from '../config/schema.ts'
import { type ParseItem, ParserError } from '../core/parser.ts'
import type { MsgMap } from '../core/value.ts'
import { createParserBase, parserParams } from './base.ts'
import { textOf } from './text-of.ts'

/** As fluent-plugin-parser-cri 0.1. */
export const criParser = defineParser({
  name: 'cri',
  summary:
    'Reads lines of the logs that containerd and CRI-O write: time, stream, tag and message.',
  description:
    'Lines that were divided are joined by the concat filter (use_partial_cri_logtag). With <parse> the time is what that finds.',
  shape: {
    params: {
      ...parserParams,
      time_key: string({ description: "The field that holds the event's time.", default: 'time' }),
      time_format: string({ description: "The time's form.", default: '%Y-%m-%dT%H:%M:%S.%L%z' }),
      keep_time_key: bool({ description: 'Leave the time in the record.', default: true }),
      merge_cri_fields: bool({
        description: 'Put stream and logtag beside the fields that <parse> makes of the message.',
        default: true,
      }),
    },
    sections: {
      parse: plugin('parser', { description: 'How to parse the message; else it is one field.' }),
    },
  },
  create(params, context) {
    const base = createParserBase(params, context)
    const inner = params.parse === undefined ? undefined : context.createParser(params.parse)
    return {
      parse(value) {
        const text = textOf(value)
        if (text instanceof ParserError) return [text]
        const line = fieldsOf(text)
        if (line === undefined) return [undefined]
        const { time, stream, logtag, message } = line
        if (inner === undefined) {
          return [
            base.finish(
              new Map([
                ['stream', stream],
                ['logtag', logtag],
                ['message', message],
                [params.timeKey, time],
              ]) as MsgMap,
            ),
          ]
        }
        return inner.parse(message).map((item): ParseItem => {
          if (params.mergeCriFields && item !== undefined && !(item instanceof ParserError)) {
            item.record.set('stream', stream)
            item.record.set('logtag', logtag)
          }
          return item
        })
      },
    }
  },
})

/** Three words and the rest, which may be empty, and begin with blanks. */
function fieldsOf(text: string) {
  const first = text.indexOf(' ')
  const second = text.indexOf(' ', first + 1)
  const third = text.indexOf(' ', second + 1)
  if (first <= 0 || second <= first + 1 || third <= second + 1) return undefined
  return {
    time: text.slice(0, first),
    stream: text.slice(first + 1, second),
    logtag: text.slice(second + 1, third),
    message: text.slice(third + 1),
  }
}

import { defineParser, type PluginContext } from '../config/define.ts'
import { enumeration, integer, isWritten, string } from '../config/schema.ts'
import { maxRecordItems } from '../core/batch.ts'
import { type ParseItem, type Parser, ParserError } from '../core/parser.ts'
import { type MsgValue, RawString } from '../core/value.ts'
import type { JsonPacker } from '../kernel/types.ts'
import { JsonError, parseJson } from '../text/json.ts'
import {
  createParserBase,
  type ParserBase,
  type ParserValues,
  parserParams,
  timeTypes,
} from './base.ts'

/** An object, or an array of objects, each of which is a record. */
export const jsonParser = defineParser({
  name: 'json',
  summary: 'Reads JSON objects.',
  shape: {
    params: {
      ...parserParams,
      time_key: string({ description: "The field that holds the event's time.", default: 'time' }),
      time_type: enumeration(timeTypes, {
        description:
          'What the time field holds: text, seconds, seconds with a fraction, or one of several. With a time_format: string.',
        default: 'float',
      }),
      json_parser: enumeration(['oj', 'yajl', 'json'], {
        description:
          'How strict: oj takes NaN, Infinity and control characters in strings; yajl and json do not.',
        default: 'oj',
      }),
      stream_buffer_size: integer({
        description: 'Bytes read at once from a stream.',
        default: 8192,
        differs: 'Accepted; reading is not done by the parser here.',
      }),
    },
  },
  create(params, context) {
    const textTime = isWritten(params, 'timeFormat') && !isWritten(params, 'timeType')
    const base = createParserBase(textTime ? withTextTime(params) : params, context)
    const options = { lenient: params.jsonParser === 'oj' }
    const item = (value: MsgValue): ParseItem =>
      value instanceof Map ? base.finish(value) : undefined
    return {
      ...(base.isPlain && { pack: packing(params, base, context, options.lenient) }),
      parse(text) {
        const value = read(text, options)
        return Array.isArray(value) ? value.map(item) : [item(value)]
      },
    }
  },
})

/** Entries of objects from their bytes; what is rare, and what is wrong, is left to `parse`. */
function packing(
  params: Pick<ParserValues, 'timeKey' | 'keepTimeKey'>,
  base: ParserBase,
  context: PluginContext,
  lenient: boolean,
): NonNullable<Parser['pack']> {
  const { timeKey, keepTimeKey } = params
  let packer: JsonPacker | undefined
  return (text, start, end) => {
    packer ??= context.kernel.createJsonPacker({ timeKey, keepTimeKey, lenient })
    if (!packer.pack(text, start, end)) return undefined
    const value = packer.time()
    const time = value === undefined ? base.noTime() : base.parseTime(value)
    return time === undefined || time instanceof ParserError ? undefined : packer.entry(time)
  }
}

/** The same values, places included, with time_type string. */
function withTextTime<P extends object>(params: P): P & { timeType: 'string' } {
  return Object.create(params, { timeType: { value: 'string' } })
}

/** null: no JSON, or one of too many values. */
function read(text: MsgValue, options: { lenient: boolean }): MsgValue {
  if (typeof text !== 'string' && !(text instanceof RawString)) return null
  try {
    const limits = { ...options, itemLimit: maxRecordItems }
    return parseJson(typeof text === 'string' ? text : text.bytes, limits)
  } catch (error) {
    if (error instanceof JsonError) return null
    throw error
  }
}

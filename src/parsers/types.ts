import { ConfigError, type Position } from '../core/errors.ts'
import { ParserError } from '../core/parser.ts'
import { type MsgValue, RawString } from '../core/value.ts'
import { fieldText } from '../text/field-text.ts'
import { jsonFloat } from '../text/json.ts'
import { toFloat, toInteger } from '../text/ruby-number.ts'
import { splitText } from '../text/split.ts'
import type { TimeParser, TimeParserOptions } from './time.ts'

export { toFloat, toInteger } from '../text/ruby-number.ts'

/** The `types` parameter: what becomes of a field's value. Never throws because of the value. */
export type Convert = (value: MsgValue) => MsgValue

interface ConverterContext {
  readonly position: Position | undefined
  createTimeParser(options: TimeParserOptions): TimeParser
  isTimezone(text: string): boolean
}

/** `field:type` or `field:type:option`. Throws ConfigError. */
export function createConverters(
  types: Readonly<Record<string, unknown>>,
  context: ConverterContext,
): ReadonlyMap<string, Convert> {
  return new Map(
    Object.entries(types).map(([field, written]) => {
      const definition = String(written)
      const colon = definition.indexOf(':')
      const type = colon < 0 ? definition : definition.slice(0, colon)
      const option = colon < 0 ? undefined : definition.slice(colon + 1)
      const convert = converter(type, option, context)
      if (convert === undefined) {
        throw new ConfigError(`unknown value conversion for key:'${field}', type:'${type}'`, {
          position: context.position,
          hint: 'types are string, integer, float, bool, time and array',
        })
      }
      return [field, convert]
    }),
  )
}

function converter(
  type: string,
  option: string | undefined,
  context: ConverterContext,
): Convert | undefined {
  switch (type) {
    case 'string':
      return (value) => (value instanceof RawString ? value : fieldText(value))
    case 'integer':
      return toInteger
    case 'float':
      return (value) => jsonFloat(toFloat(value))
    case 'bool':
      return (value) => truthy.has(fieldText(value).toLowerCase())
    case 'time':
      return timeConverter(option, context)
    case 'array':
      return (value) => splitText(fieldText(value), option ?? ',')
    default:
      return undefined
  }
}

const truthy = new Set(['true', 'yes', '1'])

/** `time`, `time:FORMAT`, `time:TIMEZONE:FORMAT`; a FORMAT of unixtime, float or mixed is a time_type. */
function timeConverter(option: string | undefined, context: ConverterContext): Convert {
  const colon = option?.indexOf(':') ?? -1
  const before = option?.slice(0, colon) ?? ''
  const zoned = colon >= 0 && context.isTimezone(before)
  const format = zoned ? option?.slice(colon + 1) : option
  const isType = format === 'unixtime' || format === 'float' || format === 'string'
  const parser = context.createTimeParser({
    type: isType ? format : 'string',
    format: isType ? undefined : format,
    timezone: zoned ? before : undefined,
  })
  return (value) => {
    const time = parser(value)
    return time instanceof ParserError ? null : time
  }
}

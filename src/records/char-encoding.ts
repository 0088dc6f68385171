import { positionOf } from '../config/schema.ts'
import { ConfigError } from '../core/errors.ts'
import { type MsgValue, RawString } from '../core/value.ts'

export type Convert = (value: MsgValue) => MsgValue

/**
 * record_modifier's char_encoding: `from:utf-8` makes UTF-8 of all texts of the record, with U+FFFD for what is none in
 * `from`. `from` alone says what they are, and changes no byte: undefined. Throws ConfigError.
 */
export function createConvert(params: {
  readonly charEncoding: string | undefined
}): Convert | undefined {
  const { charEncoding } = params
  if (charEncoding === undefined) return undefined
  const [from = '', to] = charEncoding.split(':', 2)
  const position = positionOf(params, 'charEncoding')
  const decoder = decoderOf(from)
  if (decoder === undefined) throw new ConfigError(`unknown encoding name - ${from}`, { position })
  if (to === undefined) return undefined
  if (!/^utf-?8$/i.test(to)) {
    throw new ConfigError(`texts cannot be converted to ${to}`, {
      position,
      hint: 'they leave in UTF-8: write char_encoding from:utf-8',
    })
  }
  const convert: Convert = (value) => {
    if (typeof value === 'string')
      return isUtf8Name(from) ? value : decoder.decode(Buffer.from(value))
    if (value instanceof RawString) return decoder.decode(value.bytes)
    if (value instanceof Uint8Array) return decoder.decode(value)
    if (Array.isArray(value)) return value.map(convert)
    if (value instanceof Map) return new Map([...value].map(([key, item]) => [key, convert(item)]))
    return value
  }
  return convert
}

const isUtf8Name = (name: string) => /^utf-?8$/i.test(name)

/** undefined: there is no such encoding. */
function decoderOf(name: string): { decode(bytes: Uint8Array): string } | undefined {
  const label = /^(?:ascii-8bit|binary|us-ascii)$/i.test(name) ? 'utf-8' : name
  try {
    return new TextDecoder(label, { ignoreBOM: true })
  } catch (error) {
    if (error instanceof RangeError) return undefined
    throw error
  }
}

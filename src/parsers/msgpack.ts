import { defineParser } from '../config/define.ts'
import { maxDepth, maxRecordItems } from '../core/batch.ts'
import { type ParseItem, ParserError } from '../core/parser.ts'
import { type MsgValue, RawString } from '../core/value.ts'
import { Reader } from '../msgpack/decode.ts'
import { arrayItems, countItems, headLength, MsgpackError, skipValue } from '../msgpack/walk.ts'
import { createParserBase, parserParams } from './base.ts'

/** A map, or an array of maps, each of which is a record; several of them may follow each other. */
export const msgpackParser = defineParser({
  name: 'msgpack',
  summary: 'Reads MessagePack maps, also several in one value.',
  description:
    'The field holds bytes (bin, or a string). Bytes that end inside a value are an error: they are not completed by those of the next event.',
  shape: { params: parserParams },
  create(params, context) {
    const base = createParserBase(params, context)
    const next = (reader: Reader, bytes: Uint8Array, depth: number): ParseItem => {
      const end = skipValue(bytes, reader.at, bytes.length, depth)
      if (countItems(bytes, reader.at, end) > maxRecordItems) {
        reader.at = end
        return undefined
      }
      const value = reader.value(depth)
      return value instanceof Map ? base.finish(value) : undefined
    }
    return {
      parse(value) {
        const bytes = bytesOf(value)
        if (bytes === undefined) return [new ParserError('parse failed: the field holds no bytes')]
        const items: ParseItem[] = []
        const reader = new Reader(bytes)
        try {
          while (reader.at < bytes.length) {
            const length = arrayItems(bytes, reader.at)
            const depth = length === undefined ? maxDepth : maxDepth - 1
            if (length !== undefined) reader.at += headLength(bytes[reader.at] as number)
            for (let left = length ?? 1; left > 0; left -= 1) items.push(next(reader, bytes, depth))
          }
        } catch (error) {
          if (!(error instanceof MsgpackError)) throw error
          items.push(new ParserError(`parse failed: ${error.message}`))
        }
        return items
      },
    }
  },
})

function bytesOf(value: MsgValue): Uint8Array | undefined {
  if (value instanceof Uint8Array) return value
  if (value instanceof RawString) return value.bytes
  return typeof value === 'string' ? Buffer.from(value) : undefined
}

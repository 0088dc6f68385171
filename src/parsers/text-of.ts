import { ParserError } from '../core/parser.ts'
import { type MsgValue, RawString } from '../core/value.ts'
import { inspectAscii } from '../text/ruby-ascii.ts'

/** The text that a parser of lines works on, or why there is none. */
export function textOf(value: MsgValue): string | ParserError {
  if (typeof value === 'string') return value
  if (value instanceof RawString) {
    return new ParserError('invalid byte sequence in UTF-8', { invalidBytes: true })
  }
  return new ParserError(`parse failed ${inspectAscii(value).slice(0, 80)} is no string`)
}

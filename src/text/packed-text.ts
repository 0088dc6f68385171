import { stringLength, textAt, valueAt } from '../msgpack/entries.ts'
import { headLength } from '../msgpack/walk.ts'
import { fieldText } from './field-text.ts'
import { scrub } from './ruby-text.ts'

/**
 * The value at `at` as text, by Ruby's to_s: what an expression is tried on. -1: it is missing, and the text empty. Bytes that
 * are not UTF-8 are question marks.
 */
export function packedText(packed: Uint8Array, at: number): string {
  if (at < 0) return ''
  const text = textAt(packed, at)
  if (text === undefined) return fieldText(valueAt(packed, at))
  if (!text.includes('\ufffd')) return text
  const start = at + headLength(packed[at] as number)
  return scrub(packed.subarray(start, start + stringLength(packed, at)), '?')
}

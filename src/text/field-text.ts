import { type MsgValue, RawString } from '../core/value.ts'
import { rubyString } from './ruby-ascii.ts'
import { scrub } from './ruby-text.ts'

/**
 * A field's value as text, by Ruby's to_s: what a pattern is tried on, and what a placeholder between other text
 * becomes. A missing field is empty; bytes that are not UTF-8 are question marks.
 */
export function fieldText(value: MsgValue | undefined): string {
  if (typeof value === 'string') return value
  if (value === undefined || value === null) return ''
  if (value instanceof RawString) return scrub(value.bytes, '?')
  if (value instanceof Uint8Array) return scrub(value, '?')
  return rubyString(value)
}

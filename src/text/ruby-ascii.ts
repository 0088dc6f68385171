import {
  EventTime,
  type MsgExt,
  MsgFloat,
  type MsgMap,
  type MsgValue,
  RawString,
} from '../core/value.ts'
import { rubyFloat } from './ruby-text.ts'

/**
 * Values as Fluentd's formatters write them: by Ruby's `to_s` and `inspect`, in a process whose strings are binary by default,
 * so that `inspect` escapes whatever is not ASCII. (ruby-text.ts has `inspect` as it is with UTF-8.)
 */

/** A float as Oj writes it: whole numbers of up to 63 bits in full, and no minus zero. */
export function ojFloat(value: number): string {
  const whole = Number.isInteger(value) && value >= -(2 ** 63) && value < 2 ** 63
  return whole ? `${BigInt(value)}.0` : rubyFloat(value)
}

/** Ruby's `to_s`. Bytes that are not UTF-8 become U+FFFD. `time` writes an EventTime inside an array or map. */
export function rubyString(value: MsgValue, time: TimeText = utcText): string {
  if (typeof value === 'string') return value
  if (value === null) return ''
  if (value instanceof Uint8Array) return textOf(value)
  if (value instanceof RawString) return textOf(value.bytes)
  if (value instanceof EventTime) return String(value.seconds)
  return inspectAscii(value, time)
}

export type TimeText = (time: EventTime) => string
const utcText: TimeText = (time) => String(time.seconds)

/** Ruby's `inspect`, in ASCII. */
export function inspectAscii(value: MsgValue, time: TimeText = utcText): string {
  if (typeof value === 'string') return inspectText(value)
  if (value === null) return 'nil'
  if (typeof value === 'number') return Number.isInteger(value) ? String(value) : rubyFloat(value)
  if (typeof value === 'boolean' || typeof value === 'bigint') return String(value)
  if (value instanceof MsgFloat) return rubyFloat(value.value)
  if (Array.isArray(value)) return `[${value.map((item) => inspectAscii(item, time)).join(', ')}]`
  if (value instanceof Map) return inspectMap(value, time)
  if (value instanceof RawString) return inspectRaw(value.bytes)
  if (value instanceof Uint8Array) return inspectBytes(value)
  if (value instanceof EventTime) return time(value)
  return inspectExt(value)
}

function inspectMap(map: MsgMap, time: TimeText): string {
  const pairs: string[] = []
  for (const [key, value] of map)
    pairs.push(`${inspectAscii(key, time)}=>${inspectAscii(value, time)}`)
  return `{${pairs.join(', ')}}`
}

function inspectExt(ext: MsgExt): string {
  const payload = inspectBytes(ext.bytes)
  return `#<struct MessagePack::ExtensionValue type=${ext.type}, payload=${payload}>`
}

const letterEscapes: Readonly<Record<string, string>> = {
  '\n': '\\n',
  '\r': '\\r',
  '\t': '\\t',
  '\f': '\\f',
  '\v': '\\v',
  '\b': '\\b',
  '\x07': '\\a',
  '\x1b': '\\e',
  '"': '\\"',
  '\\': '\\\\',
  '\x7f': '\\x7F',
}

function inspectText(text: string): string {
  return `"${escapeText(text)}"`
}

function escapeText(text: string): string {
  return text.replace(/[\x00-\x1f"\\\x7f]|#(?=[{$@])|[^\x00-\x7f]/gu, (char) => {
    if (char === '#') return '\\#'
    const known = letterEscapes[char]
    if (known !== undefined) return known
    const code = char.codePointAt(0) ?? 0
    const hex = code.toString(16).toUpperCase()
    return code > 0xffff ? `\\u{${hex}}` : `\\u${hex.padStart(4, '0')}`
  })
}

/** A str that is not UTF-8: its good parts as text, each other byte in hex. */
function inspectRaw(bytes: Uint8Array): string {
  let text = ''
  let from = 0
  while (from < bytes.length) {
    const good = goodLength(bytes, from)
    text += escapeText(textOf(bytes.subarray(from, from + good)))
    from += good
    if (from < bytes.length) text += hexByte(bytes[from++]!)
  }
  return `"${text}"`
}

/** Bytes from `from` on that are UTF-8. */
function goodLength(bytes: Uint8Array, from: number): number {
  let p = from
  while (p < bytes.length) {
    const head = bytes[p]!
    const length = head < 0x80 ? 1 : head < 0xe0 ? 2 : head < 0xf0 ? 3 : 4
    const part = bytes.subarray(p, p + length)
    if (
      part.length < length ||
      (length > 1 && textOf(part).includes('\ufffd') && !isReplacement(part))
    )
      break
    p += length
  }
  return p - from
}

function isReplacement(part: Uint8Array): boolean {
  return part.length === 3 && part[0] === 0xef && part[1] === 0xbf && part[2] === 0xbd
}

function inspectBytes(bytes: Uint8Array): string {
  const text = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString('latin1')
  const escaped = text.replace(/[\x00-\x1f"\\\x7f-\xff]|#(?=[{$@])/g, (char) => {
    if (char === '#') return '\\#'
    return letterEscapes[char] ?? hexByte(char.charCodeAt(0))
  })
  return `"${escaped}"`
}

function hexByte(byte: number): string {
  return `\\x${byte.toString(16).toUpperCase().padStart(2, '0')}`
}

function textOf(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString('utf8')
}

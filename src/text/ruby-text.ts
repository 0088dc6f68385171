import { EventTime, MsgExt, MsgFloat, type MsgValue, RawString } from '../core/value.ts'

/**
 * Values as Ruby 3.1 writes them into text (`to_s`, and `inspect` for what is inside arrays and hashes): what a pattern is
 * tried on where a field is no string, and what a placeholder inside other text becomes.
 */
export function rubyText(value: MsgValue | undefined): string {
  if (typeof value === 'string') return value
  if (value === null || value === undefined) return ''
  if (value instanceof RawString || value instanceof Uint8Array) {
    return scrub(value instanceof RawString ? value.bytes : value, '?')
  }
  return rubyInspect(value)
}

/** Ruby's `inspect`. */
export function rubyInspect(value: MsgValue): string {
  if (typeof value === 'string') return inspectString(value)
  if (value === null) return 'nil'
  if (typeof value === 'boolean' || typeof value === 'bigint') return String(value)
  if (typeof value === 'number') {
    return Number.isSafeInteger(value) ? String(value) : rubyFloat(value)
  }
  if (value instanceof MsgFloat) return rubyFloat(value.value)
  if (value instanceof RawString) return inspectBytes(value.bytes)
  if (value instanceof Uint8Array) return inspectBytes(value)
  if (value instanceof EventTime) return String(value.seconds)
  if (value instanceof MsgExt) return `#<MessagePack::ExtensionValue type=${value.type}>`
  if (Array.isArray(value)) return `[${value.map(rubyInspect).join(', ')}]`
  const pairs = [...value].map(([key, item]) => `${rubyInspect(key)}=>${rubyInspect(item)}`)
  return `{${pairs.join(', ')}}`
}

/** Ruby's Float#to_s: 1.0, 1.0e+16, 1.0e-05. */
export function rubyFloat(value: number): string {
  if (Number.isNaN(value)) return 'NaN'
  if (!Number.isFinite(value)) return value > 0 ? 'Infinity' : '-Infinity'
  if (value === 0) return Object.is(value, -0) ? '-0.0' : '0.0'
  const [mantissa = '', exponentText = '0'] = value.toExponential().split('e')
  const exponent = Number(exponentText)
  if (exponent < -4 || exponent >= 16) {
    const digits = mantissa.includes('.') ? mantissa : `${mantissa}.0`
    const sign = exponent < 0 ? '-' : '+'
    return `${digits}e${sign}${String(Math.abs(exponent)).padStart(2, '0')}`
  }
  return Number.isInteger(value) ? `${value}.0` : plainDecimal(mantissa, exponent)
}

/** JavaScript leaves plain notation below 1e-6 only, so this is a matter of the digits' place alone. */
function plainDecimal(mantissa: string, exponent: number): string {
  const negative = mantissa.startsWith('-')
  const digits = mantissa.replace(/[-.]/g, '')
  const text =
    exponent < 0
      ? `0.${'0'.repeat(-exponent - 1)}${digits}`
      : `${digits.slice(0, exponent + 1)}.${digits.slice(exponent + 1)}`
  return negative ? `-${text}` : text
}

const escapes: Readonly<Record<string, string | undefined>> = {
  '"': '\\"',
  '\\': '\\\\',
  '\n': '\\n',
  '\r': '\\r',
  '\t': '\\t',
  '\f': '\\f',
  '\v': '\\v',
  '\b': '\\b',
  '\x07': '\\a',
  '\x1b': '\\e',
}

function inspectString(text: string): string {
  const inside = text.replace(/["\\]|#(?=[{$@])|[^\p{L}\p{M}\p{N}\p{P}\p{S} ]/gu, (found) => {
    if (found === '#') return '\\#'
    const known = escapes[found]
    if (known !== undefined) return known
    const code = found.codePointAt(0) as number
    // Spaces other than the plain one are printed as they are.
    if (/\p{Zs}/u.test(found) || /\p{Co}/u.test(found)) return found
    if (code < 0x20 || code === 0x7f) return `\\x${hex(code, 2)}`
    return code > 0xffff ? `\\u{${hex(code, 1)}}` : `\\u${hex(code, 4)}`
  })
  return `"${inside}"`
}

/** Text with its bytes that are no UTF-8 as \xNN. */
function inspectBytes(bytes: Uint8Array): string {
  const parts = decodePieces(bytes, (invalid) =>
    [...invalid].map((byte) => `\\x${hex(byte, 2)}`).join(''),
  )
  const texts = parts.map((part) =>
    part.valid ? inspectString(part.text).slice(1, -1) : part.text,
  )
  return `"${texts.join('')}"`
}

function hex(code: number, width: number): string {
  return code.toString(16).toUpperCase().padStart(width, '0')
}

/** The text of the bytes, with `replacement` for each sequence that is not UTF-8 (Ruby's String#scrub). Linear. */
export function scrub(bytes: Uint8Array, replacement: string): string {
  return decodePieces(bytes, () => replacement)
    .map((part) => part.text)
    .join('')
}

interface Piece {
  readonly valid: boolean
  readonly text: string
}

/** Runs of UTF-8, and what `replace` makes of each maximal sequence between that is none. */
function decodePieces(bytes: Uint8Array, replace: (invalid: Uint8Array) => string): Piece[] {
  const view = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length)
  const pieces: Piece[] = []
  let validFrom = 0
  let at = 0
  const flush = () => {
    if (validFrom < at) pieces.push({ valid: true, text: view.toString('utf8', validFrom, at) })
  }
  while (at < view.length) {
    const length = sequenceLength(view, at)
    if (length > 0) {
      at += length
      continue
    }
    flush()
    pieces.push({ valid: false, text: replace(view.subarray(at, at - length)) })
    at -= length
    validFrom = at
  }
  flush()
  return pieces
}

/**
 * Bytes of the UTF-8 sequence at `at`; negative: as many bytes there are the beginning of one that is not completed, or one
 * that none begins with (Unicode 15, table 3-7 and "maximal subpart").
 */
function sequenceLength(bytes: Uint8Array, at: number): number {
  const first = bytes[at] as number
  if (first < 0x80) return 1
  if (first < 0xc2 || first > 0xf4) return -1
  const wanted = first < 0xe0 ? 2 : first < 0xf0 ? 3 : 4
  const low = first === 0xe0 ? 0xa0 : first === 0xf0 ? 0x90 : 0x80
  const high = first === 0xed ? 0x9f : first === 0xf4 ? 0x8f : 0xbf
  for (let i = 1; i < wanted; i++) {
    const next = bytes[at + i] ?? 0
    if (next < (i === 1 ? low : 0x80) || next > (i === 1 ? high : 0xbf)) return -i
  }
  return wanted
}

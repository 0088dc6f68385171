/** ASN.1 in DER (X.690), as much of it as certificates need. All functions give whole values: tag, length, contents. */

function tagged(tag: number, ...contents: readonly Uint8Array[]): Uint8Array {
  const length = contents.reduce((sum, part) => sum + part.byteLength, 0)
  return Buffer.concat([Uint8Array.of(tag, ...lengthBytes(length)), ...contents])
}

function lengthBytes(length: number): number[] {
  if (length < 0x80) return [length]
  const bytes: number[] = []
  for (let rest = length; rest > 0; rest = Math.floor(rest / 256)) bytes.unshift(rest % 256)
  return [0x80 | bytes.length, ...bytes]
}

export const sequence = (...parts: readonly Uint8Array[]) => tagged(0x30, ...parts)
export const set = (...parts: readonly Uint8Array[]) => tagged(0x31, ...parts)
export const octets = (bytes: Uint8Array) => tagged(0x04, bytes)
export const nothing = () => tagged(0x05)
export const boolean = (value: boolean) => tagged(0x01, Uint8Array.of(value ? 0xff : 0))
export const utf8 = (text: string) => tagged(0x0c, Buffer.from(text, 'utf8'))
export const printable = (text: string) => tagged(0x13, Buffer.from(text, 'latin1'))

/** [number], constructed around `parts`: EXPLICIT. */
export const explicit = (number: number, ...parts: readonly Uint8Array[]) =>
  tagged(0xa0 | number, ...parts)

/** [number] in place of the type's own tag: IMPLICIT, of a type that is not constructed. */
export const implicit = (number: number, contents: Uint8Array) => tagged(0x80 | number, contents)

/** `unusedBits` of the last byte do not count. */
export const bits = (bytes: Uint8Array, unusedBits = 0) =>
  tagged(0x03, Uint8Array.of(unusedBits), bytes)

/** A positive integer, most significant byte first. */
export function integer(magnitude: Uint8Array): Uint8Array {
  const first = magnitude.findIndex((byte) => byte !== 0)
  const bytes = first < 0 ? Uint8Array.of(0) : magnitude.subarray(first)
  // The first bit is the sign.
  return (bytes[0] as number) & 0x80 ? tagged(0x02, Uint8Array.of(0), bytes) : tagged(0x02, bytes)
}

/** An object identifier such as `2.5.4.3`. */
export function oid(dotted: string): Uint8Array {
  const [first = 0, second = 0, ...rest] = dotted.split('.').map(Number)
  return tagged(0x06, Uint8Array.from([first * 40 + second, ...rest].flatMap(base128)))
}

function base128(value: number): number[] {
  const bytes = [value & 0x7f]
  for (let rest = Math.floor(value / 128); rest > 0; rest = Math.floor(rest / 128)) {
    bytes.unshift(0x80 | (rest & 0x7f))
  }
  return bytes
}

/** A moment, to the second: with two digits of the year up to 2049, with four from then on (RFC 5280, 4.1.2.5). */
export function moment(wallMs: number): Uint8Array {
  const text = `${new Date(wallMs).toISOString().replace(/[-:T]/g, '').slice(0, 14)}Z`
  const year = Number(text.slice(0, 4))
  return year < 2050
    ? tagged(0x17, Buffer.from(text.slice(2), 'latin1'))
    : tagged(0x18, Buffer.from(text, 'latin1'))
}

/** A value inside other bytes. */
export interface Value {
  readonly tag: number
  /** Tag, length and contents. */
  readonly whole: Uint8Array
  readonly contents: Uint8Array
}

/** The values that stand one after the other in `bytes`. Throws where a length does not fit. */
export function valuesIn(bytes: Uint8Array): Value[] {
  const values: Value[] = []
  for (let at = 0; at < bytes.byteLength; ) {
    const { start, end } = contentsAt(bytes, at)
    values.push({
      tag: bytes[at] as number,
      whole: bytes.subarray(at, end),
      contents: bytes.subarray(start, end),
    })
    at = end
  }
  return values
}

function contentsAt(bytes: Uint8Array, at: number): { start: number; end: number } {
  const first = bytes[at + 1] ?? 0x80
  const count = first & 0x7f
  let start = at + 2
  let length = first
  if (first >= 0x80) {
    if (count === 0 || count > 4 || start + count > bytes.byteLength) throw new Error('no DER')
    length = 0
    for (const end = start + count; start < end; start++) {
      length = length * 256 + (bytes[start] as number)
    }
  }
  const end = start + length
  if (end > bytes.byteLength) throw new Error('no DER: a length is larger than what there is')
  return { start, end }
}

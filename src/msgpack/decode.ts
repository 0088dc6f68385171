import { isUtf8 } from 'node:buffer'
import { maxDepth } from '../core/batch.ts'
import {
  EventTime,
  MsgExt,
  MsgFloat,
  type MsgMap,
  type MsgValue,
  RawString,
} from '../core/value.ts'
import { headLength, MsgpackError, uint16At, uint32At } from './walk.ts'

/** The value at `at`. What follows it does not matter. Throws MsgpackError. */
export function decode(bytes: Uint8Array, at = 0, end = bytes.length): MsgValue {
  return new Reader(bytes, at, end).value()
}

/**
 * Reads values one after another. What it returns shares no memory with `bytes`. Each length is checked against `end`
 * before anything is made from it, and a declared count allocates nothing.
 */
export class Reader {
  /** Offset of what is read next. */
  at: number
  readonly #bytes: Buffer
  readonly #end: number

  constructor(bytes: Uint8Array, at = 0, end = bytes.length) {
    this.#bytes = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length)
    this.at = at
    this.#end = end
  }

  /** The next value, with at most `depth` levels of arrays and maps. Throws MsgpackError. */
  value(depth = maxDepth): MsgValue {
    const p = this.at
    if (p >= this.#end) throw new MsgpackError('truncated', p)
    const head = this.#bytes[p]!
    this.at = p + headLength(head)
    if (this.at > this.#end) throw new MsgpackError('truncated', this.#end)
    if (head < 0x80) return head
    if (head < 0x90) return this.#map(head & 15, depth)
    if (head < 0xa0) return this.#array(head & 15, depth)
    if (head < 0xc0) return this.#text(head & 31)
    if (head >= 0xe0) return head - 0x100
    return this.#wide(head, p, depth)
  }

  #wide(head: number, p: number, depth: number): MsgValue {
    const bytes = this.#bytes
    switch (head) {
      case 0xc0:
        return null
      case 0xc2:
        return false
      case 0xc3:
        return true
      case 0xc4:
      case 0xc5:
      case 0xc6:
        return this.#copy(this.#length(head - 0xc4, p))
      case 0xc7:
      case 0xc8:
      case 0xc9:
        return this.#ext(this.#length(head - 0xc7, p))
      case 0xd4:
      case 0xd5:
      case 0xd6:
      case 0xd7:
      case 0xd8:
        this.at = p + 1
        return this.#ext(1 << (head - 0xd4))
      case 0xca:
        return floatOf(bytes.readFloatBE(p + 1))
      case 0xcb:
        return floatOf(bytes.readDoubleBE(p + 1))
      case 0xd9:
      case 0xda:
      case 0xdb:
        return this.#text(this.#length(head - 0xd9, p))
      case 0xdc:
        return this.#array(uint16At(bytes, p + 1), depth)
      case 0xdd:
        return this.#array(uint32At(bytes, p + 1), depth)
      case 0xde:
        return this.#map(uint16At(bytes, p + 1), depth)
      case 0xdf:
        return this.#map(uint32At(bytes, p + 1), depth)
      case 0xc1:
        throw new MsgpackError('invalid_byte', p)
      default:
        return integerAt(bytes, p)
    }
  }

  /** The length field after a head: of one byte, two or four by `width` 0, 1, 2. */
  #length(width: number, p: number): number {
    if (width === 0) return this.#bytes[p + 1]!
    return width === 1 ? uint16At(this.#bytes, p + 1) : uint32At(this.#bytes, p + 1)
  }

  #take(length: number): number {
    const start = this.at
    if (length > this.#end - start) throw new MsgpackError('truncated', this.#end)
    this.at = start + length
    return start
  }

  #copy(length: number): Uint8Array {
    const start = this.#take(length)
    return new Uint8Array(this.#bytes.subarray(start, start + length))
  }

  #text(length: number): string | RawString {
    const start = this.#take(length)
    const text = this.#bytes.toString('utf8', start, start + length)
    // Bytes that are not UTF-8 show as U+FFFD, which may also have been sent as such.
    if (text.includes('\ufffd') && !isUtf8(this.#bytes.subarray(start, start + length))) {
      return new RawString(new Uint8Array(this.#bytes.subarray(start, start + length)))
    }
    return text
  }

  #ext(length: number): MsgValue {
    const start = this.#take(length + 1)
    const type = this.#bytes.readInt8(start)
    if (type === 0 && length === 8) {
      return new EventTime(uint32At(this.#bytes, start + 1), uint32At(this.#bytes, start + 5))
    }
    return new MsgExt(type, new Uint8Array(this.#bytes.subarray(start + 1, start + 1 + length)))
  }

  #array(count: number, depth: number): MsgValue[] {
    if (depth === 0) throw new MsgpackError('too_deep', this.at)
    const values: MsgValue[] = []
    for (let i = 0; i < count; i++) values.push(this.value(depth - 1))
    return values
  }

  #map(count: number, depth: number): MsgMap {
    if (depth === 0) throw new MsgpackError('too_deep', this.at)
    const map: MsgMap = new Map()
    for (let i = 0; i < count; i++) {
      const key = this.value(depth - 1)
      map.set(key, this.value(depth - 1))
    }
    return map
  }
}

function floatOf(value: number): number | MsgFloat {
  return Number.isInteger(value) ? new MsgFloat(value) : value
}

/** The integer whose head stands at `p`; its bytes are there. Throws MsgpackError if it is no integer. */
export function integerAt(bytes: Uint8Array, p: number): number | bigint {
  const head = bytes[p]!
  if (head < 0x80) return head
  if (head >= 0xe0) return head - 0x100
  switch (head) {
    case 0xcc:
      return bytes[p + 1]!
    case 0xcd:
      return uint16At(bytes, p + 1)
    case 0xce:
      return uint32At(bytes, p + 1)
    case 0xd0:
      return (bytes[p + 1]! << 24) >> 24
    case 0xd1:
      return (uint16At(bytes, p + 1) << 16) >> 16
    case 0xd2:
      return uint32At(bytes, p + 1) | 0
    case 0xcf:
      return wideInteger(uint32At(bytes, p + 1), uint32At(bytes, p + 5))
    case 0xd3:
      return wideInteger(uint32At(bytes, p + 1) | 0, uint32At(bytes, p + 5))
    default:
      throw new MsgpackError('wrong_type', p)
  }
}

function wideInteger(high: number, low: number): number | bigint {
  const value = high * 0x1_0000_0000 + low
  if (Number.isSafeInteger(value)) return value
  return (BigInt(high) << 32n) | BigInt(low)
}

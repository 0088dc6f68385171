import { EventTime, type MsgExt, MsgFloat, type MsgValue, RawString } from '../core/value.ts'

/** One value as bytes of its own. For many, reuse an Encoder. */
export function encode(value: MsgValue): Uint8Array {
  const encoder = new Encoder(64)
  encoder.value(value)
  return encoder.copy()
}

/**
 * Writes values end to end into a buffer that grows by doubling, in the smallest forms, as msgpack-ruby does. Made once and
 * reused: `reset`, write, take `bytes`.
 */
export class Encoder {
  #buffer: Buffer
  #view: DataView
  #at = 0

  constructor(initialBytes = 4096) {
    this.#buffer = Buffer.allocUnsafeSlow(initialBytes)
    this.#view = viewOf(this.#buffer)
  }

  /** How many bytes are written. */
  get length(): number {
    return this.#at
  }

  /** What is written: a view, valid until the next call of anything here. */
  get bytes(): Uint8Array {
    return this.#buffer.subarray(0, this.#at)
  }

  /** What is written, as bytes of its own. */
  copy(): Uint8Array {
    return new Uint8Array(this.bytes)
  }

  /** Starts over. A buffer above `keepBytes` is let go, so that one large event does not hold memory for ever. */
  reset(keepBytes = 4 * 1024 * 1024): void {
    this.#at = 0
    if (this.#buffer.length > keepBytes) {
      this.#buffer = Buffer.allocUnsafeSlow(keepBytes)
      this.#view = viewOf(this.#buffer)
    }
  }

  /** Takes back everything from `length` on: for an event that turned out not to be wanted. */
  truncate(length: number): void {
    if (length < this.#at) this.#at = length
  }

  value(value: MsgValue): void {
    if (typeof value === 'string') this.string(value)
    else if (typeof value === 'number') this.number(value)
    else if (value === null) this.#byte(0xc0)
    else if (typeof value === 'boolean') this.#byte(value ? 0xc3 : 0xc2)
    else if (typeof value === 'bigint') this.#bigint(value)
    else if (value instanceof Map) {
      this.mapHeader(value.size)
      for (const [key, item] of value) {
        this.value(key)
        this.value(item)
      }
    } else if (Array.isArray(value)) {
      this.arrayHeader(value.length)
      for (const item of value) this.value(item)
    } else if (value instanceof Uint8Array) this.binary(value)
    else if (value instanceof EventTime) this.time(value)
    else if (value instanceof MsgFloat) this.float(value.value)
    else if (value instanceof RawString) {
      this.#stringHeader(value.bytes.length)
      this.raw(value.bytes)
    } else this.#ext(value)
  }

  /** Bytes that are MessagePack already. */
  raw(bytes: Uint8Array, start = 0, end = bytes.length): void {
    this.#room(end - start)
    if (end - start <= 16) {
      for (let i = start; i < end; i++) this.#buffer[this.#at++] = bytes[i]!
      return
    }
    this.#buffer.set(
      start === 0 && end === bytes.length ? bytes : bytes.subarray(start, end),
      this.#at,
    )
    this.#at += end - start
  }

  /** An integer (smallest form) or a float (64 bits), as `value` is one. */
  number(value: number): void {
    if (!Number.isSafeInteger(value)) this.float(value)
    else if (value >= 0) this.#unsigned(value)
    else this.#negative(value)
  }

  float(value: number): void {
    this.#room(9)
    this.#buffer[this.#at] = 0xcb
    this.#view.setFloat64(this.#at + 1, value)
    this.#at += 9
  }

  string(text: string): void {
    this.#room(5 + text.length * 3)
    const length = text.length
    if (length < 32) {
      const buffer = this.#buffer
      const start = this.#at + 1
      let i = 0
      for (; i < length; i++) {
        const code = text.charCodeAt(i)
        if (code >= 0x80) break
        buffer[start + i] = code
      }
      if (i === length) {
        buffer[this.#at] = 0xa0 | length
        this.#at = start + length
        return
      }
    }
    this.#stringHeader(Buffer.byteLength(text))
    this.#at += this.#buffer.write(text, this.#at)
  }

  binary(bytes: Uint8Array): void {
    this.#header(bytes.length, 0xc4)
    this.raw(bytes)
  }

  arrayHeader(count: number): void {
    if (count < 16) this.#byte(0x90 | count)
    else this.#wideHeader(count, 0xdc)
  }

  mapHeader(count: number): void {
    if (count < 16) this.#byte(0x80 | count)
    else this.#wideHeader(count, 0xde)
  }

  /** An integer time as an integer, an EventTime as fixext8 of type 0; out of its 32 bits, as an integer too. */
  time(time: EventTime): void {
    const wide = time.seconds < 0 || time.seconds > 0xffff_ffff
    if (time.nanoseconds === undefined || wide) {
      this.number(time.seconds)
      return
    }
    this.#room(10)
    this.#view.setUint16(this.#at, 0xd700)
    this.#view.setUint32(this.#at + 2, time.seconds)
    this.#view.setUint32(this.#at + 6, time.nanoseconds)
    this.#at += 10
  }

  /** The start of an entry; the record, a map, must follow. */
  entry(time: EventTime): void {
    this.#byte(0x92)
    this.time(time)
  }

  #unsigned(value: number): void {
    this.#room(9)
    if (value < 0x80) this.#buffer[this.#at++] = value
    else if (value < 0x1_0000_0000) this.#header(value, 0xcc)
    else {
      this.#buffer[this.#at] = 0xcf
      this.#view.setBigUint64(this.#at + 1, BigInt(value))
      this.#at += 9
    }
  }

  #negative(value: number): void {
    this.#room(9)
    const at = this.#at
    if (value >= -32) {
      this.#buffer[at] = value & 0xff
      this.#at = at + 1
    } else if (value >= -0x80) {
      this.#buffer[at] = 0xd0
      this.#view.setInt8(at + 1, value)
      this.#at = at + 2
    } else if (value >= -0x8000) {
      this.#buffer[at] = 0xd1
      this.#view.setInt16(at + 1, value)
      this.#at = at + 3
    } else if (value >= -0x8000_0000) {
      this.#buffer[at] = 0xd2
      this.#view.setInt32(at + 1, value)
      this.#at = at + 5
    } else {
      this.#buffer[at] = 0xd3
      this.#view.setBigInt64(at + 1, BigInt(value))
      this.#at = at + 9
    }
  }

  #bigint(value: bigint): void {
    this.#room(9)
    if (value < -(2n ** 63n) || value >= 2n ** 64n) {
      throw new RangeError(`${value} does not fit the 64 bits of a MessagePack integer`)
    }
    if (value <= BigInt(Number.MAX_SAFE_INTEGER) && value >= BigInt(Number.MIN_SAFE_INTEGER)) {
      this.number(Number(value))
      return
    }
    this.#buffer[this.#at] = value < 0n ? 0xd3 : 0xcf
    this.#view.setBigUint64(this.#at + 1, BigInt.asUintN(64, value))
    this.#at += 9
  }

  #ext(ext: MsgExt): void {
    const length = ext.bytes.length
    const fixed = [1, 2, 4, 8, 16].indexOf(length)
    if (fixed >= 0) this.#byte(0xd4 + fixed)
    else this.#header(length, 0xc7)
    this.#byte(ext.type & 0xff)
    this.raw(ext.bytes)
  }

  #stringHeader(length: number): void {
    if (length < 32) this.#byte(0xa0 | length)
    else this.#header(length, 0xd9)
  }

  /** `head` with 8 bits, the next with 16, the one after with 32. */
  #header(value: number, head: number): void {
    if (value >= 0x100) {
      this.#wideHeader(value, head + 1)
      return
    }
    this.#room(2)
    this.#buffer[this.#at] = head
    this.#buffer[this.#at + 1] = value
    this.#at += 2
  }

  #wideHeader(value: number, head: number): void {
    this.#room(5)
    const at = this.#at
    if (value < 0x1_0000) {
      this.#buffer[at] = head
      this.#view.setUint16(at + 1, value)
      this.#at = at + 3
    } else {
      this.#buffer[at] = head + 1
      this.#view.setUint32(at + 1, value)
      this.#at = at + 5
    }
  }

  #byte(value: number): void {
    this.#room(1)
    this.#buffer[this.#at++] = value
  }

  #room(bytes: number): void {
    if (this.#at + bytes <= this.#buffer.length) return
    const larger = Buffer.allocUnsafeSlow(Math.max(this.#buffer.length * 2, this.#at + bytes))
    larger.set(this.#buffer.subarray(0, this.#at))
    this.#buffer = larger
    this.#view = viewOf(larger)
  }
}

function viewOf(buffer: Buffer): DataView {
  return new DataView(buffer.buffer, buffer.byteOffset, buffer.length)
}

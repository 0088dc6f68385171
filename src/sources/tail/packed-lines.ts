import type { Clock } from '../../core/host.ts'
import { Encoder } from '../../msgpack/encode.ts'
import type { Events } from './events.ts'

/** Bytes of a str's head, at most. */
const strHead = 5
/** A buffer beyond this is let go after use. */
const keptBytes = 1024 * 1024

/**
 * Texts as they are, in one field, packed without making a record: a head that is the same but for the time, the text, and
 * what is the same for all texts of a file.
 */
export class PackedLines implements Events {
  readonly of = { path: '' }
  count = 0
  readonly #clock: Clock
  readonly #pathKey: string | undefined
  /** 92 d7 00, seconds, nanoseconds, the map's head and the key. */
  readonly #head: Buffer
  #tail: Buffer = Buffer.alloc(0)
  #tailPath: string | undefined
  #out: Buffer = Buffer.allocUnsafeSlow(256 * 1024)
  #at = 0
  #nanoseconds = 0

  constructor(options: { field: string; pathKey: string | undefined; clock: Clock }) {
    this.#clock = options.clock
    // A record has a key once: the text stays where both have one name.
    this.#pathKey = options.pathKey === options.field ? undefined : options.pathKey
    const encoder = new Encoder(64)
    encoder.mapHeader(this.#pathKey === undefined ? 1 : 2)
    encoder.string(options.field)
    const time = [0x92, 0xd7, 0, 0, 0, 0, 0, 0, 0, 0, 0]
    this.#head = Buffer.concat([Buffer.from(time), encoder.bytes])
  }

  get packed(): Uint8Array {
    return this.#out.subarray(0, this.#at)
  }

  add(bytes: Buffer, start: number, end: number): void {
    if (this.count === 0) this.#begin()
    const length = end - start
    const head = this.#head
    const tail = this.#tail
    this.#room(head.length + strHead + length + tail.length)
    const out = this.#out
    let at = this.#at
    for (let i = 0; i < head.length; i++) out[at + i] = head[i] as number
    this.#writeNanoseconds(out, at + 7)
    at += head.length
    at = writeStrHead(out, at, length)
    at = copy(bytes, start, length, out, at)
    if (tail.length > 0) at = copy(tail, 0, tail.length, out, at)
    this.#at = at
    this.count += 1
  }

  clear(): void {
    this.#at = 0
    this.count = 0
    if (this.#out.length > keptBytes) this.#out = Buffer.allocUnsafeSlow(256 * 1024)
  }

  /** One look at the clock for all: each text is a nanosecond later than the one before, so that their order shows. */
  #begin(): void {
    const ms = this.#clock.wallMs()
    const seconds = Math.floor(ms / 1000)
    this.#nanoseconds = Math.floor((ms - seconds * 1000) * 1e6)
    this.#head.writeUInt32BE(Math.min(Math.max(seconds, 0), 0xffff_ffff), 3)
    if (this.#pathKey === undefined || this.#tailPath === this.of.path) return
    this.#tailPath = this.of.path
    const encoder = new Encoder(64)
    encoder.string(this.#pathKey)
    encoder.string(this.of.path)
    this.#tail = Buffer.from(encoder.bytes)
  }

  #writeNanoseconds(out: Buffer, at: number): void {
    const value = this.#nanoseconds
    if (value < 999_999_999) this.#nanoseconds = value + 1
    out[at] = value >>> 24
    out[at + 1] = (value >>> 16) & 0xff
    out[at + 2] = (value >>> 8) & 0xff
    out[at + 3] = value & 0xff
  }

  #room(bytes: number): void {
    if (this.#at + bytes <= this.#out.length) return
    const larger = Buffer.allocUnsafeSlow(Math.max(this.#out.length * 2, this.#at + bytes))
    larger.set(this.#out.subarray(0, this.#at))
    this.#out = larger
  }
}

function writeStrHead(out: Buffer, at: number, length: number): number {
  if (length < 32) {
    out[at] = 0xa0 | length
    return at + 1
  }
  if (length < 0x100) {
    out[at] = 0xd9
    out[at + 1] = length
    return at + 2
  }
  if (length < 0x1_0000) {
    out[at] = 0xda
    out[at + 1] = length >>> 8
    out[at + 2] = length & 0xff
    return at + 3
  }
  out[at] = 0xdb
  out.writeUInt32BE(length, at + 1)
  return at + 5
}

/** A call of the system's copy costs more than a short loop. */
const shortBytes = 48

function copy(from: Buffer, start: number, length: number, to: Buffer, at: number): number {
  if (length > shortBytes) from.copy(to, at, start, start + length)
  else for (let i = 0; i < length; i++) to[at + i] = from[start + i] as number
  return at + length
}

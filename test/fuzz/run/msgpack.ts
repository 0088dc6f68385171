import { gzipSync } from 'node:zlib'
import type { Chance } from '../../sim/chance.ts'
import { rawBlock, rleBlock, zstdFrame } from '../../unit/forward/zstd-bytes.ts'

/** MessagePack made by a grammar, and changes to MessagePack that know where its values are. */

/** One value of a message: where its head stands and where it ends. */
interface Span {
  readonly start: number
  readonly end: number
  readonly head: number
}

/** Values looked at in one message; more are not needed to change one of them. */
const spanLimit = 400

/** Where values are, as far as the bytes are MessagePack. */
export function spansOf(bytes: Uint8Array): Span[] {
  const spans: Span[] = []
  const open: { at: number; left: number; start: number; head: number }[] = []
  let at = 0
  while (at < bytes.length && spans.length < spanLimit) {
    const value = valueAt(bytes, at)
    if (value === undefined) break
    if (value.items > 0) {
      open.push({ at, left: value.items, start: at, head: value.head })
      at += value.head
      continue
    }
    spans.push({ start: at, end: at + value.head + value.body, head: value.head })
    at += value.head + value.body
    for (let last = open.at(-1); last !== undefined; last = open.at(-1)) {
      last.left -= 1
      if (last.left > 0) break
      spans.push({ start: last.start, end: at, head: last.head })
      open.pop()
    }
  }
  return spans
}

/** [bytes of the head, kind: items follow or a body] by first byte, from 0xc0. */
function valueAt(
  bytes: Uint8Array,
  at: number,
): { head: number; body: number; items: number } | undefined {
  const first = bytes[at] as number
  const leaf = (head: number, body = 0) => ({ head, body, items: 0 })
  if (first < 0x80 || first >= 0xe0) return leaf(1)
  if (first < 0x90) return { head: 1, body: 0, items: (first & 15) * 2 }
  if (first < 0xa0) return { head: 1, body: 0, items: first & 15 }
  if (first < 0xc0) return leaf(1, first & 31)
  const number = (width: number) => {
    let value = 0
    for (let i = 1; i <= width; i++) value = value * 256 + (bytes[at + i] ?? 0)
    return Math.min(value, bytes.length)
  }
  const sized = [1, 2, 4]
  if (first >= 0xc4 && first <= 0xc6) {
    const width = sized[first - 0xc4] as number
    return leaf(1 + width, number(width))
  }
  if (first >= 0xc7 && first <= 0xc9) {
    const width = sized[first - 0xc7] as number
    return leaf(2 + width, number(width))
  }
  if (first >= 0xca && first <= 0xd3) return leaf(1, [4, 8, 1, 2, 4, 8, 1, 2, 4, 8][first - 0xca])
  if (first >= 0xd4 && first <= 0xd8) return leaf(2, 2 ** (first - 0xd4))
  if (first >= 0xd9 && first <= 0xdb) {
    const width = sized[first - 0xd9] as number
    return leaf(1 + width, number(width))
  }
  if (first === 0xdc || first === 0xdd) {
    return { head: first === 0xdc ? 3 : 5, body: 0, items: number(first === 0xdc ? 2 : 4) }
  }
  if (first === 0xde || first === 0xdf) {
    return { head: first === 0xde ? 3 : 5, body: 0, items: number(first === 0xde ? 2 : 4) * 2 }
  }
  return leaf(1)
}

const edges = [0, 1, 2, 31, 32, 127, 128, 255, 256, 65535, 65536, 2 ** 31 - 1, 2 ** 31, 2 ** 32 - 1]

function sized(chance: Chance, base: number, length: number): Buffer {
  const width = chance.below(3)
  const head = Buffer.alloc(1 + 2 ** width)
  head[0] = base + width
  // Sometimes the length is a lie.
  const told = chance.often(4) ? chance.pick(...edges) : length
  head.writeUIntBE(told % 256 ** (2 ** width), 1, 2 ** width)
  return head
}

function text(chance: Chance): Buffer {
  const body = chance.pick(
    () => Buffer.from(chance.pick('a', 'log', 'message', 'chunk', 'size', 'compressed', 'gzip')),
    () => Buffer.from(chance.pick('__proto__', 'constructor', 'toString', '', '\u001b[31m', 'é😀')),
    () =>
      Buffer.from(chance.pick('../../etc/x', 'a.b.c', 'docker.0', 'x\n', 'zstd', 'text', 'PING')),
    () => randomBytes(chance, chance.below(40)),
    () => Buffer.alloc(chance.below(300), 0x61),
  )()
  if (body.length < 32 && chance.often(80)) {
    return Buffer.concat([Buffer.from([0xa0 | body.length]), body])
  }
  return Buffer.concat([sized(chance, 0xd9, body.length), body])
}

export function randomBytes(chance: Chance, length: number): Buffer {
  return Buffer.from(Array.from({ length }, () => chance.below(256)))
}

function scalar(chance: Chance): Buffer {
  return chance.pick(
    () => text(chance),
    () => text(chance),
    () => Buffer.from([chance.below(128)]),
    () => Buffer.from([chance.pick(0xc0, 0xc1, 0xc2, 0xc3, 0xe0, 0xff)]),
    () => Buffer.concat([Buffer.from([0xca + chance.below(10)]), randomBytes(chance, 8)]),
    () => eventTime(chance),
    () => {
      const body = randomBytes(chance, chance.below(20))
      return Buffer.concat([sized(chance, 0xc4, body.length), body])
    },
    () => Buffer.concat([Buffer.from([0xd4 + chance.below(5)]), randomBytes(chance, 17)]),
  )()
}

function eventTime(chance: Chance): Buffer {
  const seconds = chance.pick('ce6553f100', 'd7006553f10000000001', 'c708006553f1003b9ac9ff', '00')
  return Buffer.from(seconds, 'hex')
}

function list(chance: Chance, items: readonly Buffer[], isMap: boolean): Buffer {
  const count = isMap ? items.length >> 1 : items.length
  const told = chance.often(3) ? chance.pick(...edges) : count
  const short = told < 16 && chance.often(80)
  let head: Buffer
  if (short) {
    head = Buffer.from([(isMap ? 0x80 : 0x90) | told])
  } else {
    const wide = chance.often(50)
    head = Buffer.alloc(wide ? 5 : 3)
    head[0] = (isMap ? 0xde : 0xdc) + (wide ? 1 : 0)
    if (wide) head.writeUInt32BE(told % 2 ** 32, 1)
    else head.writeUInt16BE(told % 2 ** 16, 1)
  }
  return Buffer.concat([head, ...items])
}

export function anyValue(chance: Chance, depth = 3): Buffer {
  if (depth === 0 || chance.often(60)) return scalar(chance)
  const count = chance.below(4)
  const isMap = chance.often(50)
  const items = Array.from({ length: isMap ? count * 2 : count }, () => anyValue(chance, depth - 1))
  return list(chance, items, isMap)
}

function record(chance: Chance): Buffer {
  if (chance.often(6)) return anyValue(chance)
  const count = chance.below(5)
  const fields = Array.from({ length: count }, () => [text(chance), anyValue(chance)]).flat()
  return list(chance, fields, true)
}

function entries(chance: Chance): Buffer[] {
  return Array.from({ length: chance.below(6) }, () =>
    chance.often(5) ? anyValue(chance) : list(chance, [eventTime(chance), record(chance)], false),
  )
}

/** Ten million nils: more than the limit of what a message may become. */
const bomb = gzipSync(Buffer.alloc(10_000_000, 0xc0))

function compressed(chance: Chance, bytes: Buffer): Buffer {
  return chance.pick(
    () => gzipSync(bytes),
    () => Buffer.concat([gzipSync(bytes), gzipSync(bytes)]),
    () => zstdFrame([rawBlock(bytes.toString('latin1'))]),
    () => zstdFrame([rleBlock(String.fromCharCode(chance.below(256)), chance.below(100_000))]),
    () =>
      chance.below(1000) === 0
        ? bomb
        : gzipSync(Buffer.alloc(chance.below(2000), chance.below(256))),
    () => bytes,
  )()
}

/** A message of the forward protocol, mostly right. */
export function message(chance: Chance): Buffer {
  const tag = chance.often(90) ? Buffer.from('a3612e62', 'hex') : anyValue(chance, 1)
  const options = chance.often(50) ? [option(chance)] : []
  const mode = chance.below(4)
  if (mode === 0) return list(chance, [tag, eventTime(chance), record(chance), ...options], false)
  const all = entries(chance)
  if (mode === 1) return list(chance, [tag, list(chance, all, false), ...options], false)
  let body = Buffer.concat(all)
  if (mode === 3) body = Buffer.from(compressed(chance, body))
  const packed = Buffer.concat([sized(chance, chance.pick(0xc4, 0xd9), body.length), body])
  return list(chance, [tag, packed, ...options], false)
}

function option(chance: Chance): Buffer {
  const fields: Buffer[] = []
  const add = (key: string, value: Buffer) => fields.push(fixed(key), value)
  if (chance.often(50)) add('chunk', chance.often(80) ? fixed('p8n9gmxTQVC8') : anyValue(chance, 1))
  if (chance.often(50)) add('size', scalar(chance))
  if (chance.often(60)) add('compressed', fixed(chance.pick('gzip', 'zstd', 'text', 'xz')))
  if (chance.often(5)) add('fluent_signal', anyValue(chance, 1))
  return list(chance, fields, true)
}

const fixed = (value: string) => Buffer.from([0xa0 | value.length, ...Buffer.from(value)])

/** One change. `other` is where pieces may be taken from. */
export function mutate(chance: Chance, bytes: Buffer, other: Buffer): Buffer {
  const spans = spansOf(bytes)
  const span = spans[chance.below(spans.length)] ?? { start: 0, end: bytes.length, head: 1 }
  const splice = (from: number, to: number, middle: Uint8Array) =>
    Buffer.concat([bytes.subarray(0, from), middle, bytes.subarray(Math.min(to, bytes.length))])
  const value = bytes.subarray(span.start, span.end)
  return chance.pick(
    () => splice(span.start, span.end, anyValue(chance)),
    () => splice(span.start, span.end, new Uint8Array(0)),
    () => splice(span.end, span.end, value),
    () =>
      splice(
        span.start,
        span.start,
        Buffer.concat(Array(chance.below(50)).fill(value.subarray(0, 64))),
      ),
    () => {
      const spansThere = spansOf(other)
      const from = spansThere[chance.below(spansThere.length)]
      return from === undefined
        ? other
        : splice(span.start, span.end, other.subarray(from.start, from.end))
    },
    () => splice(span.start, span.start + 1, Buffer.from([chance.below(256)])),
    () =>
      splice(
        span.start + 1,
        span.start + span.head,
        bigEndian(chance.pick(...edges), span.head - 1),
      ),
    () =>
      splice(
        span.start,
        span.start,
        Buffer.alloc(chance.below(200), chance.pick(0x91, 0x81, 0xdc)),
      ),
    () => splice(span.start, span.end, compressed(chance, Buffer.from(value))),
    () => bytes.subarray(0, chance.below(bytes.length + 1)),
    () => splice(chance.below(bytes.length + 1), 0, new Uint8Array(0)),
    () => {
      const flipped = Buffer.from(bytes)
      for (let i = 0; i <= chance.below(4) && flipped.length > 0; i++) {
        flipped[chance.below(flipped.length)]! ^= 1 << chance.below(8)
      }
      return flipped
    },
    () => Buffer.concat([bytes, other]),
  )()
}

function bigEndian(value: number, width: number): Buffer {
  const bytes = Buffer.alloc(Math.max(0, width))
  for (let i = width - 1, rest = value; i >= 0; i--, rest = Math.floor(rest / 256)) {
    bytes[i] = rest & 255
  }
  return bytes
}

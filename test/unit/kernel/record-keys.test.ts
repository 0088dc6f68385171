import { describe, expect, it } from 'vitest'
import { createJsonFramer } from '../../../src/forward/json-framer.ts'
import type { Framer } from '../../../src/kernel/types.ts'
import { hex, newKernel, now, options } from './framing.ts'

const kernel = newKernel()
const keyLimit = 20

/** A map of so many keys; `wide`: with a head of five bytes. */
function record(keys: number, wide = false): Buffer {
  const count = Buffer.alloc(4)
  count.writeUInt32BE(keys)
  const small = keys < 16 ? Buffer.of(0x80 | keys) : Buffer.concat([hex('de'), count.subarray(2)])
  const head = wide ? Buffer.concat([hex('df'), count]) : small
  const pairs = Array.from({ length: keys }, (_, i) => Buffer.of(0xa1, 0x30 + i, 0xc0))
  return Buffer.concat([head, ...pairs])
}

const time = hex('ce00000001')
const entry = (map: Buffer): Buffer => Buffer.concat([hex('92'), time, map])

/** Events taken, and events that are invalid. */
function taken(framer: Framer, bytes: Uint8Array): [number, number] {
  const sums: [number, number] = [0, 0]
  framer.feed(bytes)
  for (let step = framer.next(now); step !== undefined; step = framer.next(now)) {
    if (step.kind !== 'run') throw new Error(`a ${step.kind}`)
    sums[0] += step.count
    sums[1] += step.invalid
  }
  return sums
}

const single = (map: Buffer): Buffer => Buffer.concat([hex('93a161'), time, map])
const forward = (map: Buffer): Buffer =>
  Buffer.concat([hex('92a16193'), entry(record(1)), entry(map), entry(record(2))])
const packed = (map: Buffer): Buffer => {
  const entries = Buffer.concat([entry(record(1)), entry(map), entry(record(2))])
  return Buffer.concat([hex('92a161c5'), Buffer.of(entries.length >> 8, entries.length), entries])
}

describe.each([true, false])('records of many keys, skip_invalid_event %s', (skipInvalidEvent) => {
  const framer = (limit?: number) => {
    const more = limit === undefined ? {} : { keyLimit: limit }
    return kernel.createFramer({ ...options, skipInvalidEvent, ...more })
  }

  it.each([
    ['Message', single, 0],
    ['Forward', forward, 2],
    ['PackedForward', packed, 2],
  ] as const)('%s: one above the limit is invalid, the others are not', (_, message, others) => {
    for (const keys of [1, 15, 16, keyLimit])
      expect(taken(framer(keyLimit), message(record(keys)))).toEqual([others + 1, 0])
    expect(taken(framer(keyLimit), message(record(keyLimit, true)))).toEqual([others + 1, 0])
    expect(taken(framer(keyLimit), message(record(keyLimit + 1)))).toEqual([others, 1])
    expect(taken(framer(keyLimit), message(record(keyLimit + 1, true)))).toEqual([others, 1])
  })

  it('counts keys and elements at all levels, and nothing else of the message', () => {
    const nested = (elements: number) =>
      Buffer.concat([hex('81a161dc00'), Buffer.of(elements), Buffer.alloc(elements, 0x01)])
    for (const message of [single, forward, packed]) {
      const others = message === single ? 0 : 2
      expect(taken(framer(keyLimit), message(nested(keyLimit - 1)))).toEqual([others + 1, 0])
      expect(taken(framer(keyLimit), message(nested(keyLimit)))).toEqual([others, 1])
      // A fixmap of 15 keys, each with a map of one.
      const pairs = (count: number) =>
        Buffer.concat([
          hex('8f'),
          ...Array.from({ length: 15 }, (_, i) =>
            Buffer.concat([Buffer.of(0xa1, 0x41 + i), hex(i < count ? '81a178c0' : 'c0')]),
          ),
        ])
      expect(taken(framer(keyLimit), message(pairs(5)))).toEqual([others + 1, 0])
      expect(taken(framer(keyLimit), message(pairs(6)))).toEqual([others, 1])
    }
    // Metadata and options are not the record's.
    const meta = Buffer.concat([hex('9292'), time, hex('80'), record(keyLimit)])
    expect(taken(framer(keyLimit), Buffer.concat([hex('92a16191'), meta]))).toEqual([1, 0])
    const messages = Buffer.concat([single(nested(19)), single(nested(20)), single(nested(19))])
    expect(taken(framer(keyLimit), messages)).toEqual([2, 1])
  })

  it('a record of too many bytes is invalid as well', () => {
    const strict = () => kernel.createFramer({ ...options, skipInvalidEvent, recordLimitBytes: 13 })
    const text = (bytes: number) =>
      Buffer.concat([hex('81a161'), Buffer.of(0xa0 | bytes), Buffer.alloc(bytes, 0x78)])
    for (const message of [single, forward, packed]) {
      const others = message === single ? 0 : 2
      expect(taken(strict(), message(text(9)))).toEqual([others + 1, 0])
      expect(taken(strict(), message(text(10)))).toEqual([others, 1])
    }
    const messages = Buffer.concat([single(text(9)), single(text(10)), single(text(9))])
    expect(taken(strict(), messages)).toEqual([2, 1])
  })

  it('each stream has its own limit, on one kernel', () => {
    const [strict, free] = [framer(keyLimit), framer()]
    const message = packed(record(keyLimit + 1))
    for (let round = 0; round < 2; round++) {
      expect(taken(strict, message)).toEqual([2, 1])
      expect(taken(free, message)).toEqual([3, 0])
    }
  })

  it('of a message that comes in pieces, and of one of many windows', () => {
    const cut = framer(keyLimit)
    const message = forward(record(keyLimit + 1))
    let sums = [0, 0]
    for (const byte of message) {
      const [count, invalid] = taken(cut, Uint8Array.of(byte))
      sums = [sums[0]! + count, sums[1]! + invalid]
    }
    expect(sums).toEqual([2, 1])
    const many = Buffer.concat(
      Array.from({ length: 20_000 }, (_, i) => entry(record(i % 2 === 0 ? 5 : keyLimit + 1))),
    )
    const length = Buffer.alloc(4)
    length.writeUInt32BE(many.length)
    const large = Buffer.concat([hex('92a161c6'), length, many])
    expect(large.length).toBeGreaterThan(512 * 1024)
    expect(taken(framer(keyLimit), large)).toEqual([10_000, 10_000])
  })

  it('of JSON', () => {
    const json = createJsonFramer({ ...options, skipInvalidEvent, keyLimit })
    const object = (keys: number) =>
      Object.fromEntries(Array.from({ length: keys }, (_, i) => [`k${i}`, i]))
    const text = (keys: number) => Buffer.from(`${JSON.stringify(['a', 1, object(keys)])}\n`)
    expect(taken(json, text(keyLimit))).toEqual([1, 0])
    expect(taken(json, text(keyLimit + 1))).toEqual([0, 1])
    const nested = (keys: number) => Buffer.from(JSON.stringify(['a', 1, { a: [object(keys)] }]))
    expect(taken(json, nested(keyLimit - 2))).toEqual([1, 0])
    expect(taken(json, nested(keyLimit - 1))).toEqual([0, 1])
  })
})

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
  })
})

import fc from 'fast-check'
import msgpackLite from 'msgpack-lite'
import { describe, expect, it } from 'vitest'
import { EventTime, MsgExt, MsgFloat, type MsgValue, RawString } from '../../src/core/value.ts'
import { decode } from '../../src/msgpack/decode.ts'
import { encode } from '../../src/msgpack/encode.ts'
import { eachEntry } from '../../src/msgpack/entries.ts'
import { MsgpackError, skipValue } from '../../src/msgpack/walk.ts'
import { cut, hex, newKernel, now, options, run, toHex } from '../unit/kernel/framing.ts'
import { damagedStream, entry, noise, value } from './kernel-arbitraries.ts'

const kernel = newKernel()
const numRuns = Number(process.env.FUZZ_RUNS ?? 300)

/** What msgpack-lite makes of the same bytes; undefined where it cannot: exact integers, bytes that are not UTF-8, other keys. */
function likeMsgpackLite(from: MsgValue): unknown {
  if (typeof from === 'bigint' || from instanceof RawString || from instanceof MsgExt)
    return undefined
  if (from instanceof MsgFloat) return from.value
  if (from instanceof EventTime) return undefined
  if (from instanceof Uint8Array) return Buffer.from(from)
  if (Array.isArray(from)) {
    const items = from.map(likeMsgpackLite)
    return items.includes(undefined) ? undefined : items
  }
  if (from instanceof Map) {
    const plain: Record<string, unknown> = {}
    for (const [key, item] of from) {
      const inner = likeMsgpackLite(item)
      if (typeof key !== 'string' || key === '__proto__' || inner === undefined) return undefined
      plain[key] = inner
    }
    return plain
  }
  return from
}

describe('values', () => {
  it('are walked to their end, decoded, and written again with the same meaning', () => {
    fc.assert(
      fc.property(value, (text) => {
        const bytes = hex(text)
        expect(skipValue(bytes, 0)).toBe(bytes.length)
        const decoded = decode(bytes)
        const written = encode(decoded)
        expect(decode(written)).toEqual(decoded)
        expect(written.length).toBeLessThanOrEqual(bytes.length + floats(decoded) * 4)
      }),
      { numRuns },
    )
  })

  it('are what msgpack-lite reads, where it can', () => {
    let compared = 0
    fc.assert(
      fc.property(value, (text) => {
        const expected = likeMsgpackLite(decode(hex(text)))
        if (expected === undefined) return
        compared++
        expect(msgpackLite.decode(hex(text))).toEqual(expected)
      }),
      { numRuns },
    )
    expect(compared).toBeGreaterThan(numRuns / 4)
  })

  it('that are cut are truncated, for the walker, the decoder and the kernel', () => {
    fc.assert(
      fc.property(value, (text) => {
        const bytes = hex(text)
        for (let length = 0; length < bytes.length; length++) {
          const part = bytes.subarray(0, length)
          expect(codeOf(() => skipValue(part, 0))).toBe('truncated')
          expect(codeOf(() => decode(part))).toBe('truncated')
          const framer = kernel.createFramer(options)
          const message = Buffer.concat([hex('93a10000'), part])
          expect(run(framer, [message])).toEqual([])
          expect(framer.unfinishedBytes).toBe(message.length)
        }
      }),
      { numRuns: numRuns / 5 },
    )
  })

  it('split at every place come out of the kernel as they went in', () => {
    fc.assert(
      fc.property(value, (text) => {
        const record = hex(`81a16b${text}`)
        const bytes = Buffer.concat([hex('93a16105'), record])
        for (let at = 1; at < bytes.length; at++) {
          const framer = kernel.createFramer(options)
          const pieces = [bytes.subarray(0, at), bytes.subarray(at)]
          expect(run(framer, pieces)).toMatchObject([{ entries: `9205${toHex(record)}`, count: 1 }])
        }
        const framer = kernel.createFramer(options)
        expect(run(framer, cut(bytes, 1))).toMatchObject([{ entries: `9205${toHex(record)}` }])
      }),
      { numRuns: numRuns / 5 },
    )
  })
})

describe('hostile bytes', () => {
  it('never hang, and the walker and the decoder agree', () => {
    fc.assert(
      fc.property(fc.oneof(noise, damagedStream), (bytes) => {
        const code = codeOf(() => skipValue(bytes, 0))
        expect(codeOf(() => decode(bytes))).toBe(code)
      }),
      { numRuns: numRuns * 3 },
    )
  })

  it('what the kernel hands on is canonical', () => {
    fc.assert(
      fc.property(
        fc.array(fc.oneof(entry, noise.map(toHex)), { maxLength: 6 }),
        fc.boolean(),
        (all, skip) => {
          const payload = hex(all.join(''))
          const head = Buffer.from(hex('92a161c600000000'))
          head.writeUInt32BE(payload.length, 4)
          const framer = kernel.createFramer({ ...options, skipInvalidEvent: skip })
          framer.feed(Buffer.concat([head, payload]))
          for (let step = framer.next(now); step; step = framer.next(now)) {
            if (step.kind !== 'run') continue
            let count = 0
            const { packed } = step
            eachEntry(packed, (start, timeEnd) => {
              count++
              const time = decode(packed, start + 1)
              expect(time instanceof EventTime || isInteger(time)).toBe(true)
              expect(decode(packed, timeEnd)).toBeInstanceOf(Map)
            })
            expect(count).toBe(step.count)
          }
        },
      ),
      { numRuns },
    )
  })
})

function isInteger(from: MsgValue): boolean {
  return typeof from === 'bigint' || Number.isInteger(from)
}

/** Floats of 32 bits are written with 64. */
function floats(from: MsgValue): number {
  if (from instanceof MsgFloat || (typeof from === 'number' && !Number.isInteger(from))) return 1
  if (Array.isArray(from)) return from.reduce<number>((sum, item) => sum + floats(item), 0)
  if (from instanceof Map)
    return [...from].flat().reduce<number>((sum, item) => sum + floats(item), 0)
  return 0
}

function codeOf(read: () => unknown): string {
  try {
    read()
    return 'read'
  } catch (error) {
    if (error instanceof MsgpackError) return error.code
    throw error
  }
}

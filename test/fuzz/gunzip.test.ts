import * as zlib from 'node:zlib'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { expected, inflated, roomBytes } from '../unit/kernel/gunzipping.ts'

/** The kernel's inflater against Node's zlib. */

const { Z_DEFAULT_STRATEGY, Z_FILTERED, Z_FIXED, Z_HUFFMAN_ONLY, Z_RLE, Z_SYNC_FLUSH } =
  zlib.constants

/** From noise to repetition near and far. */
const data: fc.Arbitrary<Buffer> = fc.oneof(
  fc.uint8Array({ maxLength: 400 }).map((bytes) => Buffer.from(bytes)),
  fc
    .array(
      fc.record({
        piece: fc.uint8Array({ minLength: 1, maxLength: 40 }),
        times: fc.integer({ min: 1, max: 600 }),
      }),
      { maxLength: 12 },
    )
    .map((parts) =>
      Buffer.concat(
        parts.map(({ piece, times }) => Buffer.concat(new Array(times).fill(Buffer.from(piece)))),
      ),
    ),
  // Few values, many lengths and distances.
  fc
    .array(fc.tuple(fc.nat(20_000), fc.integer({ min: 1, max: 300 }), fc.nat(7)), {
      maxLength: 200,
    })
    .map((steps) => {
      const bytes: number[] = [1]
      for (const [back, length, value] of steps) {
        const from = Math.max(0, bytes.length - 1 - back)
        for (let i = 0; i < length; i++) bytes.push(bytes[from + i] ?? value)
        bytes.push(value)
      }
      return Buffer.from(bytes)
    }),
)

const options: fc.Arbitrary<zlib.ZlibOptions> = fc.record({
  level: fc.integer({ min: 0, max: 9 }),
  strategy: fc.constantFrom(Z_DEFAULT_STRATEGY, Z_FILTERED, Z_HUFFMAN_ONLY, Z_RLE, Z_FIXED),
  memLevel: fc.integer({ min: 1, max: 9 }),
  windowBits: fc.integer({ min: 9, max: 15 }),
})

const member = fc.tuple(data, options).map(([bytes, some]) => zlib.gzipSync(bytes, some))
const payload = fc
  .array(member, { minLength: 1, maxLength: 3 })
  .map((members) => Buffer.concat(members))

function same(bytes: Uint8Array): void {
  const ours = inflated(bytes)
  const zlibs = expected(bytes)
  if ((zlibs.output?.length ?? 0) > roomBytes) {
    expect(ours.verdict).toBe('large')
    return
  }
  // Bits may be wrong and too few at once: who sees which first is not said.
  const either = [ours.verdict, zlibs.verdict].includes('truncated')
  if (either && zlibs.output === undefined) expect(ours.output).toBeUndefined()
  else expect(ours.verdict).toBe(zlibs.verdict)
  if (zlibs.output) expect(Buffer.compare(ours.output!, zlibs.output)).toBe(0)
}

describe('gzip in the kernel is what zlib makes of it', () => {
  it('members of all kinds', () => {
    fc.assert(fc.property(payload, same), { numRuns: 150 })
  })

  it('flushed in between', async () => {
    const flushed = fc.asyncProperty(
      fc.array(data, { maxLength: 5 }),
      options,
      async (parts, some) => {
        const stream = zlib.createGzip({ ...some, flush: Z_SYNC_FLUSH })
        const pieces: Buffer[] = []
        stream.on('data', (piece: Buffer) => pieces.push(piece))
        for (const part of parts) stream.write(part)
        await new Promise((resolve) => stream.end(() => undefined).on('end', resolve))
        const whole = Buffer.concat(pieces)
        same(whole)
        const { output } = inflated(whole)
        expect(output === undefined || Buffer.concat(parts).equals(output)).toBe(true)
      },
    )
    await fc.assert(flushed, { numRuns: 25 })
  })

  it('cut anywhere: refused', () => {
    const cut = fc.property(member, fc.nat(), (bytes, at) => {
      const { verdict } = inflated(bytes.subarray(0, 1 + (at % (bytes.length - 1))))
      expect(verdict).toBe('truncated')
    })
    fc.assert(cut, { numRuns: 300 })
  })

  it('with bits turned over', () => {
    const places = fc.array(fc.nat(), { minLength: 1, maxLength: 3 })
    const turned = fc.property(member, places, fc.boolean(), (bytes, bits, early) => {
      const damaged = Buffer.from(bytes)
      const among = Math.min(bytes.length, early ? 80 : bytes.length) * 8
      for (const bit of bits) damaged[(bit % among) >> 3]! ^= 1 << (bit & 7)
      same(damaged)
    })
    fc.assert(turned, { numRuns: 1500 })
  })

  it('random blocks behind a good header', () => {
    const header = Buffer.from('1f8b0800000000000003', 'hex')
    const noise = fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
      same(Buffer.concat([header, bytes]))
    })
    fc.assert(noise, { numRuns: 1500 })
  })

  it('within any limit', () => {
    const limited = fc.property(member, fc.nat(20_000), (bytes, limitBytes) => {
      const wanted = expected(bytes).output!
      const { verdict, output } = inflated(bytes, limitBytes)
      expect(verdict).toBe(wanted.length <= limitBytes ? 'done' : 'over_limit')
      if (output) expect(Buffer.compare(output, wanted)).toBe(0)
    })
    fc.assert(limited, { numRuns: 300 })
  })
})

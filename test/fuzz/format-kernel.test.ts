import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { EventTime, MsgFloat, type MsgMap, type MsgValue, RawString } from '../../src/core/value.ts'
import { formatEntry, middleOf, noCounts } from '../../src/kernel/format-reference.ts'
import type { FormatSpec } from '../../src/kernel/types.ts'
import { Encoder } from '../../src/msgpack/encode.ts'
import { compileStrftime } from '../../src/time/strftime.ts'
import { fixedZone } from '../../src/time/zones.ts'
import {
  formatAll,
  jsonSpec,
  outFileSpec,
  pack,
  stdoutSpec,
  testKernel,
} from '../unit/kernel/format-helpers.ts'

const kernel = testKernel()
const smallKernel = testKernel({ formatInputBytes: 700, formatOutputBytes: 900 })

/** What the kernel must write, by the formatter in plain TypeScript. */
function reference(
  spec: FormatSpec,
  batch: { packed: Uint8Array; tag: string },
): { text: string; notFinite: number; notUtf8: number } {
  const time = spec.layout.kind === 'record' ? undefined : spec.layout.time
  const steps = time?.kind === 'strftime' ? compileStrftime(time.format) : []
  const counts = noCounts()
  const parts: Uint8Array[] = []
  let at = 0
  while (at < batch.packed.length) {
    const middle = middleOf(spec, batch.tag)
    const { bytes, end } = formatEntry(
      { spec, steps },
      middle,
      { packed: batch.packed, at },
      counts,
    )
    parts.push(bytes)
    at = end
  }
  return { text: Buffer.concat(parts).toString('utf8'), ...counts }
}

const text = fc.oneof(
  fc.string({ unit: 'binary', maxLength: 60 }),
  fc.string({ unit: 'grapheme-ascii', maxLength: 100 }),
  fc.constantFrom('', 'k', 'log', '__proto__', '\u2028"\\\x00\x1f\x7f'),
)
const raw = fc.uint8Array({ maxLength: 40 })
const scalar: fc.Arbitrary<MsgValue> = fc.oneof(
  text,
  fc.boolean(),
  fc.constant(null),
  fc.maxSafeInteger(),
  fc.bigInt({ min: -(2n ** 63n), max: 2n ** 64n - 1n }),
  fc.double().map((value) => (Number.isInteger(value) ? new MsgFloat(value) : value)),
  fc.maxSafeInteger().map((value) => new MsgFloat(value * 1024)),
  raw,
  raw.map((bytes) => new RawString(bytes)),
  fc.nat(0xffff_ffff).map((seconds) => new EventTime(seconds, 5)),
)
const key: fc.Arbitrary<MsgValue> = fc.oneof(
  { weight: 20, arbitrary: text },
  { weight: 1, arbitrary: scalar },
)
const { value } = fc.letrec<{ value: MsgValue; map: MsgMap }>((tie) => ({
  value: fc.oneof(
    { maxDepth: 5 },
    scalar,
    fc.array(tie('value'), { maxLength: 5 }),
    tie('map') as fc.Arbitrary<MsgValue>,
  ),
  map: fc
    .array(fc.tuple(key, tie('value')), { maxLength: 24 })
    .map((pairs) => new Map(pairs as [MsgValue, MsgValue][])),
}))
const record = fc
  .array(fc.tuple(key, value), { maxLength: 40 })
  .map((pairs) => new Map(pairs) as MsgMap)
/** A record with keys that repeat, which a Map cannot hold. */
const repeating = fc.array(fc.tuple(key, value), { maxLength: 30 }).map((pairs) => {
  const encoder = new Encoder()
  encoder.mapHeader(pairs.length)
  for (const [name, item] of pairs) {
    encoder.value(name)
    encoder.value(item)
  }
  return encoder.copy()
})
const time = fc.oneof(
  fc
    .tuple(fc.nat(0xffff_ffff), fc.nat(0xffff_ffff))
    .map(([seconds, nano]) => new EventTime(seconds, nano)),
  fc.maxSafeInteger().map((seconds) => new EventTime(seconds, undefined)),
  fc.constantFrom(new EventTime(1_700_000_000, 1), new EventTime(1_700_000_000, undefined)),
)
const events = fc.array(fc.tuple(time, fc.oneof(record, repeating)), { minLength: 1, maxLength: 8 })
const spec: fc.Arbitrary<FormatSpec> = fc.constantFrom(
  jsonSpec,
  { ...jsonSpec, jsonParser: 'yajl' as const, newline: '\r\n' },
  stdoutSpec,
  outFileSpec('%Y-%m-%dT%H:%M:%S%:z', fixedZone(-19_800)),
  outFileSpec(
    '%^a %B %e %k %l %I %p %P %j %U %W %V %G %g %u %w %C %y %s %L %6N %12N %::z %Z %-d %_m %%',
  ),
  outFileSpec('%10A %:::z'),
)

describe('the kernel formats as the reference does', () => {
  test.each([
    ['with room', kernel],
    ['in regions of less than a kilobyte', smallKernel],
  ])('%s', (_name, tested) => {
    fc.assert(
      fc.property(events, spec, fc.string(), fc.nat(3000), (list, layout, tag, pieceBytes) => {
        const batch = { ...pack(list), tag }
        const formatted = formatAll(tested, layout, batch, pieceBytes)
        const expected = reference(layout, batch)
        expect(formatted.text).toBe(expected.text)
        expect(formatted.notFinite).toBe(expected.notFinite)
        expect(formatted.notUtf8).toBe(expected.notUtf8)
        expect(formatted.pieces.reduce((sum, piece) => sum + piece.count, 0)).toBe(list.length)
        for (const piece of formatted.pieces) {
          if (piece.count > 1) expect(piece.bytes.length).toBeLessThanOrEqual(pieceBytes)
        }
      }),
      { numRuns: 400 },
    )
  })

  test('strings of hostile bytes, at every alignment', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 90 }), fc.nat(20), (bytes, shift) => {
        const padding = 'x'.repeat(shift)
        const list = pack([
          [new EventTime(1, 2), new Map<MsgValue, MsgValue>([[padding, new RawString(bytes)]])],
        ])
        const text = Buffer.from(bytes).toString('utf8')
        expect(formatAll(kernel, jsonSpec, list).text).toBe(
          `${JSON.stringify({ [padding]: text })}\n`,
        )
      }),
      { numRuns: 3000 },
    )
  })

  test('plain records: JSON.stringify', () => {
    const plain = fc.dictionary(
      fc.string({ minLength: 1 }).filter((name) => !/^\d+$/.test(name) && name !== '__proto__'),
      fc.oneof(fc.string(), fc.boolean(), fc.constant(null), fc.maxSafeInteger()),
    )
    fc.assert(
      fc.property(plain, (object) => {
        const text = formatAll(kernel, jsonSpec, pack([[new EventTime(1, 2), object]])).text
        expect(text).toBe(`${JSON.stringify(object)}\n`)
      }),
    )
  })

  test('bytes inside the kernel are formatted in place, the same', () => {
    fc.assert(
      fc.property(events, spec, (list, layout) => {
        const batch = { ...pack(list), tag: 'x' }
        fc.pre(batch.packed.length < kernel.readArea.length)
        kernel.readArea.set(batch.packed)
        const inside = kernel.readArea.subarray(0, batch.packed.length)
        const formatted = formatAll(kernel, layout, { ...batch, packed: inside })
        expect(formatted.text).toBe(reference(layout, batch).text)
      }),
    )
  })
})

import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { EventTime, type MsgMap, type MsgValue } from '../../../src/core/value.ts'
import { loadKernel } from '../../../src/host/load-kernel.ts'
import { createKernel } from '../../../src/kernel/index.ts'
import { Encoder } from '../../../src/msgpack/encode.ts'
import { eachEntry, fieldKey, findField, textAt } from '../../../src/msgpack/entries.ts'

const kernel = createKernel(loadKernel())
const names = ['log', 'container_name', '', 'é', 'b']
const keys = names.map(fieldKey)

function pack(records: readonly (readonly [MsgValue, MsgValue][])[]): Uint8Array {
  const encoder = new Encoder()
  for (const pairs of records) {
    encoder.entry(new EventTime(1_700_000_000, 5))
    // By hand, as a Map has a key once.
    encoder.mapHeader(pairs.length)
    for (const [key, value] of pairs) {
      encoder.value(key)
      encoder.value(value)
    }
  }
  return encoder.copy()
}

const isAscii = (text: string) => /^[\x00-\x7f]*$/.test(text)

/** Each row against a walk in JavaScript. Returns how many entries had a row. */
function expectFound(packed: Uint8Array): number {
  const finder = kernel.createFieldFinder(keys)!
  const entries: { timeEnd: number; end: number }[] = []
  eachEntry(packed, (_, timeEnd, end) => entries.push({ timeEnd, end }))
  let done = 0
  let at = 0
  for (;;) {
    const rows = at < packed.length ? finder.find(packed, at) : 0
    if (rows === 0) return done
    for (let row = 0; row < rows; row++) {
      const entry = entries[done]!
      done += 1
      expect(finder.end(row)).toBe(entry.end)
      keys.forEach((key, k) => {
        const value = findField(packed, entry.timeEnd, key)
        const text = value < 0 ? undefined : textAt(packed, value)
        if (text !== undefined && isAscii(text)) {
          expect(finder.text(row, k)).toBe(text)
        } else {
          expect(finder.text(row, k)).toBeUndefined()
          expect(finder.at(row, k)).toBe(value)
        }
      })
      at = entry.end
    }
  }
}

const key: fc.Arbitrary<MsgValue> = fc.oneof(
  fc.constantFrom(...names),
  fc.constantFrom('log', 'lof', 'container_nam', 'other').map((name) => Buffer.from(name)),
  fc.constantFrom<MsgValue>(1, null, Buffer.from('é'), 'x'.repeat(40), new Map([['log', 'no']])),
)
const value: fc.Arbitrary<MsgValue> = fc.oneof(
  fc.string({ maxLength: 50 }),
  fc.string({ unit: 'binary', maxLength: 20 }),
  fc.integer({ min: 0, max: 300 }).map((n) => 'a'.repeat(n)),
  fc.constantFrom<MsgValue>(null, 5, -1.5, true, Buffer.from('log'), ['log', 1]),
  fc.constantFrom<MsgMap>(new Map([['log', 'inside']])),
)
const records = fc.array(fc.array(fc.tuple(key, value), { maxLength: 20 }), { maxLength: 10 })

describe('finding fields', () => {
  it('finds what a walk finds', () => {
    fc.assert(
      fc.property(records, (all) => {
        expect(expectFound(pack(all))).toBe(all.length)
      }),
      { numRuns: Number(process.env.FUZZ_RUNS ?? 500) },
    )
  })

  it('goes on where it stopped, and takes long entries', () => {
    const small: [MsgValue, MsgValue][] = [['log', 'a']]
    const long: [MsgValue, MsgValue][] = [
      ['log', 'b'.repeat(100_000)],
      ['b', 'c'],
    ]
    const all = [...Array.from({ length: 5000 }, () => small), long, small, long, long, small]
    expect(expectFound(pack(all))).toBe(all.length)
  })

  it('takes maps of many pairs, and entries of no fields that count', () => {
    const many = Array.from({ length: 70_000 }, (_, i): [MsgValue, MsgValue] => [`k${i % 9}`, 1])
    many.push(['b', 'last'])
    expect(expectFound(pack([many.slice(-20), many.slice(-1000), []]))).toBe(3)
    expect(expectFound(pack([many]))).toBe(1)
  })

  it('leaves entries that are too long, or broken, and those in front of them not', () => {
    const small: [MsgValue, MsgValue][] = [['log', 'a']]
    expect(expectFound(pack([small, [['log', 'b'.repeat(600_000)]]]))).toBe(1)
    const finder = kernel.createFieldFinder(keys)!
    const packed = pack([small, small])
    expect(finder.find(packed.subarray(0, packed.length - 1), 0)).toBe(1)
    expect(finder.find(Buffer.from('92cd', 'hex'), 0)).toBe(0)
    expect(finder.find(Buffer.from('920005', 'hex'), 0)).toBe(0)
    expect(finder.find(new Uint8Array(0), 0)).toBe(0)
  })

  it('looks at what lies in kernel memory where it is', () => {
    const packed = pack([[['log', 'here']], [['b', 'there']]])
    kernel.readArea.set(packed, 1000)
    expect(expectFound(kernel.readArea.subarray(1000, 1000 + packed.length))).toBe(2)
  })

  it('refuses more keys than there is room for', () => {
    const many = (count: number, bytes: number) =>
      kernel.createFieldFinder(
        Array.from({ length: count }, (_, i) => fieldKey(`${i}`.padEnd(bytes))),
      )
    expect(many(64, 100)).toBeDefined()
    expect(many(65, 3)).toBeUndefined()
    expect(many(2, 5000)).toBeUndefined()
  })
})

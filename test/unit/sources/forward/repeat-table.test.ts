import fc from 'fast-check'
import { expect, it } from 'vitest'
import { KeyHash, RepeatTable } from '../../../../src/sources/forward/repeat-table.ts'
import { createSeededRandom } from '../../../support/fake-host.ts'

const random = createSeededRandom(1)

function tableOf(limit: number, ageMs: number) {
  const table = new RepeatTable({ limit, ageMs, random })
  const hash = (key: number) => {
    const made = new KeyHash(table.seed)
    made.text(`client t ${key}`)
    return made
  }
  const add = (key: number, crc: number, nowMs: number) =>
    table.add(hash(key), { bytes: key, crc, owner: 0, passage: undefined }, { atMs: nowMs, nowMs })
  return { table, add, knows: (key: number, crc = key) => table.find(hash(key), key, crc) >= 0 }
}

it('knows what a list of the last messages knows', () => {
  const steps = fc.array(
    fc.record({ key: fc.nat(40), crc: fc.nat(2), later: fc.constantFrom(0, 0, 0, 1, 30) }),
    { maxLength: 400 },
  )
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 20 }), steps, (limit, list) => {
      const ageMs = 100
      const { table, add, knows } = tableOf(limit, ageMs)
      let expected: { key: number; crc: number; atMs: number }[] = []
      let nowMs = 0
      for (const { key, crc, later } of list) {
        nowMs += later
        add(key, crc, nowMs)
        expected = expected.filter((one) => one.key !== key)
        expected.push({ key, crc, atMs: nowMs })
        while (expected.length > limit || nowMs - (expected[0]?.atMs ?? 0) > ageMs) expected.shift()
        expect(table.size).toBe(expected.length)
        for (let other = 0; other <= 40; other++) {
          const sum = expected.find((each) => each.key === other)?.crc
          for (const each of [0, 1, 2]) expect(knows(other, each)).toBe(each === sum)
        }
      }
    }),
    { numRuns: 40 },
  )
})

it('grows to its limit, and holds the last ones', () => {
  const limit = 5_000
  const { table, add, knows } = tableOf(limit, 1_000)
  for (let n = 0; n < 5 * limit; n++) add(n, n, 0)
  expect(table.size).toBe(limit)
  expect([4 * limit - 1, 4 * limit, 5 * limit - 1].map((n) => knows(n))).toEqual([
    false,
    true,
    true,
  ])
  expect(Array.from({ length: limit }, (_, n) => knows(4 * limit + n)).every(Boolean)).toBe(true)
  // Too old: gone with the next one.
  add(0, 0, 2_000)
  expect([table.size, knows(0), knows(5 * limit - 1)]).toEqual([1, true, false])
})

it('with more gaps than there is room for, the oldest go', () => {
  const { table, add, knows } = tableOf(1_000, 1_000)
  add(1, 1, 0)
  for (let n = 0; n < 10_000; n++) add(2, 2, 0)
  expect(knows(2)).toBe(true)
  expect(table.size).toBeLessThanOrEqual(2)
})

it('hashes the bytes of a text as the text', () => {
  const seed = { low: 1, high: 2 }
  const [text, bytes] = [new KeyHash(seed), new KeyHash(seed)]
  text.text('key \u00ff')
  bytes.bytes(Uint8Array.of(0, 0x6b, 0x65, 0x79, 0x20, 0xff, 1), 1, 6)
  expect([bytes.low, bytes.high]).toEqual([text.low, text.high])
})

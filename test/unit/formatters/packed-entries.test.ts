import { describe, expect, it } from 'vitest'
import type { Formatter } from '../../../src/core/formatter.ts'
import { EventTime } from '../../../src/core/value.ts'
import { integerTimeEntries, packedEntries } from '../../../src/formatters/packed-entries.ts'
import { encode } from '../../../src/msgpack/encode.ts'
import { numbers } from '../buffer/support.ts'

function pieces(formatter: Formatter, batch: ReturnType<typeof numbers>, max: number) {
  const made: { hex: string; count: number }[] = []
  formatter.format(batch, max, (bytes, count) =>
    made.push({ hex: Buffer.from(bytes).toString('hex'), count }),
  )
  return made
}

const joined = (made: { hex: string }[]) => made.map(({ hex }) => hex).join('')

describe('packed entries', () => {
  const batch = numbers('t', 1, 5)
  const hex = Buffer.from(batch.packed).toString('hex')
  const entryBytes = batch.packed.byteLength / 5

  it('are handed on as they are where they fit: the same memory', () => {
    let same = false
    packedEntries.format(batch, 1000, (bytes) => {
      same = bytes === batch.packed
    })
    expect(same).toBe(true)
  })

  it.each([
    [5, [5]],
    [4, [4, 1]],
    [2, [2, 2, 1]],
    [1, [1, 1, 1, 1, 1]],
    [0, [1, 1, 1, 1, 1]],
  ])('are cut between entries: room for %i', (room, counts) => {
    const made = pieces(packedEntries, batch, room * entryBytes + 1)
    expect(made.map(({ count }) => count)).toEqual(counts)
    expect(joined(made)).toBe(hex)
  })
})

describe('time_as_integer', () => {
  it('cuts times, and leaves records and integers as they are', () => {
    const big = Buffer.from('92cfffffffffffffffff80', 'hex')
    const parts = [
      encode([new EventTime(1_700_000_000, 5), new Map([['a', 1.5]])]),
      encode([new EventTime(3, undefined), new Map()]),
      Buffer.from('92c7080065 53f100000000 05 81a16101'.replaceAll(' ', ''), 'hex'),
      big,
    ]
    const batch = { tag: 't', packed: Buffer.concat(parts), count: 4 }
    const expected = [
      '92ce6553f10081a161cb3ff8000000000000',
      '920380',
      '92ce6553f10081a16101',
      big.toString('hex'),
    ]
    expect(joined(pieces(integerTimeEntries(), batch, 1000))).toBe(expected.join(''))
    const small = pieces(integerTimeEntries(), batch, 12)
    expect(joined(small)).toBe(expected.join(''))
    expect(small.reduce((sum, { count }) => sum + count, 0)).toBe(4)
    expect(small.length).toBeGreaterThan(2)
  })
})

import { describe, expect, it } from 'vitest'
import type { Batch } from '../../../src/core/batch.ts'
import { EventTime, type MsgMap } from '../../../src/core/value.ts'
import { decodeBatch } from '../../../src/msgpack/entries.ts'
import { packEvents, recordFilter, textFormatter } from '../../../src/records/simple.ts'

const batchOf = (...values: readonly number[]): Batch =>
  packEvents(
    't',
    values.map((n) => ({
      time: new EventTime(n, n === 3 ? undefined : 7),
      record: new Map([['n', n]]),
    })),
  )

const numbersOf = (batch: Batch | undefined) =>
  batch && decodeBatch(batch).map(({ record }) => record.get('n'))

function filter(change: (record: MsgMap) => MsgMap | undefined) {
  const wrong: { batch: Batch; message: string }[] = []
  const made = recordFilter(({ record }) => change(record), {
    emitError: (batch, { message }) =>
      void wrong.push({ batch: { ...batch, packed: batch.packed.slice() }, message }),
  })
  return { apply: (batch: Batch) => made.apply(batch), wrong }
}

describe('recordFilter', () => {
  it('changes records, and leaves times as they were written', () => {
    const { apply } = filter((record) => record.set('n', Number(record.get('n')) * 10))
    const out = apply(batchOf(1, 2, 3))!
    expect([out.tag, out.count, numbersOf(out)]).toEqual(['t', 3, [10, 20, 30]])
    expect(decodeBatch(out).map(({ time }) => time)).toEqual(
      decodeBatch(batchOf(1, 2, 3)).map(({ time }) => time),
    )
  })

  it('drops events, and says so when none is left', () => {
    const { apply } = filter((record) => (record.get('n') === 2 ? undefined : record))
    expect(numbersOf(apply(batchOf(1, 2, 3)))).toEqual([1, 3])
    expect(apply(batchOf(2, 2))).toBeUndefined()
  })

  it.each<[string, () => never | MsgMap]>([
    [
      'throws',
      () => {
        throw new Error('x')
      },
    ],
    ['gives what cannot be packed', () => new Map([['f', (() => 1) as never]])],
    ['gives no Map', () => ({ n: 1 }) as never],
  ])('an event for which it %s is reported whole, and left out', (_how, result) => {
    const { apply, wrong } = filter((record) => (record.get('n') === 2 ? result() : record))
    const out = apply(batchOf(1, 2, 3))
    expect([numbersOf(out), out?.count]).toEqual([[1, 3], 2])
    expect(wrong.map(({ batch }) => [batch.count, numbersOf(batch)])).toEqual([[1, [2]]])
  })

  it('can be used again: what it gave before is as long as it was', () => {
    const { apply } = filter((record) => record)
    apply(batchOf(1, 2, 3))
    expect(numbersOf(apply(batchOf(4)))).toEqual([4])
  })
})

describe('textFormatter', () => {
  it.each([
    [1_000, ['1\n2\n3\n'], [3]],
    [12, ['1\n2\n', '3\n'], [2, 1]],
    [1, ['1\n', '2\n', '3\n'], [1, 1, 1]],
  ])('makes pieces of %i bytes at most, and of whole events', (limit, texts, counts) => {
    const pieces: [string, number][] = []
    textFormatter(({ record }) => `${record.get('n')}\n`).format(
      batchOf(1, 2, 3),
      limit,
      (bytes, count) => void pieces.push([Buffer.from(bytes).toString(), count]),
    )
    expect(pieces).toEqual(texts.map((text, i) => [text, counts[i]]))
  })
})

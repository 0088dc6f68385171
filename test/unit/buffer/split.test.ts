import { describe, expect, it } from 'vitest'
import { chunkingOf } from '../../../src/buffer/chunk-keys.ts'
import { createSplitter } from '../../../src/buffer/split.ts'
import type { Batch } from '../../../src/core/batch.ts'
import { MsgFloat, type MsgMap } from '../../../src/core/value.ts'
import { decodeBatch } from '../../../src/msgpack/entries.ts'
import { createVirtualClock } from '../../support/virtual-clock.ts'
import { batchOf, bufferOf, slowKernel } from './support.ts'

function split(written: Readonly<Record<string, unknown>>, batch: Batch) {
  const chunking = chunkingOf(bufferOf(written), createVirtualClock())
  return createSplitter(
    chunking,
    slowKernel,
  )(batch).map((part) => {
    const events = decodeBatch(part)
    expect(events).toHaveLength(part.count)
    return { ...part, events: events.map(({ record }) => record.get('n')) }
  })
}

describe('splitting batches by chunk keys', () => {
  const three = batchOf('a.b', [
    { time: 100, record: { n: 1, k: 'x' } },
    { time: 159, record: { n: 2, k: 'y' } },
    { time: 160, record: { n: 3, k: 'x' } },
  ])

  it('leaves a batch whole without keys', () => {
    expect(split({}, three)).toMatchObject([{ key: '', tag: undefined, events: [1, 2, 3] }])
    expect(split({ chunk_keys: ['tag'] }, three)).toMatchObject([{ tag: 'a.b', events: [1, 2, 3] }])
  })

  it('cuts by time', () => {
    const parts = split({ chunk_keys: ['time'], timekey: 60, timekey_use_utc: true }, three)
    expect(parts).toMatchObject([
      { timekey: 60, tag: undefined, events: [1] },
      { timekey: 120, events: [2, 3] },
    ])
  })

  it('gathers by field, in order', () => {
    expect(split({ chunk_keys: ['k'] }, three)).toMatchObject([
      { variables: { k: 'x' }, events: [1, 3] },
      { variables: { k: 'y' }, events: [2] },
    ])
  })

  it('takes all keys together, and different keys for different chunks', () => {
    const parts = split(
      { chunk_keys: ['time', 'tag', 'k'], timekey: 60, timekey_use_utc: true },
      three,
    )
    expect(
      parts.map(({ timekey, tag, variables, events }) => [timekey, tag, variables?.k, events]),
    ).toEqual([
      [60, 'a.b', 'x', [1]],
      [120, 'a.b', 'y', [2]],
      [120, 'a.b', 'x', [3]],
    ])
    expect(new Set(parts.map(({ key }) => key)).size).toBe(3)
  })

  it('finds nested fields, and shows values as text', () => {
    const nested = (value: unknown) => new Map([['id', value]]) as unknown as MsgMap
    const batch = batchOf('t', [
      { record: { n: 1, o: nested('a/b') } },
      { record: { n: 2, o: nested(7) } },
      { record: { n: 3, o: nested(new MsgFloat(3)) } },
      { record: { n: 4, o: nested(true) } },
      { record: { n: 5, o: nested(null) } },
      { record: { n: 6, o: 'no map' } },
      { record: { n: 7 } },
      { record: { n: 8, o: nested(new Map()) } },
    ])
    const parts = split({ chunk_keys: ['$.o.id'] }, batch)
    expect(parts.map(({ variables, events }) => [variables?.['$.o.id'], events])).toEqual([
      ['a/b', [1]],
      ['7', [2]],
      ['3.0', [3]],
      ['true', [4]],
      [null, [5, 6, 7]],
      ['', [8]],
    ])
  })

  it('keeps fields named like parts of objects as data', () => {
    const parts = split({ chunk_keys: ['__proto__'] }, batchOf('t', [{ record: { n: 1 } }]))
    expect(parts[0]?.variables).toEqual(Object.assign(Object.create(null), { ['__proto__']: null }))
    expect(Object.getPrototypeOf(parts[0]?.variables)).toBe(null)
  })
})

describe('slices in zones', () => {
  const days = (zone: string, ...times: number[]) =>
    split(
      { chunk_keys: ['time'], timekey: 86_400, timekey_zone: zone },
      batchOf(
        't',
        times.map((time, n) => ({ time, record: { n } })),
      ),
    ).map(({ timekey, events }) => [new Date((timekey as number) * 1000).toISOString(), events])

  it('begin at midnight there', () => {
    // 2023-11-14 22:13:20 UTC is the 15th in Tokyo.
    expect(days('Asia/Tokyo', 1_700_000_000)).toEqual([['2023-11-14T15:00:00.000Z', [0]]])
    expect(days('+0900', 1_700_000_000)).toEqual([['2023-11-14T15:00:00.000Z', [0]]])
    expect(days('-0330', 1_700_000_000)).toEqual([['2023-11-14T03:30:00.000Z', [0]]])
  })

  it('follow summer time inside a batch', () => {
    // Clocks in New York went from -05:00 to -04:00 on 2024-03-10 at 07:00 UTC.
    const before = Date.UTC(2024, 2, 10, 6, 30) / 1000
    const after = Date.UTC(2024, 2, 11, 3, 30) / 1000
    const next = Date.UTC(2024, 2, 11, 4, 30) / 1000
    expect(days('America/New_York', before, after, next)).toEqual([
      ['2024-03-10T05:00:00.000Z', [0]],
      ['2024-03-10T04:00:00.000Z', [1]],
      ['2024-03-11T04:00:00.000Z', [2]],
    ])
  })
})

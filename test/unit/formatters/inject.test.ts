import { describe, expect, test } from 'vitest'
import { EventTime, type MsgMap, type MsgValue } from '../../../src/core/value.ts'
import { createInject, injectSection } from '../../../src/formatters/inject.ts'
import { Encoder } from '../../../src/msgpack/encode.ts'
import { decodeBatch } from '../../../src/msgpack/entries.ts'
import { boundParams } from '../../support/bound-params.ts'
import { pack } from '../kernel/format-helpers.ts'

const options = { hostname: 'web1', workerId: 3, clock: { localOffsetSeconds: () => 32_400 } }
const time = new EventTime(1_700_000_000, 123_456_789)

function inject(
  values: Record<string, unknown>,
  record: MsgMap | Uint8Array | Record<string, MsgValue> = { a: 1 },
  at = time,
): [MsgValue, MsgValue][] {
  const add = createInject(boundParams(injectSection().shape, values), options)
  const batch = add!({ tag: 'i.one', ...pack([[at, record]]) })
  expect(batch).toMatchObject({ tag: 'i.one', count: 1 })
  const [event] = decodeBatch(batch)
  expect(event?.time).toEqual(at)
  return [...event!.record]
}

test('all of them, in the order of Fluentd', () => {
  const values = { tag_key: 't', time_key: 'at', hostname_key: 'h', worker_id_key: 'w' }
  expect(inject({ ...values, time_type: 'unixtime' })).toEqual([
    ['a', 1],
    ['h', 'web1'],
    ['w', 3],
    ['t', 'i.one'],
    ['at', 1_700_000_000],
  ])
})

describe('time', () => {
  const whole = new EventTime(1_700_000_001, undefined)
  test.each<[Record<string, unknown>, unknown, unknown]>([
    [{}, 1_700_000_000.123456, { value: 1_700_000_001 }],
    [{ time_type: 'unixtime' }, 1_700_000_000, 1_700_000_001],
    [{ time_type: 'unixtime_millis' }, 1_700_000_000_123, 1_700_000_001_000],
    [{ time_type: 'unixtime_micros' }, 1_700_000_000_123_456, 1_700_000_001_000_000],
    [{ time_type: 'unixtime_nanos' }, 1_700_000_000_123_456_789n, 1_700_000_001_000_000_000n],
    [{ time_type: 'string' }, '2023-11-15T07:13:20+09:00', '2023-11-15T07:13:21+09:00'],
    [{ time_type: 'string', utc: true }, '2023-11-14T22:13:20Z', '2023-11-14T22:13:21Z'],
    [
      { time_type: 'string', timezone: '-01:00' },
      '2023-11-14T21:13:20-01:00',
      '2023-11-14T21:13:21-01:00',
    ],
    [
      { time_type: 'string', timezone: 'Nowhere/City' },
      '2023-11-15T07:13:20+09:00',
      '2023-11-15T07:13:21+09:00',
    ],
    [{ time_type: 'string', time_format: '%H:%M:%S.%L' }, '07:13:20.123', '07:13:21.000'],
  ])('%j', (values, ofEventTime, ofInteger) => {
    expect(inject({ time_key: 'x', ...values }, {})).toEqual([['x', ofEventTime]])
    expect(inject({ time_key: 'x', ...values }, {}, whole)).toEqual([['x', ofInteger]])
  })

  test('times beyond what the units hold', () => {
    const far = new EventTime(Number.MAX_SAFE_INTEGER, undefined)
    expect(inject({ time_key: 'x', time_type: 'unixtime_nanos' }, {}, far)).toEqual([
      ['x', 2n ** 63n - 1n],
    ])
  })
})

test('a key that is there keeps its place and its neighbours', () => {
  const values = { tag_key: 'b', hostname_key: 'd' }
  expect(inject(values, { a: 1, b: 'old', c: [1, 2], d: null, e: 'end' })).toEqual([
    ['a', 1],
    ['b', 'i.one'],
    ['c', [1, 2]],
    ['d', 'web1'],
    ['e', 'end'],
  ])
})

test('a key that stands twice', () => {
  const encoder = new Encoder()
  encoder.mapHeader(3)
  for (const [key, value] of [
    ['k', 1],
    ['z', 0],
    ['k', 2],
  ] as const) {
    encoder.value(key)
    encoder.value(value)
  }
  expect(inject({ tag_key: 'k' }, encoder.copy())).toEqual([
    ['k', 'i.one'],
    ['z', 0],
  ])
})

test('of two parameters with one key the later gives the value', () => {
  expect(inject({ tag_key: 'k', hostname_key: 'k' })).toEqual([
    ['a', 1],
    ['k', 'i.one'],
  ])
})

test('a record of 15 fields gets a longer head', () => {
  const fields = Object.fromEntries(Array.from({ length: 15 }, (_, i) => [`f${i}`, i]))
  expect(inject({ tag_key: 't' }, fields)).toHaveLength(16)
})

test('nothing to add', () => {
  expect(createInject(undefined, options)).toBeUndefined()
  expect(
    createInject(boundParams(injectSection().shape, { hostname: 'x' }), options),
  ).toBeUndefined()
})

test('the host name cannot be a chunk key too', () => {
  const params = boundParams(injectSection().shape, { hostname_key: 'h' })
  expect(() => createInject(params, { ...options, chunkKeys: ['h'] })).toThrow(
    "the key specified by 'hostname_key' in <inject> cannot be used in buffering chunk key.",
  )
})

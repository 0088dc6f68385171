import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { ConfigError } from '../../../src/core/errors.ts'
import {
  EventTime,
  MsgFloat,
  type MsgMap,
  type MsgValue,
  RawString,
} from '../../../src/core/value.ts'
import { recordTransformerFilter } from '../../../src/filters/record_transformer/index.ts'
import { Encoder } from '../../../src/msgpack/encode.ts'
import { decodeBatch } from '../../../src/msgpack/entries.ts'
import { batchOf, eventsOf, recordOf } from '../../support/batches.ts'
import { boundParams, placeOf } from '../../support/bound-params.ts'
import { createFakeHost } from '../../support/fake-host.ts'

type Fields = Record<string, string>

function create(
  fields: Fields,
  values: Readonly<Record<string, unknown>> = {},
  typed: [string, MsgValue][] = [],
) {
  const host = createFakeHost()
  host.clock.localOffsetSeconds = () => 9 * 3600
  const record = [{ extra: new Map(Object.entries(fields)), extraTyped: new Map(typed) }]
  const params = boundParams(recordTransformerFilter.shape, { record, ...values })
  const errors: [MsgMap, Error][] = []
  const context = {
    host,
    log: host.log,
    emitError: (batch: never, error: Error) => errors.push([eventsOf(batch)[0]![1], error]),
  }
  return { filter: recordTransformerFilter.create(params, context as never), host, errors }
}

const transformed = (
  fields: Fields,
  values: Readonly<Record<string, unknown>>,
  records: readonly object[],
  tag = 'e.a.b.c',
) => eventsOf(create(fields, values).filter.apply(batchOf(tag, records)))

describe('record_transformer sets', () => {
  const raw = new RawString(Uint8Array.of(0xff))
  const cases: [string, Fields, object, object, string?][] = [
    ['a text', { fixed: 'some text' }, { a: 1 }, { a: 1, fixed: 'some text' }],
    ['a field in its place', { a: 'new' }, { a: 1, b: 2 }, { a: 'new', b: 2 }],
    ['the tag', { t: '${tag}', u: 'in ${tag}!' }, {}, { t: 'e.a.b.c', u: 'in e.a.b.c!' }],
    [
      'parts of the tag',
      {
        p: '${tag_parts[0]}',
        l: '${tag_parts[-1]}',
        r: '${tag_prefix[1]}',
        s: '${tag_suffix[1]}',
        m: '${tag_suffix[-2]}',
      },
      {},
      { p: 'e', l: 'c', r: 'e.a', s: 'a.b.c', m: 'b.c' },
    ],
    [
      'parts that the tag does not have',
      {
        a: '${tag_parts[9]}',
        b: '<${tag_prefix[1]}>',
        c: '${tag_suffix[-5]}',
        d: '${tag_parts[01]}',
      },
      {},
      { a: null, b: '<>', c: null, d: null },
      'one',
    ],
    [
      'dots at the end of the tag',
      { p: '${tag_parts[-1]}', s: '${tag_suffix[0]}' },
      {},
      { p: 'b', s: 'a..b' },
      'a..b..',
    ],
    ['an empty tag', { t: '${tag}', p: '${tag_parts[0]}' }, {}, { t: '', p: null }, ''],
    [
      'the host',
      { h: '${hostname}', g: 'on ${hostname}.' },
      {},
      { h: 'sluice.test', g: 'on sluice.test.' },
    ],
    [
      'the time',
      { t: '${time}', u: 'at ${time}' },
      {},
      { t: '2023-11-15 07:13:20 +0900', u: 'at 2023-11-15 07:13:20 +0900' },
    ],
    [
      'fields, with their type',
      { n: '${record["n"]}', f: '${record["f"]}', l: '${record["l"]}', nil: '${record["nil"]}' },
      { n: 200, f: new MsgFloat(1), l: [1, { a: 2 }] },
      { n: 200, f: new MsgFloat(1), l: [1, { a: 2 }], nil: null },
    ],
    [
      'fields as text',
      { x: 'c${record["n"]}-${record["f"]}-${record["l"]}-${record["none"]}' },
      { n: true, f: new MsgFloat(1), l: ['é', { a: 1 }] },
      { n: true, f: new MsgFloat(1), l: ['é', { a: 1 }], x: 'ctrue-1.0-["\\u00E9", {"a"=>1}]-' },
    ],
    [
      'the old values, in any order',
      { a: '${record["b"]}', b: '${record["a"]}' },
      { a: 1, b: 2 },
      { a: 2, b: 1 },
    ],
    [
      'nothing for nested or unknown ones',
      {
        a: '${record["x"]["y"]}',
        b: '${record.dig("x", "y")}',
        c: '${unknown}',
        d: '__HOSTNAME__',
        e: 'a${x}b__Y__',
      },
      { x: { y: 1 } },
      { x: { y: 1 }, a: null, b: null, c: null, d: null, e: 'ab' },
    ],
    [
      'no placeholder where there is none',
      { a: '$5 {x} ${} __x__ $' },
      {},
      { a: '$5 {x} ${} __x__ $' },
    ],
    [
      'JSON',
      {
        j: '{"k":"${tag}","n":1,"l":["${record[\\"m\\"]}",2,{"${record[\\"m\\"]}":1.5}]}',
        arr: '["x","${tag_parts[1]}"]',
        c: '{"a":[null,true]}',
      },
      { m: 'mm' },
      {
        m: 'mm',
        j: { k: 'e.a.b.c', n: 1, l: ['mm', 2, { mm: 1.5 }] },
        arr: ['x', 'a'],
        c: { a: [null, true] },
      },
    ],
    [
      'what is no JSON, as text',
      { j: '{"k":${record["m"]}', e: '[' },
      { m: 'mm' },
      { m: 'mm', j: '{"k":mm', e: '[' },
    ],
    [
      'keys with placeholders',
      { 'k_${tag_parts[0]}': '1', '${record["m"]}': '2' },
      { m: 'mm', mm: 0 },
      { m: 'mm', mm: '2', k_e: '1' },
    ],
    [
      'bytes that are not UTF-8',
      { a: '${record["r"]}', b: 'x${record["r"]}' },
      { r: raw },
      { r: raw, a: raw, b: new RawString(Uint8Array.of(0x78, 0xff)) },
    ],
    [
      'keys like __proto__',
      { __proto__x: '1', constructor: '2' },
      { ['__proto__']: 3 },
      { ['__proto__']: 3, __proto__x: '1', constructor: '2' },
    ],
  ]
  it.each(cases)('%s', (_, fields, record, expected, tag) => {
    const events = transformed(fields, {}, [record], tag)
    expect(events).toEqual([[1_700_000_000, recordOf(expected)]])
    const order = (value: MsgMap) => [...value.keys()]
    if (!Object.keys(fields).some((key) => key.includes('$'))) {
      expect(order(events[0]![1])).toEqual(order(recordOf(expected)))
    }
  })

  it('values that are no text', () => {
    const { filter } = create({ a: '5', b: '' }, {}, [
      ['a', 5],
      ['b', null],
    ])
    expect(eventsOf(filter.apply(batchOf('t', [{}])))).toEqual([
      [1_700_000_000, recordOf({ a: 5, b: null })],
    ])
  })

  it('texts only, without auto_typecast', () => {
    const fields = {
      a: '${record["n"]}',
      b: '${tag}',
      c: '["${record[\\"n\\"]}"]',
      d: '${record["none"]}',
    }
    expect(transformed(fields, { auto_typecast: false }, [{ n: 5 }], 't')).toEqual([
      [1_700_000_000, recordOf({ n: 5, a: '5', b: 't', c: ['5'], d: '' })],
    ])
  })
})

describe('record_transformer removes', () => {
  const cases: [string, Fields, Record<string, unknown>, object, object][] = [
    ['keys', {}, { remove_keys: ['a', 'none'] }, { a: 1, b: 2 }, { b: 2 }],
    [
      'keys that it sets',
      { a: 'x', c: 'y' },
      { remove_keys: ['a'] },
      { a: 1, b: 2 },
      { b: 2, c: 'y' },
    ],
    [
      'keys that it reads',
      { c: '${record["a"]}' },
      { remove_keys: ['a'] },
      { a: 1, b: 2 },
      { b: 2, c: 1 },
    ],
    [
      'paths',
      { c: 'y' },
      { remove_keys: ['$.n.secret', 'a', '$.l[0]', '$.a.b'] },
      { n: { secret: 1, open: 2 }, l: [1, 2], a: 0 },
      { n: { open: 2 }, l: [2], c: 'y' },
    ],
    ['all others', { m: '${record["a"]}' }, { renew_record: true }, { a: 1, b: 2 }, { m: 1 }],
    [
      'all but keep_keys',
      { m: '${record["a"]}', b: 'x' },
      { renew_record: true, keep_keys: ['c', 'b', 'none'] },
      { a: 1, b: 2, c: 3 },
      { c: 3, b: 'x', m: 1 },
    ],
    ['everything', {}, { renew_record: true }, { a: 1 }, {}],
  ]
  it.each(cases)('%s', (_, fields, values, record, expected) => {
    const [event] = transformed(fields, values, [record])
    expect(event).toEqual([1_700_000_000, recordOf(expected)])
    expect([...event![1].keys()]).toEqual(Object.keys(expected))
  })
})

describe('record_transformer and time', () => {
  const cases: [MsgValue, EventTime | string][] = [
    [1600000000, new EventTime(1600000000, 0)],
    ['1600000001', new EventTime(1600000001, 0)],
    [1600000002.5, new EventTime(1600000002, 500_000_000)],
    [null, new EventTime(0, 0)],
    [-1.5, new EventTime(-2, undefined)],
    ['text', new EventTime(0, 0)],
    [true, 'the value of renew_time_key is no time'],
    [Number.POSITIVE_INFINITY, 'the value of renew_time_key is no time'],
  ]
  it.each(cases)('renew_time_key %s', (value, expected) => {
    const { filter, errors } = create(
      { ts: '${record["when"]}' },
      { renew_time_key: 'ts', remove_keys: ['ts'] },
    )
    const rest = filter.apply(batchOf('t', [{ when: value }, { when: 7 }]))
    const times = decodeBatch(rest!).map(({ time }) => time)
    if (typeof expected === 'string') {
      expect(times).toEqual([new EventTime(7, 0)])
      expect(errors).toEqual([
        [recordOf({ when: value }), expect.objectContaining({ message: expected })],
      ])
    } else {
      expect(times).toEqual([expected, new EventTime(7, 0)])
    }
  })

  it('leaves the time alone where the field is missing', () => {
    expect(transformed({}, { renew_time_key: 'ts' }, [{ a: 1 }])).toEqual([
      [1_700_000_000, recordOf({ a: 1 })],
    ])
  })
})

describe('record_transformer and bytes', () => {
  it('copies what it does not touch', () => {
    // ext 8 time, {"a": 1 as uint64, "b": bin, "c": float32}
    const entry = '92c708006553f1000000000083a161cf0000000000000001a162c40161a163ca3fc00000'
    const { filter } = create({ d: '1' })
    const rest = filter.apply({ tag: 't', packed: Buffer.from(entry, 'hex'), count: 1 })
    const expected = entry.replace('0083a161', '0084a161')
    expect(Buffer.from(rest!.packed).toString('hex')).toBe(`${expected}a164a131`)
  })

  it('sends events that would be nested too deep to @ERROR, and goes on', () => {
    let deep: MsgValue = 1
    for (let i = 0; i < 62; i++) deep = [deep]
    const { filter, errors } = create({ x: '{"y":"${record[\\"a\\"]}"}' })
    const rest = filter.apply(batchOf('t', [{ a: deep }, { a: 1 }]))
    expect(eventsOf(rest)).toEqual([[1_700_000_001, recordOf({ a: 1, x: { y: 1 } })]])
    expect(errors).toEqual([[recordOf({ a: deep }), expect.objectContaining({ code: 'too_deep' })]])
    const same = create({ x: '${record["a"]}' }).filter.apply(batchOf('t', [{ a: deep }]))
    expect(eventsOf(same)).toEqual([[1_700_000_000, recordOf({ a: deep, x: deep })]])
  })

  it('patches to what rebuilding gives', () => {
    const key = fc.constantFrom('a', 'b', 'c', 'd', 'ab', 'é')
    const value = fc.constantFrom<MsgValue>(
      1,
      'x',
      null,
      [1, 'y'],
      new Map([['a', 2]]),
      new Uint8Array([1]),
    )
    const template = fc.constantFrom(
      '1',
      '${record["a"]}',
      '${record["b"]}-${tag}',
      '["${record[\\"c\\"]}"]',
      '{"${record[\\"a\\"]}":"${time}"}',
    )
    fc.assert(
      fc.property(
        fc.array(fc.tuple(key, value)),
        fc.dictionary(key, template),
        fc.array(key),
        fc.boolean(),
        (pairs, fields, removed, renew) => {
          const encoder = new Encoder()
          encoder.entry(new EventTime(1, 2))
          encoder.mapHeader(pairs.length)
          for (const [name, item] of pairs) {
            encoder.value(name)
            encoder.value(item)
          }
          const batch = { tag: 't', packed: encoder.copy(), count: 1 }
          const values = { remove_keys: removed, renew_record: renew }
          // A path that leads nowhere makes it rebuild.
          const rebuilding = { ...values, remove_keys: [...removed, '$.no.where'] }
          expect(eventsOf(create(fields, values).filter.apply(batch))).toEqual(
            eventsOf(create(fields, rebuilding).filter.apply(batch)),
          )
        },
      ),
      { numRuns: 300, seed: 20231114 },
    )
  })
})

describe('record_transformer says', () => {
  it('which placeholders stand for nothing, not for each event', () => {
    const { filter, host } = create({ a: '${record["none"]}' })
    filter.apply(batchOf('t', [{}, {}]))
    expect(host.log.messages('warn')).toEqual(['unknown placeholder `${record["none"]}` found'])
  })

  const refused: [string, Record<string, unknown>, string, string][] = [
    ['keep_keys alone', { keep_keys: ['a'] }, '`renew_record` must be true', 'keep_keys'],
    ['a broken path', { remove_keys: ['$.'] }, 'empty keys', 'remove_keys'],
  ]
  it.each(refused)('that it cannot: %s', (_, values, words, place) => {
    const attempt = () => create({}, values)
    expect(attempt).toThrow(ConfigError)
    expect(attempt).toThrow(words)
    expect(attempt).toThrow(expect.objectContaining({ position: placeOf(place) }))
  })
})

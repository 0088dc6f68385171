import { describe, expect, it } from 'vitest'
import { ConfigError } from '../../../src/core/errors.ts'
import { type Parser, ParserError } from '../../../src/core/parser.ts'
import { EventTime, type MsgMap, RawString } from '../../../src/core/value.ts'
import { parserFilter } from '../../../src/filters/parser/index.ts'
import { parsers } from '../../../src/parsers/index.ts'
import { batchOf, eventsOf, recordOf } from '../../support/batches.ts'
import { boundParams, placeOf } from '../../support/bound-params.ts'
import { createFakeHost } from '../../support/fake-host.ts'

type Values = Readonly<Record<string, unknown>>

function create(values: Values, parse: Values | Parser = { type: 'json' }) {
  const host = createFakeHost({ startMs: 1_900_000_000_000 })
  const errors: [MsgMap, string][] = []
  const createParser = () => {
    if ('parse' in parse) return parse
    const { type, ...rest } = parse
    const definition = parsers.find((candidate) => candidate.name === type)!
    return definition.create(boundParams(definition.shape, rest), { host } as never)
  }
  const context = {
    host,
    createParser,
    emitError: (batch: never, error: Error) =>
      errors.push([eventsOf(batch)[0]![1], `${error.name}: ${error.message}`]),
  }
  const params = boundParams(parserFilter.shape, { parse: {}, ...values })
  return { filter: parserFilter.create(params, context as never), errors }
}

/** Events at 1700000000 and so on; what comes out as [seconds, record], and what went to @ERROR. */
function run(values: Values, parse: Values | Parser, records: readonly object[]) {
  const { filter, errors } = create(values, parse)
  return { events: eventsOf(filter.apply(batchOf('t', records))), errors }
}

const json = { type: 'json' }
const keep = { key_name: 'log', reserve_data: true, reserve_time: true }
const noMatch = (data: string) => `ParserError: pattern not matched with data '${data}'`

type Case = [string, Values, Values, object[], [number, object][], [object, string][]]

describe('the parser filter', () => {
  const cases: Case[] = [
    [
      'reserve_data and reserve_time',
      keep,
      json,
      [{ log: '{"a":1,"keep":"parsed"}', keep: 'orig', z: 2 }, { log: 'bad', z: 3 }, { z: 4 }],
      [
        [0, { log: '{"a":1,"keep":"parsed"}', keep: 'parsed', z: 2, a: 1 }],
        [1, { log: 'bad', z: 3 }],
        [2, { z: 4 }],
      ],
      [
        [{ log: 'bad', z: 3 }, noMatch('bad')],
        [{ z: 4 }, 'ArgumentError: log does not exist'],
      ],
    ],
    [
      'only parsed fields',
      { key_name: 'log', reserve_time: true },
      json,
      [
        { log: '{"a":[1,{"b":null}]}', z: 2 },
        { log: '[1,2]' },
        { log: '[{"a":1},{"b":2}]' },
        { log: '[]' },
        { log: '' },
      ],
      [
        [0, { a: [1, { b: null }] }],
        [2, { a: 1 }],
        [2, { b: 2 }],
      ],
      [
        [{ log: '[1,2]' }, noMatch('[1,2]')],
        [{ log: '[1,2]' }, noMatch('[1,2]')],
        [{ log: '' }, noMatch('')],
      ],
    ],
    [
      'values that are no text',
      keep,
      json,
      [{ log: 5 }, { log: { a: 1 } }, { log: null }, { log: true }],
      [
        [0, { log: 5 }],
        [1, { log: { a: 1 } }],
        [2, { log: null }],
        [3, { log: true }],
      ],
      [
        [{ log: 5 }, noMatch('5')],
        [{ log: { a: 1 } }, noMatch('{"a"=>1}')],
        [{ log: null }, 'ArgumentError: log does not exist'],
        [{ log: true }, noMatch('true')],
      ],
    ],
    [
      'hash_value_field',
      { ...keep, hash_value_field: 'parsed' },
      json,
      [{ log: '{"a":1}', z: 2 }, { log: 'bad', z: 3 }, { z: 9 }],
      [
        [0, { log: '{"a":1}', z: 2, parsed: { a: 1 } }],
        [1, { log: 'bad', z: 3, parsed: {} }],
        [2, { z: 9, parsed: {} }],
      ],
      [
        [{ log: 'bad', z: 3 }, noMatch('bad')],
        [{ z: 9 }, 'ArgumentError: log does not exist'],
      ],
    ],
    [
      'hash_value_field and inject_key_prefix alone',
      { key_name: 'log', reserve_time: true, hash_value_field: 'h', inject_key_prefix: 'p_' },
      json,
      [{ log: '{"a":1,"b":{"c":2}}' }],
      [[0, { h: { p_a: 1, p_b: { c: 2 } } }]],
      [],
    ],
    [
      'remove_key_name_field',
      { ...keep, remove_key_name_field: true },
      json,
      [
        { log: '{"log":"from inside"}', z: 1 },
        { log: '{"q":1}', z: 2 },
        { log: 'not', z: 3 },
      ],
      [
        [0, { z: 1, log: 'from inside' }],
        [1, { z: 2, q: 1 }],
        [2, { log: 'not', z: 3 }],
      ],
      [[{ log: 'not', z: 3 }, noMatch('not')]],
    ],
    [
      'a nested key',
      { ...keep, key_name: '$.a.b', remove_key_name_field: true },
      json,
      [{ a: { b: '{"x":1}', c: 3 } }, { a: { b: 'bad' } }, { a: 1 }, { a: null }],
      [
        [0, { a: { c: 3 }, x: 1 }],
        [1, { a: { b: 'bad' } }],
        [3, { a: null }],
      ],
      [
        [{ a: { b: 'bad' } }, noMatch('bad')],
        [{ a: 1 }, 'TypeError: a value on the way to b has no fields'],
        [{ a: null }, 'ArgumentError: $.a.b does not exist'],
      ],
    ],
    [
      'emit_invalid_record_to_error false',
      { key_name: 'log', reserve_time: true, emit_invalid_record_to_error: false },
      json,
      [{ log: '{"a":1}' }, { log: 'bad' }, { z: 1 }],
      [[0, { a: 1 }]],
      [],
    ],
    [
      'no replacement of bad bytes',
      keep,
      { type: 'regexp', expression: '^(?<a>.)' },
      [{ log: new RawString(Uint8Array.of(0xff)) }, { log: 'x' }],
      [[1, { log: 'x', a: 'x' }]],
      [
        [
          { log: new RawString(Uint8Array.of(0xff)) },
          'ParserError: invalid byte sequence in UTF-8',
        ],
      ],
    ],
    [
      'replace_invalid_sequence',
      { key_name: 'log', reserve_time: true, replace_invalid_sequence: true },
      { type: 'regexp', expression: '/^(?<a>\\S+) (?<b>.*)$/' },
      [{ log: new RawString(Buffer.from('61ff2062fe', 'hex')) }, { log: 'x y' }],
      [
        [0, { a: 'a?', b: 'b?' }],
        [1, { a: 'x', b: 'y' }],
      ],
      [],
    ],
    [
      'a time that cannot be taken',
      keep,
      { type: 'json', time_type: 'string' },
      [{ log: '{"time":"bad"}' }],
      [],
      [[{ log: '{"time":"bad"}' }, 'ParserError: invalid time format: value = bad']],
    ],
    [
      'every event left out',
      { key_name: 'log' },
      json,
      [{ log: 'bad' }],
      [],
      [[{ log: 'bad' }, noMatch('bad')]],
    ],
  ]
  it.each(cases)('%s', (_, values, parse, records, events, errors) => {
    const found = run(values, parse, records)
    expect(found.events).toEqual(events.map(([i, record]) => [1_700_000_000 + i, recordOf(record)]))
    found.events.forEach(([, record], i) => {
      expect([...record.keys()]).toEqual(Object.keys(events[i]![1]))
    })
    expect(found.errors).toEqual(errors.map(([record, words]) => [recordOf(record), words]))
  })

  it('takes the time of the text, the current one, or its own', () => {
    const log = (text: string) => [{ log: text }]
    const seconds = (values: Values, parse: Values, text: string) =>
      run({ key_name: 'log', ...values }, parse, log(text)).events[0]![0]
    expect(seconds({}, json, '{"time":5}')).toBe(5)
    expect(seconds({ reserve_time: true }, json, '{"time":5}')).toBe(1_700_000_000)
    expect(seconds({}, json, '{}')).toBe(1_900_000_000)
    expect(seconds({}, { ...json, estimate_current_event: false }, '{}')).toBe(1_700_000_000)
  })

  it('keeps the bytes of what it does not change', () => {
    // An EventTime in ext 8 form, {"z": 1 as uint64}: no key "log".
    const entry = '92c708006553f1000000000581a17acf0000000000000001'
    const { filter } = create(keep)
    const rest = filter.apply({ tag: 't', packed: Buffer.from(entry, 'hex'), count: 1 })
    expect(Buffer.from(rest!.packed).toString('hex')).toBe(entry)
    // The time of a parsed one as well: {"log": "{}"}.
    const parsed = '92c708006553f1000000000581a36c6f67a27b7d'
    const same = filter.apply({ tag: 't', packed: Buffer.from(parsed, 'hex'), count: 1 })
    expect(Buffer.from(same!.packed).toString('hex')).toBe(parsed)
  })

  it('sends what becomes nested too deep to @ERROR', () => {
    const deep = `${'{"a":'.repeat(63)}1${'}'.repeat(63)}`
    expect(run({ key_name: 'log' }, json, [{ log: deep }]).events).toHaveLength(1)
    const found = run({ key_name: 'log', hash_value_field: 'h' }, json, [
      { log: deep },
      { log: '{}' },
    ])
    expect(found.events).toEqual([[1_900_000_000, recordOf({ h: {} })]])
    expect(found.errors[0]![1]).toContain('nested more than 64 deep')
  })

  it('stops at the first record of a text whose time is bad', () => {
    const parser: Parser = {
      parse: () => [
        { time: new EventTime(1, 0), record: recordOf({ a: 1 }) },
        new ParserError('bad time'),
        { time: new EventTime(2, 0), record: recordOf({ b: 1 }) },
      ],
    }
    const found = run({ key_name: 'log' }, parser, [{ log: 'x' }])
    expect(found.events).toEqual([[1, recordOf({ a: 1 })]])
    expect(found.errors).toHaveLength(1)
  })

  it('shows no more than a part of a long text', () => {
    const found = run({ key_name: 'log' }, json, [{ log: 'x'.repeat(5000) }])
    expect(found.errors[0]![1]).toBe(noMatch('x'.repeat(1024)))
  })

  it('refuses a broken path', () => {
    const attempt = () => create({ key_name: '$.' })
    expect(attempt).toThrow(ConfigError)
    expect(attempt).toThrow(expect.objectContaining({ position: placeOf('key_name') }))
  })
})

import { describe, expect, it } from 'vitest'
import { ORIGIN } from '../../../src/config/schema.ts'
import { ConfigError } from '../../../src/core/errors.ts'
import { RawString } from '../../../src/core/value.ts'
import { grepFilter } from '../../../src/filters/grep/index.ts'
import { loadKernel } from '../../../src/host/load-kernel.ts'
import { createKernel } from '../../../src/kernel/index.ts'
import { compileRegexp } from '../../../src/text/regexp.ts'
import { batchOf, eventsOf } from '../../support/batches.ts'
import { boundParams, placeOf } from '../../support/bound-params.ts'
import { createFakeHost } from '../../support/fake-host.ts'

const kernel = createKernel(loadKernel())

const condition = (key: string, pattern: string) => ({
  key,
  pattern: compileRegexp(pattern),
  [ORIGIN]: {
    section: placeOf('section'),
    values: { key: placeOf(key), pattern: placeOf(pattern) },
  },
})
const group = (regexp: unknown[], exclude: unknown[] = []) => ({ regexp, exclude })

function create(values: Readonly<Record<string, unknown>>) {
  const host = createFakeHost()
  const params = boundParams(grepFilter.shape, values)
  return { filter: grepFilter.create(params, { host, kernel, log: host.log } as never), host }
}

const events = [
  { level: 'info', msg: 'start', code: 200 },
  { level: 'warn', msg: 'slow start', code: 499 },
  { level: 'error', msg: 'boom', code: 500 },
  { msg: 'no level' },
  { level: null, code: null },
  { level: ['warn'], code: 5.5 },
]

describe('grep keeps', () => {
  const cases: [string, Record<string, unknown>, object[], number[]][] = [
    [
      'what all of <regexp> match',
      { regexp: [condition('level', '/warn|error/'), condition('code', '^[45]')] },
      events,
      [1, 2, 5],
    ],
    [
      'what no <exclude> matches',
      { exclude: [condition('msg', '/start/'), condition('code', '/^500$/')] },
      events,
      [3, 4, 5],
    ],
    [
      '<and> and <or>',
      {
        and: [group([condition('level', '/./'), condition('code', '/\\d{3}/')])],
        or: [group([], [condition('msg', 'boom'), condition('level', 'info')])],
      },
      events,
      [1],
    ],
    [
      '<or> of <regexp>',
      { or: [group([condition('level', 'info'), condition('code', '500')])] },
      events,
      [0, 2],
    ],
    [
      '<and> of <exclude>',
      { and: [group([], [condition('level', 'warn'), condition('code', '499')])] },
      events,
      [0, 2, 3, 4, 5],
    ],
    ['the old style', { regexp1: 'level (warn|error)', exclude1: 'msg boom' }, events, [1, 5]],
    [
      'slashes of the old style are themselves',
      { regexp20: 'msg /a/' },
      [{ msg: 'a' }, { msg: 'x/a/' }],
      [1],
    ],
    ['missing fields are empty', { regexp: [condition('level', '^$')] }, events, [3, 4]],
    ['nothing', { regexp: [condition('zzz', '.')] }, events, []],
    ['everything without conditions', {}, events, [0, 1, 2, 3, 4, 5]],
    [
      'nested fields, and what it cannot look into',
      { regexp: [condition('$.a.b', '^x')] },
      [
        { a: { b: 'xy' } },
        { a: { b: 'y' } },
        { a: 'x' },
        {},
        { 'a.b': 'x' },
        { a: { b: ['x'] } },
        { a: { b: null } },
        { a: null },
      ],
      [0, 2],
    ],
    [
      'bytes that are no UTF-8, as question marks',
      { regexp: [condition('m', '^(a\\?)?b$|\ufffd')] },
      [
        { m: new RawString(Buffer.from('61ff62', 'hex')) },
        { m: new RawString(Buffer.from('ff', 'hex')) },
        { m: new Uint8Array([0x62]) },
        { m: '\ufffd' },
      ],
      [0, 2, 3],
    ],
    [
      'texts that are too long to look at',
      { regexp: [condition('m', 'x')] },
      [{ m: 'a'.repeat(1024 * 1024 + 1) }, { m: 'a' }],
      [0],
    ],
  ]
  it.each(cases)('%s', (_, values, records, kept) => {
    const { filter } = create(values)
    const batch = batchOf('t', records)
    const all = eventsOf(batch)
    expect(eventsOf(filter.apply(batch))).toEqual(kept.map((i) => all[i]))
    // A second batch does not see what the first left behind.
    expect(eventsOf(filter.apply(batch))).toEqual(kept.map((i) => all[i]))
  })
})

describe('grep', () => {
  it('gives the same object back where nothing is dropped', () => {
    const { filter } = create({ regexp: [condition('a', 'x')] })
    const batch = batchOf('t', [{ a: 'x' }, { a: 'xx' }])
    expect(filter.apply(batch)).toBe(batch)
  })

  it('copies what it keeps byte for byte', () => {
    const { filter } = create({ exclude: [condition('a', '^drop$')] })
    // {"a": 1 as uint64}, {"a": "drop"}, {"b": 2, "b": 3} with an EventTime in ext 8 form.
    const keep1 = '92ce6553f10081a161cf0000000000000001'
    const drop = '92ce6553f10081a161a464726f70'
    const keep2 = '92c708006553f1000000000082a16202a16203'
    const batch = {
      tag: 't',
      packed: Buffer.from(drop + keep1 + drop + keep2 + drop, 'hex'),
      count: 5,
    }
    const rest = filter.apply(batch)
    expect(rest?.count).toBe(2)
    expect(Buffer.from(rest?.packed ?? []).toString('hex')).toBe(keep1 + keep2)
  })

  it('warns of what it cannot look into, not for each event', () => {
    const { filter, host } = create({ regexp: [condition('$.a.b', 'x')] })
    filter.apply(batchOf('t', [{ a: 'x' }, { a: 'x' }]))
    filter.apply(batchOf('t', [{ a: 'x' }]))
    expect(host.log.messages('warn')).toEqual(['failed to grep events'])
  })

  const refused: [string, Record<string, unknown>, string][] = [
    ['a broken expression', { regexp1: 'a (' }, 'unmatched parenthesis'],
    ['a broken path', { regexp: [condition('$.', 'x')] }, 'empty keys'],
    ['a key twice', { regexp: [condition('a', 'x'), condition('a', 'y')] }, 'Duplicate key: a'],
    [
      'a key twice in <and>',
      { regexp: [condition('a', 'x')], and: [group([condition('a', 'y')])] },
      'Duplicate key in <and>: a',
    ],
    [
      'a mixture',
      { or: [group([condition('a', 'x')], [condition('b', 'y')])] },
      'Do not specify both',
    ],
    [
      'an old one without expression',
      { exclude3: 'key' },
      'exclude3 does not contain 2 parameters',
    ],
    [
      'an old one twice',
      { regexp1: 'a x', regexp2: 'a y' },
      'regexp2 contains a duplicated key, a',
    ],
  ]
  it.each(refused)('refuses %s', (_, values, words) => {
    expect(() => create(values)).toThrow(ConfigError)
    expect(() => create(values)).toThrow(words)
  })
})

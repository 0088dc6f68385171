import { describe, expect, test } from 'vitest'
import * as s from '../../../src/config/schema.ts'
import { parseValue } from '../../../src/config/values.ts'

const d = { description: 'x' }
const kinds = {
  integer: s.integer(d),
  float: s.float(d),
  bool: s.bool(d),
  size: s.size(d),
  time: s.time(d),
  string: s.string(d),
  enum: s.enumeration(['text', 'gzip'], d),
  array: s.array(d),
  integers: s.integers(d),
  hash: s.hash(d),
  regexp: s.regexp(d),
}

function value(kind: keyof typeof kinds, text: string): unknown {
  const outcome = parseValue(kinds[kind], text)
  return outcome.ok ? outcome.value : new Error(outcome.problem)
}

describe('values by kind', () => {
  test.each([
    ['integer', '12', 12],
    ['integer', ' -3 ', -3],
    ['integer', '+3', 3],
    ['integer', '0x1f', 31],
    ['integer', '-0x10', -16],
    ['integer', '010', 10],
    ['integer', '1_000', 1000],
    ['integer', '-0', 0],
    ['float', '1.5', 1.5],
    ['float', '1e-3', 0.001],
    ['float', '.5', 0.5],
    ['float', '2', 2],
    ['bool', 'true', true],
    ['bool', 'yes', true],
    ['bool', 'on', true],
    ['bool', '', true],
    ['bool', '# a comment', true],
    ['bool', 'false', false],
    ['bool', 'no', false],
    ['bool', 'off', false],
    ['size', '100', 100],
    ['size', '1k', 1024],
    ['size', '8m', 8_388_608],
    ['size', '2G', 2_147_483_648],
    ['size', '1t', 1_099_511_627_776],
    ['size', '8mb', 8_388_608],
    ['size', '-1', -1],
    ['time', '10', 10],
    ['time', '0.5', 0.5],
    ['time', '10s', 10],
    ['time', '5m', 300],
    ['time', '1h', 3600],
    ['time', '2d', 172_800],
    ['time', '1.5h', 5400],
    ['time', '-1', -1],
    ['string', '', ''],
    ['string', ' x ', ' x '],
    ['enum', 'gzip', 'gzip'],
    ['array', 'a, b ,c', ['a', 'b', 'c']],
    ['array', 'a,,b,,', ['a', '', 'b']],
    ['array', '', []],
    ['array', '["a", 1, true]', ['a', '1', 'true']],
    ['array', '[]', []],
    ['integers', '1,2', [1, 2]],
    ['integers', '[1, "2"]', [1, 2]],
  ] as const)('%s %j is %j', (kind, text, expected) => {
    expect(value(kind, text)).toEqual(expected)
  })

  test.each([
    ['integer', '12abc'],
    ['integer', '1.5'],
    ['integer', ''],
    ['integer', '99999999999999999999'],
    ['float', 'NaN'],
    ['float', '1,5'],
    ['float', '1e999'],
    ['bool', 'maybe'],
    ['bool', 'TRUE'],
    ['size', '1.5g'],
    ['size', '8 m'],
    ['size', 'm'],
    ['size', '-5k'],
    ['size', '99999999t'],
    ['time', '500ms'],
    ['time', '10S'],
    ['time', '1h30m'],
    ['time', '-1s'],
    ['time', ''],
    ['enum', 'GZIP'],
    ['array', '["a"'],
    ['integers', '1,x'],
    ['hash', '{"a":1'],
    ['hash', 'novalue'],
    ['regexp', '/abc'],
    ['regexp', '/abc/q'],
    ['regexp', '/(/'],
    ['regexp', '*'],
    ['regexp', '(?~a)'],
  ] as const)('%s %j is refused', (kind, text) => {
    expect(value(kind, text)).toBeInstanceOf(Error)
  })

  test('regular expressions: with slashes and options, or without', () => {
    expect(String(value('regexp', '/^a\\/b$/i'))).toBe('/^a\\/b$/i')
    expect(String(value('regexp', 'a|b'))).toBe('/a|b/')
  })

  test('hashes: both forms, any key, no prototype', () => {
    expect(value('hash', 'a:b,c:d:e')).toEqual(
      Object.assign(Object.create(null), { a: 'b', c: 'd:e' }),
    )
    const json = value('hash', '{"__proto__":{"x":1},"a":{"constructor":2}}') as Record<
      string,
      unknown
    >
    expect(Object.getPrototypeOf(json)).toBeNull()
    expect(Object.keys(json)).toEqual(['__proto__', 'a'])
    const flat = value('hash', '__proto__:x') as Record<string, unknown>
    expect(Object.entries(flat)).toEqual([['__proto__', 'x']])
    expect(({} as Record<string, unknown>).x).toBeUndefined()
  })

  test('an enumeration word that is wrong is said as Fluentd says it', () => {
    expect(value('enum', 'zip')).toEqual(new Error('must be one of text, gzip but got zip'))
  })
})

import { describe, expect, it } from 'vitest'
import { EventTime, MsgFloat, type MsgValue, RawString } from '../../../src/core/value.ts'
import { fieldText } from '../../../src/text/field-text.ts'
import { rubyFloat, scrub } from '../../../src/text/ruby-text.ts'
import { splitText } from '../../../src/text/split.ts'

const raw = (hex: string) => new RawString(Buffer.from(hex, 'hex'))

describe('fieldText', () => {
  const cases: [MsgValue | undefined, string][] = [
    ['a"b', 'a"b'],
    [null, ''],
    [undefined, ''],
    [true, 'true'],
    [18446744073709551615n, '18446744073709551615'],
    [new MsgFloat(3), '3.0'],
    [['é', 1, null], '["\\u00E9", 1, nil]'],
    [new Map<MsgValue, MsgValue>([['a', [2.5]]]), '{"a"=>[2.5]}'],
    [raw('61ff62'), 'a?b'],
    [new Uint8Array([0x61, 0xff]), 'a?'],
    [new EventTime(1700000000, 5), '1700000000'],
  ]
  it.each(cases)('value %#', (value, text) => {
    expect(fieldText(value)).toBe(text)
  })
})

describe('rubyFloat', () => {
  const cases: [number, string][] = [
    [3, '3.0'],
    [-0, '-0.0'],
    [1e15, '1000000000000000.0'],
    [1e16, '1.0e+16'],
    [1.5e300, '1.5e+300'],
    [0.0001, '0.0001'],
    [0.00012345, '0.00012345'],
    [-0.00001, '-1.0e-05'],
    [123456.789, '123456.789'],
    [Number.NaN, 'NaN'],
    [Number.NEGATIVE_INFINITY, '-Infinity'],
  ]
  it.each(cases)('%d', (value, text) => {
    expect(rubyFloat(value)).toBe(text)
  })
})

describe('scrub', () => {
  const cases: [string, string][] = [
    ['61ff62', 'a?b'],
    ['ff', '?'],
    ['61ff2062fe', 'a? b?'],
    ['e38182', 'あ'],
    ['e381', '?'],
    ['e38161', '?a'],
    ['f09f98', '?'],
    ['f0808080', '????'],
    ['eda080', '???'],
    ['c080', '??'],
    ['efbfbd', '\ufffd'],
    ['f09fefbfbd', '?\ufffd'],
    ['', ''],
  ]
  it.each(cases)('%s', (hex, text) => {
    expect(scrub(Buffer.from(hex, 'hex'), '?')).toBe(text)
  })
  it('replaces what the decoder of the platform replaces', () => {
    for (let i = 0; i < 5000; i++) {
      const bytes = Uint8Array.from({ length: 5 }, (_, at) => (i * 7919 + at * 104729 * i) % 251)
      bytes[2] = 0x80 + (i % 0x80)
      expect(scrub(bytes, '\ufffd')).toBe(new TextDecoder().decode(bytes))
    }
  })
})

describe('splitText', () => {
  const cases: [string, string, string[]][] = [
    ['a,b', ',', ['a', 'b']],
    ['x,y,,z,', ',', ['x', 'y', '', 'z']],
    [',a', ',', ['', 'a']],
    [',,', ',', []],
    ['', ',', []],
    ['  a \t b ', ' ', ['a', 'b']],
    ['a  b', '  ', ['a', 'b']],
  ]
  it.each(cases)('%j by %j', (text, delimiter, parts) => {
    expect(splitText(text, delimiter)).toEqual(parts)
  })
})

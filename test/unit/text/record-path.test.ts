import { describe, expect, it } from 'vitest'
import { ConfigError } from '../../../src/core/errors.ts'
import type { MsgMap, MsgValue } from '../../../src/core/value.ts'
import { encode } from '../../../src/msgpack/encode.ts'
import { valueAt } from '../../../src/msgpack/entries.ts'
import {
  deleteValue,
  getValue,
  packedPath,
  parseRecordPath,
  RecordPathError,
} from '../../../src/text/record-path.ts'

const map = (...pairs: [MsgValue, MsgValue][]): MsgMap => new Map(pairs)

describe('parseRecordPath', () => {
  const cases: [string, (string | number)[]][] = [
    ['key', ['key']],
    ['a.b', ['a.b']],
    ['$', ['$']],
    ['$.a', ['a']],
    ['$.a.b', ['a', 'b']],
    ['$.a.b[0][-1].c', ['a', 'b', 0, -1, 'c']],
    ['$.a[0]', ['a', 0]],
    ["$['a']", ['a']],
    ["$['a b']['c.d']", ['a b', 'c.d']],
    ['$["a"]["b\'c"][0]', ['a', "b'c", 0]],
    ["$['']", ['']],
  ]
  it.each(cases)('%s', (written, keys) => {
    expect(parseRecordPath(written)).toEqual({ written, keys })
  })

  const refused: [string, string][] = [
    ['$.', 'empty keys'],
    ['$.a b', 'whitespace'],
    ['$.a[x]', 'expected [number]'],
    ['$.a[0', 'expected [number]'],
    ['$.a[0]b', 'expected [number]'],
    ["$['a", "expected ['key']"],
    ['$[\'a"]', "expected ['key']"],
    ["$['a']x", "expected ['key']"],
    ['$[]', "expected ['key']"],
  ]
  it.each(refused)('refuses %s', (written, words) => {
    const position = { file: 'f', line: 1, column: 1, length: 1, text: written }
    const attempt = () => parseRecordPath(written, position)
    expect(attempt).toThrow(ConfigError)
    expect(attempt).toThrow(words)
    expect(attempt).toThrow(expect.objectContaining({ position }))
  })
})

describe('getValue and packedPath', () => {
  const record = map(
    ['a', map(['b', [1, 'two', map(['c', null])]], [3, 'three'])],
    ['s', 'text'],
    ['a.b', 'dots'],
    ['nil', null],
    ['dup', 1],
  )
  const found: [string, MsgValue | undefined][] = [
    ['s', 'text'],
    ['a.b', 'dots'],
    ['$.a.b[1]', 'two'],
    ['$.a.b[-1].c', null],
    ['$.a.b[3]', undefined],
    ['$.a.b[-4]', undefined],
    ['$.a[3]', 'three'],
    ['$.a[4]', undefined],
    ['$.nil', null],
    ['$.nil.x', undefined],
    ['$.none.x', undefined],
    ['none', undefined],
  ]
  it.each(found)('%s', (written, value) => {
    const path = parseRecordPath(written)
    expect(getValue(record, path)).toEqual(value)
    const packed = encode(record)
    const at = packedPath(path).find(packed, 0)
    expect(at < 0 ? undefined : valueAt(packed, at)).toEqual(value)
  })

  it.each(['$.s.x', '$.a.b.c', '$.s[0]'])('%s has no inside', (written) => {
    const path = parseRecordPath(written)
    expect(() => getValue(record, path)).toThrow(RecordPathError)
    expect(() => packedPath(path).find(encode(record), 0)).toThrow(RecordPathError)
  })

  it('takes the last of repeated keys', () => {
    const packed = Buffer.from('82a16101a16102', 'hex')
    expect(packedPath(parseRecordPath('a')).find(packed, 0)).toBe(6)
  })
})

describe('deleteValue', () => {
  const cases: [string, MsgMap, MsgMap][] = [
    ['a', map(['a', 1], ['b', 2]), map(['b', 2])],
    ['$.a.b', map(['a', map(['b', 1], ['c', 2])]), map(['a', map(['c', 2])])],
    ['$.a[1]', map(['a', [1, 2, 3]]), map(['a', [1, 3]])],
    ['$.a[-1]', map(['a', [1, 2, 3]]), map(['a', [1, 2]])],
    ['$.a[9]', map(['a', [1]]), map(['a', [1]])],
    ['$.a.x', map(['a', 'text']), map(['a', 'text'])],
    ['$.a.x.y', map(['a', 'text']), map(['a', 'text'])],
    ['$.a.x', map(['a', [1]]), map(['a', [1]])],
    ['z', map(['a', 1]), map(['a', 1])],
  ]
  it.each(cases)('%s', (written, record, left) => {
    deleteValue(record, parseRecordPath(written))
    expect(record).toEqual(left)
  })
})

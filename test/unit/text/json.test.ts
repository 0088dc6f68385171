import { describe, expect, it } from 'vitest'
import { MsgFloat, type MsgValue, RawString } from '../../../src/core/value.ts'
import { JsonError, type JsonOptions, parseJson } from '../../../src/text/json.ts'
import { JsonSplitter } from '../../../src/text/json-split.ts'

const map = (...pairs: [MsgValue, MsgValue][]) => new Map<MsgValue, MsgValue>(pairs)

describe('parseJson', () => {
  const values: [string, MsgValue][] = [
    ['{}', map()],
    ['[]', []],
    [' {"sp" : 1 } ', map(['sp', 1])],
    ['{"a":1,"b":0,"a":2}', map(['a', 2], ['b', 0])],
    ['{"__proto__":{"x":1}}', map(['__proto__', map(['x', 1])])],
    ['{"2":1,"1":2}', map(['2', 1], ['1', 2])],
    ['[true,false,null]', [true, false, null]],
    ['1.0', new MsgFloat(1)],
    ['-0', 0],
    ['-0.0', new MsgFloat(-0)],
    ['1e3', new MsgFloat(1000)],
    ['1E+2', new MsgFloat(100)],
    ['2.5e-1', 0.25],
    ['1e400', Number.POSITIVE_INFINITY],
    ['9007199254740991', 9007199254740991],
    ['9007199254740993', 9007199254740993n],
    ['-9223372036854775808', -9223372036854775808n],
    ['18446744073709551615', 18446744073709551615n],
    ['18446744073709551616', new MsgFloat(2 ** 64)],
    ['-9223372036854775809', new MsgFloat(-(2 ** 63))],
    ['12345678901234567890123', new MsgFloat(Number('12345678901234567890123'))],
    ['NaN', Number.NaN],
    ['-Infinity', Number.NEGATIVE_INFINITY],
    ['"\\u00e9\\ud83d\\ude00\\u0000\\/\\b\\f\\n\\r\\t\\"\\\\"', 'é😀\0/\b\f\n\r\t"\\'],
    ['"\\ud800x\\udc00"', '\ufffdx\ufffd'],
    ['"\\ud800\\u0041"', '\ufffdA'],
    ['"é\t"', 'é\t'],
  ]
  it.each(values)('%s', (text, value) => {
    const found = parseJson(text)
    expect(found).toEqual(value)
    if (found instanceof Map && value instanceof Map) {
      expect([...found.keys()]).toEqual([...value.keys()])
    }
    expect(parseJson(new TextEncoder().encode(text))).toEqual(value)
  })

  const refused: [string, JsonError['code'], JsonOptions?][] = [
    ['', 'incomplete'],
    ['{', 'incomplete'],
    ['{"a', 'incomplete'],
    ['{"a\\', 'incomplete'],
    ['"\\u00', 'incomplete'],
    ['{"a":tr', 'incomplete'],
    ['{"a":1', 'incomplete'],
    ['{"a":-', 'incomplete'],
    ['{"a":1} trailing', 'invalid'],
    ['{"a":tru}', 'invalid'],
    ['{a:1}', 'invalid'],
    ['{"a":1,}', 'invalid'],
    ['[1,]', 'invalid'],
    ['[1 2]', 'invalid'],
    ['01', 'invalid'],
    ['1.', 'incomplete'],
    ['1.x', 'invalid'],
    ['.5', 'invalid'],
    ['+1', 'invalid'],
    ['"\\x41"', 'invalid'],
    ['"\\u12g4"', 'invalid'],
    ['"a\0b"', 'invalid'],
    ['NaN', 'invalid', { lenient: false }],
    ['-Infinity', 'invalid', { lenient: false }],
    ['"a\tb"', 'invalid', { lenient: false }],
    ['[[[1]]]', 'too_deep', { depthLimit: 2 }],
    ['['.repeat(100_000), 'too_deep'],
  ]
  it.each(refused)('refuses %j: %s', (text, code, options) => {
    expect(() => parseJson(text, options)).toThrow(
      expect.objectContaining({ name: 'JsonError', code }),
    )
  })

  it.each([
    ['{"a":1,"b":[2,3]}', true],
    ['{"a":1,"b":[2,3,4]}', false],
    ['{"a":{"b":{"c":{"d":1}}}}', true],
    ['[1,2,3,4]', true],
    ['[1,2,3,4,5]', false],
    ['[[1],[2]]', true],
    ['[[1],[2],[]]', false],
    // Each object of an array of them has its own.
    ['[{"a":1,"b":[2,3]},{"a":1,"b":[2,3]}]', true],
    ['[{"a":1},{"a":1,"b":[2,3,4]}]', false],
  ])('takes %s with an itemLimit of 4: %s', (text, taken) => {
    const parse = () => parseJson(text, { itemLimit: 4 })
    if (taken) expect(parse()).toEqual(parseJson(text))
    else expect(parse).toThrow(expect.objectContaining({ code: 'too_many_items' }))
  })

  it('takes the depth that an entry has room for', () => {
    expect(() => parseJson('['.repeat(63) + ']'.repeat(63))).not.toThrow()
    expect(() => parseJson('['.repeat(64) + ']'.repeat(64))).toThrow(JsonError)
  })

  it('keeps bytes that are not UTF-8, string by string', () => {
    const good = Buffer.concat([
      Buffer.from('{"a":"'),
      Buffer.from([0xff]),
      Buffer.from('\\u00e9","b":"é"}'),
    ])
    expect(parseJson(good)).toEqual(
      map(['a', new RawString(Buffer.from('ffc3a9', 'hex'))], ['b', 'é']),
    )
  })
})

describe('JsonSplitter', () => {
  const stream = '{"a":"}\\"]"}\n[1,[2]] {"b":{}}{"c":1}12 "x"true}x'
  const parts = ['{"a":"}\\"]"}', '\n[1,[2]]', ' {"b":{}}', '{"c":1}', '12', ' "x"', 'true}']
  const split = (pieces: readonly string[]) => {
    const splitter = new JsonSplitter()
    const found: string[] = []
    let held = ''
    for (const piece of pieces) {
      const bytes = Buffer.from(piece)
      let from = 0
      for (;;) {
        const end = splitter.next(bytes, from)
        if (end < 0) break
        found.push(held + piece.slice(from, end))
        held = ''
        from = end
      }
      held += piece.slice(from)
    }
    return { found, held, unfinished: splitter.unfinished }
  }
  it('finds the same ends whole, byte by byte and at every split', () => {
    const expected = { found: parts, held: 'x', unfinished: true }
    expect(split([stream])).toEqual(expected)
    expect(split([...stream])).toEqual(expected)
    for (let cut = 1; cut < stream.length; cut++) {
      expect(split([stream.slice(0, cut), stream.slice(cut)])).toEqual(expected)
    }
  })
})

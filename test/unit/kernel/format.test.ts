import { describe, expect, test } from 'vitest'
import { EventTime, type MsgMap, type MsgValue, RawString } from '../../../src/core/value.ts'
import type { FormatSpec } from '../../../src/kernel/types.ts'
import { Encoder } from '../../../src/msgpack/encode.ts'
import { parseZone } from '../../../src/time/zones.ts'
import {
  formatAll,
  hexEntry,
  jsonSpec,
  outFileSpec,
  pack,
  someTime,
  stdoutSpec,
  testKernel,
} from './format-helpers.ts'

const kernel = testKernel()
const json = (batch: { packed: Uint8Array; count: number }) => formatAll(kernel, jsonSpec, batch)

describe('values as JSON', () => {
  test.each([
    ['nil, booleans', '93 c0 c2 c3', '[null,false,true]'],
    ['small integers', '95 00 7f e0 ff cc80', '[0,127,-32,-1,128]'],
    [
      'unsigned',
      '93 cdffff ceffffffff cfffffffffffffffff',
      '[65535,4294967295,18446744073709551615]',
    ],
    [
      'signed',
      '94 d080 d18000 d280000000 d38000000000000000',
      '[-128,-32768,-2147483648,-9223372036854775808]',
    ],
    ['a positive number in a signed form', '91 d30000000000000001', '[1]'],
    [
      'floats',
      '93 cb3ff8000000000000 ca3dcccccd cb3fb999999999999a',
      '[1.5,0.10000000149011612,0.1]',
    ],
    [
      'floats with an exponent',
      '93 cb54b249ad2594c37d cb3e8421f5f40d8376 cb4415af1d78b58c40',
      '[1.0e+100,1.5e-07,1.0e+20]',
    ],
    [
      'whole floats',
      '93 cb0000000000000000 cb8000000000000000 cb4341c37937e08000',
      '[0.0,0.0,10000000000000000.0]',
    ],
    ['no numbers', '93 cb7ff8000000000000 cb7ff0000000000000 caff800000', '[null,null,null]'],
    ['bin', '92 c4026869 c5000161', '["hi","a"]'],
    [
      'EventTime, both forms',
      '92 d7006553f100075bcd15 c708006553f10000000000',
      '[1700000000,1700000000]',
    ],
    ['another extension', '92 d4057f c700ff', '[null,null]'],
    ['nested', '92 81a16180 91 90', '[{"a":{}},[[]]]'],
    ['long forms', 'dd00000001 df00000001 db00000001 61 dc0001 c0', '[{"a":[null]}]'],
  ])('%s', (_name, hex, expected) => {
    expect(json(hexEntry(`81 a176 ${hex}`)).text).toBe(`{"v":${expected}}\n`)
  })

  test('floats as Ruby’s own JSON has them', () => {
    const batch = hexEntry('81 a176 93 cb8000000000000000 cb4341c37937e08000 cb430c6bf526340000')
    const text = formatAll(kernel, { ...jsonSpec, jsonParser: 'yajl' }, batch).text
    expect(text).toBe('{"v":[-0.0,1.0e+16,1000000000000000.0]}\n')
  })

  test('what was not plain is counted', () => {
    const raw = new RawString(Buffer.from('61fffe62', 'hex'))
    const formatted = json(pack([[someTime, { a: Number.NaN, b: raw, c: raw, d: Infinity }]]))
    expect(formatted.text).toBe('{"a":null,"b":"a\ufffd\ufffdb","c":"a\ufffd\ufffdb","d":null}\n')
    expect(formatted).toMatchObject({ notFinite: 2, notUtf8: 2 })
  })
})

describe('strings', () => {
  test('every byte value, at every place of a vector', () => {
    for (let place = 0; place < 34; place++) {
      const fields = new Map<MsgValue, MsgValue>()
      for (let code = 0; code < 0x180; code += 3) {
        fields.set(`${code}`, `${'x'.repeat(place)}${String.fromCodePoint(code)}y`)
      }
      const expected = `{${[...fields].map(([k, v]) => `${JSON.stringify(k)}:${JSON.stringify(v)}`).join(',')}}\n`
      expect(json(pack([[someTime, fields]])).text).toBe(expected)
    }
  })

  test.each([
    ['overlong', 'c080', 2],
    ['overlong, three bytes', 'e09fbf', 3],
    ['a surrogate', 'eda080', 3],
    ['beyond U+10FFFF', 'f4908080', 4],
    ['cut after two of three', 'e282', 1],
    ['cut after three of four', 'f09f98', 1],
    ['a lone continuation', '80', 1],
    ['never used', 'f5ff', 2],
  ])('%s becomes U+FFFD for each broken part', (_name, hex, count) => {
    const raw = new RawString(Buffer.from(`61${hex}62`, 'hex'))
    expect(json(pack([[someTime, { s: raw }]])).text).toBe(`{"s":"a${'\ufffd'.repeat(count)}b"}\n`)
  })

  test('the next string’s bytes do not complete this one’s', () => {
    const cut = new RawString(Buffer.from('e282', 'hex'))
    const rest = new RawString(Buffer.from('ac', 'hex'))
    expect(json(pack([[someTime, { a: [cut, rest] }]])).text).toBe('{"a":["\ufffd","\ufffd"]}\n')
  })
})

describe('keys', () => {
  test.each([
    ['the last value of a key, in the first place', '83 a16b01 a17a00 a16b02', '{"k":2,"z":0}'],
    ['a repeated key inside', '81 a161 82 a16b01 a16b02', '{"a":{"k":2}}'],
    ['str and bin of one text are one key', '82 a16b01 c4016b02', '{"k":2}'],
    ['broken keys repeat too', '82 a1ff01 a1ff02', '{"\ufffd":2}'],
    ['integers', '82 0101 a17301', '{"1":1,"s":1}'],
    ['the integer 1 and the text 1 are two keys', '82 0101 a13102', '{"1":1,"1":2}'],
    ['nil and booleans', '83 c001 c302 c203', '{"":1,"true":2,"false":3}'],
    ['a float', '81 cb3ff000000000000001', '{"1.0":1}'],
    ['an array, a map', '82 92010201 81a1610102', '{"[1, 2]":1,"{\\"a\\"=>1}":2}'],
    ['a time', '81 d7006553f1000000000001', '{"1700000000":1}'],
    [
      'empty, and alike but for the middle',
      '83 a001 a461626364 02 a461786364 03',
      '{"":1,"abcd":2,"axcd":3}',
    ],
  ])('%s', (_name, hex, expected) => {
    expect(json(hexEntry(hex)).text).toBe(`${expected}\n`)
  })

  test.each([16, 17, 100, 1000, 8000])('a map of %d keys, without and with a repeated one', (n) => {
    const fields: MsgMap = new Map()
    for (let i = 0; i < n; i++) fields.set(`key_number_${i}_of_many`, i)
    const encoder = new Encoder()
    encoder.mapHeader(n + 1)
    for (const [key, value] of [...fields, ['key_number_3_of_many', 'last'] as const]) {
      encoder.value(key)
      encoder.value(value)
    }
    const expected = Object.fromEntries(fields) as Record<string, unknown>
    expect(JSON.parse(json(pack([[someTime, fields]])).text)).toEqual(expected)
    const repeated = json(pack([[someTime, encoder.copy()]])).text
    expect(JSON.parse(repeated)).toEqual({ ...expected, key_number_3_of_many: 'last' })
    expect(repeated.match(/key_number_3_of/g)).toHaveLength(1)
  })
})

describe('times', () => {
  const newYork = parseZone('America/New_York')!
  const spec = outFileSpec('%Y-%m-%d %H:%M:%S.%3N %z', newYork)

  test('the offset changes between two events', () => {
    const seconds = [1_699_163_999, 1_699_164_000, 1_699_163_999]
    const batch = pack(seconds.map((second) => [new EventTime(second, 7_000_000), {}]))
    const times = formatAll(kernel, spec, batch)
      .text.split('\n')
      .map((line) => line.split('\t')[0])
    expect(times).toEqual([
      '2023-11-05 01:59:59.007 -0400',
      '2023-11-05 01:00:00.007 -0500',
      '2023-11-05 01:59:59.007 -0400',
      '',
    ])
  })

  test('the second stays, its digits change; programs take turns', () => {
    const at = [new EventTime(5, 1), new EventTime(5, 999_999_999), new EventTime(5, undefined)]
    const batch = pack(at.map((time) => [time, {}]))
    const expected = ['000000001', '999999999', '000000000']
      .map((digits) => `1970-01-01 00:00:05.${digits} +0000 a.b: {}\n`)
      .join('')
    for (let i = 0; i < 2; i++) {
      expect(formatAll(kernel, stdoutSpec, batch).text).toBe(expected)
      expect(formatAll(kernel, jsonSpec, batch).text).toBe('{}\n{}\n{}\n')
    }
  })

  test.each(['%H:%M:%S.%L', '%_S %s', '%-S', '%S %T %S'])('second after second by %s', (format) => {
    const start = 1_699_163_930
    const times = Array.from({ length: 150 }, (_, i) => new EventTime(start + i, i * 1_000_000))
    const lines = (list: readonly EventTime[], spec: FormatSpec) =>
      formatAll(kernel, spec, pack(list.map((time) => [time, {}])))
        .text.split('\n')
        .slice(0, -1)
    const zoned = outFileSpec(format, newYork)
    // Another program in between: nothing is kept from one event to the next.
    const alone = times.map((time) => {
      formatAll(kernel, stdoutSpec, pack([[time, {}]]))
      return lines([time], zoned)[0]
    })
    expect(lines(times, zoned)).toEqual(alone)
    expect(lines([...times].reverse(), zoned)).toEqual(alone.reverse())
    expect(new Set(alone).size).toBeGreaterThan(50)
  })

  test('nanoseconds of more than a second', () => {
    const batch = pack([[new EventTime(5, 3_000_000_001), {}]])
    expect(formatAll(kernel, stdoutSpec, batch).text).toBe(
      '1970-01-01 00:00:08.000000001 +0000 a.b: {}\n',
    )
  })

  test.each([
    ['unixtime', '1700000000', '7'],
    ['float', '1700000000.123456789', '7.0'],
    ['unixtime_millis', '1700000000123', '7000'],
    ['unixtime_micros', '1700000000123456', '7000000'],
    ['unixtime_nanos', '1700000000123456789', '7000000000'],
  ] as const)('%s', (kind, ofEventTime, ofInteger) => {
    const layout = { ...(outFileSpec('').layout as object), time: { kind } }
    const batch = pack([
      [someTime, {}],
      [new EventTime(7, undefined), {}],
    ])
    const text = formatAll(kernel, { ...jsonSpec, layout } as FormatSpec, batch).text
    expect(text).toBe(`${ofEventTime}\ta.b\t{}\n${ofInteger}\ta.b\t{}\n`)
  })
})

describe('pieces and sizes', () => {
  const records = Array.from({ length: 2000 }, (_, i) => ({ n: i, text: 'x'.repeat(i % 700) }))
  const batch = pack(records.map((record) => [someTime, record]))
  const expected = records.map((record) => `${JSON.stringify(record)}\n`).join('')

  test.each([1 << 20, 5000, 1, 0])('at most %d bytes, cut at events', (maxPieceBytes) => {
    const { text, pieces } = formatAll(kernel, jsonSpec, batch, maxPieceBytes)
    expect(text).toBe(expected)
    for (const { bytes, count } of pieces) {
      expect(bytes.length <= maxPieceBytes || count === 1).toBe(true)
      expect(bytes.at(-1)).toBe(10)
      expect(Buffer.from(bytes).toString().split('\n')).toHaveLength(count + 1)
    }
  })

  test('entries and events larger than the kernel’s memory', () => {
    const small = testKernel({ formatInputBytes: 3000, formatOutputBytes: 2000 })
    const large = { log: `"\n${'\x01'.repeat(5000)}é` }
    const mixed = pack([
      [someTime, { a: 1 }],
      [someTime, large],
      [someTime, large],
      [someTime, { b: 2 }],
    ])
    const { text, pieces } = formatAll(small, stdoutSpec, mixed)
    const line = (record: object) =>
      `2023-11-14 22:13:20.123456789 +0000 a.b: ${JSON.stringify(record)}\n`
    expect(text).toBe([{ a: 1 }, large, large, { b: 2 }].map(line).join(''))
    expect(pieces.reduce((sum, piece) => sum + piece.count, 0)).toBe(4)
  })

  test.each([100, 1000, 10_000, 100_000, 1_000_000])(
    'events of %i bytes and more, one larger than the other, among small ones',
    (bytes) => {
      const small = testKernel({ formatInputBytes: 3000, formatOutputBytes: 2000 })
      const wide = { a: Array.from({ length: bytes / 2 }, (_, i) => i % 100), b: 'é'.repeat(bytes) }
      const twice = hexEntry('82 a161 01 a161 02')
      const events: Record<string, MsgValue>[] = [
        { n: 1 },
        { log: '\x01'.repeat(bytes) },
        { n: 2 },
        wide,
        wide,
        { n: 3 },
      ]
      const before = pack(events.slice(0, 4).map((record) => [someTime, record]))
      const after = pack(events.slice(4).map((record) => [someTime, record]))
      const batch = {
        packed: Buffer.concat([before.packed, twice.packed, after.packed]),
        count: events.length + 1,
      }
      const lines = events.map((record) => JSON.stringify(record))
      lines.splice(4, 0, '{"a":2}')
      const { text, pieces } = formatAll(small, jsonSpec, batch)
      expect(text === lines.map((line) => `${line}\n`).join('')).toBe(true)
      expect(pieces.reduce((sum, piece) => sum + piece.count, 0)).toBe(7)
      // The same again, where larger places are there already.
      expect(formatAll(small, jsonSpec, batch).text === text).toBe(true)
    },
  )

  test('a tag as long as the room for it, and longer', () => {
    for (const length of [50_000, 60_000]) {
      const tag = 't'.repeat(length)
      const text = formatAll(kernel, stdoutSpec, {
        tag,
        ...pack([
          [someTime, {}],
          [someTime, {}],
        ]),
      }).text
      const line = `2023-11-14 22:13:20.123456789 +0000 ${tag}: {}\n`
      expect(text === line + line).toBe(true)
    }
    expect(formatAll(kernel, stdoutSpec, pack([[someTime, {}]])).text).toMatch(/ a\.b: \{\}\n$/)
  })

  test('an empty batch gives nothing', () => {
    expect(formatAll(kernel, jsonSpec, { packed: new Uint8Array(), count: 0 }).pieces).toEqual([])
  })

  test('a batch that breaks off is a bug, not an endless loop', () => {
    const { packed, count } = pack([[someTime, { a: 'text' }]])
    for (let cut = 1; cut < packed.length; cut++) {
      expect(() => json({ packed: packed.slice(0, cut), count })).toThrow()
    }
  })

  test('a consumer that formats is a bug', () => {
    const program = kernel.compileFormat(jsonSpec)
    const inner = { tag: 't', ...pack([[someTime, {}]]) }
    expect(() =>
      kernel.format(program, inner, 100, () => kernel.format(program, inner, 100, () => undefined)),
    ).toThrow('bug')
    expect(json(inner).text).toBe('{}\n')
  })
})

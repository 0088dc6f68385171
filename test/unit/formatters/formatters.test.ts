import { describe, expect, test } from 'vitest'
import type { FormatterDefinition } from '../../../src/config/define.ts'
import { EventTime, type MsgMap, type MsgValue, RawString } from '../../../src/core/value.ts'
import { formatters } from '../../../src/formatters/index.ts'
import { boundParams } from '../../support/bound-params.ts'
import { createTestContext } from '../../support/plugin-context.ts'
import { pack, testKernel } from '../kernel/format-helpers.ts'

const kernel = testKernel()
const time = new EventTime(1_700_000_000, 123_456_789)

/** The record of the golden cases c-format-*. */
const golden: MsgMap = new Map<MsgValue, MsgValue>([
  ['message', 'hello "world"'],
  ['n', 42],
  ['f', 1.5],
  ['nil', null],
  ['b', true],
  [
    'nested',
    new Map<MsgValue, MsgValue>([
      ['a', [1, 'x']],
      ['k', 'v'],
    ]),
  ],
  ['uni', 'žluťoučký 日本 😀'],
  ['tab', 'a\tb'],
  ['nl', 'l1\nl2'],
])
const goldenJson =
  '{"message":"hello \\"world\\"","n":42,"f":1.5,"nil":null,"b":true,"nested":{"a":[1,"x"],"k":"v"},"uni":"žluťoučký 日本 😀","tab":"a\\tb","nl":"l1\\nl2"}'

function create(type: string, values: Readonly<Record<string, unknown>> = {}) {
  const definition = formatters.find((item) => item.name === type) as FormatterDefinition
  const { context, metrics } = createTestContext({ kernel })
  return { formatter: definition.create(boundParams(definition.shape, values), context), metrics }
}

function format(
  type: string,
  values: Readonly<Record<string, unknown>> = {},
  options: { records?: readonly MsgMap[]; lines?: boolean; tag?: string } = {},
): string {
  const { formatter } = create(type, values)
  const used = options.lines ? formatter.asLines!() : formatter
  const records = options.records ?? [golden]
  const batch = { tag: options.tag ?? 'f.one', ...pack(records.map((record) => [time, record])) }
  const pieces: Uint8Array[] = []
  let count = 0
  used.format(batch, 100_000, (bytes, events) => {
    pieces.push(new Uint8Array(bytes))
    count += events
  })
  expect(count).toBe(records.length)
  return Buffer.concat(pieces).toString('utf8')
}

const record = (fields: Record<string, MsgValue>): MsgMap => new Map(Object.entries(fields))
const nestedInspect = '{"a"=>[1, "x"], "k"=>"v"}'

describe('the text of each formatter', () => {
  test.each<[string, Record<string, unknown>, string]>([
    ['json', {}, `${goldenJson}\n`],
    ['json', { newline: 'crlf' }, `${goldenJson}\r\n`],
    ['json', { add_newline: false }, goldenJson],
    ['out_file', {}, `2023-11-14T22:13:20+00:00\tf.one\t${goldenJson}\n`],
    ['out_file', { output_time: false, delimiter: 'space' }, `f.one ${goldenJson}\n`],
    [
      'out_file',
      { output_tag: false, delimiter: 'COMMA' },
      `2023-11-14T22:13:20+00:00,${goldenJson}\n`,
    ],
    ['out_file', { delimiter: '|', utc: true }, `2023-11-14T22:13:20Z\tf.one\t${goldenJson}\n`],
    ['out_file', { time_type: 'unixtime' }, `1700000000\tf.one\t${goldenJson}\n`],
    ['out_file', { time_type: 'float' }, `1700000000.123456789\tf.one\t${goldenJson}\n`],
    ['out_file', { timezone: 'Asia/Tokyo' }, `2023-11-15T07:13:20+09:00\tf.one\t${goldenJson}\n`],
    ['stdout', {}, `2023-11-14 22:13:20.123456789 +0000 f.one: ${goldenJson}\n`],
    ['stdout', { time_format: '%H' }, `22 f.one: ${goldenJson}\n`],
    [
      'stdout',
      { output_type: 'out_file', delimiter: 'SPACE', newline: 'crlf' },
      `2023-11-14 22:13:20.123456789 +0000 f.one: 2023-11-14T22:13:20+00:00 f.one ${goldenJson}\n`,
    ],
    [
      'stdout',
      { output_type: 'tsv', keys: ['message', 'n'] },
      '2023-11-14 22:13:20.123456789 +0000 f.one: hello "world"\t42\n',
    ],
    [
      'csv',
      { fields: ['message', 'n', 'nil', 'nested', 'nl', 'missing'] },
      '"hello ""world""","42","","{""a""=>[1, ""x""], ""k""=>""v""}","l1\nl2",""\n',
    ],
    [
      'csv',
      { fields: ['message', '', 'n', 'nil', 'tab'], force_quotes: false, delimiter: 'TAB' },
      '"hello ""world"""\t42\t\t"a\tb"\n',
    ],
    ['csv', { fields: ['$.nested.k', '$.nested.a[0]'], add_newline: false }, '"v","1"'],
    [
      'tsv',
      { keys: ['message', 'n', 'missing', 'tab', 'nested'] },
      `hello "world"\t42\t\ta\tb\t${nestedInspect}\n`,
    ],
    ['tsv', { keys: ['n', 'b'], delimiter: ';', newline: 'crlf' }, '42;true\r\n'],
    [
      'ltsv',
      {},
      `message:hello "world"\tn:42\tf:1.5\tnil:\tb:true\tnested:${nestedInspect}\tuni:žluťoučký 日本 😀\ttab:a b\tnl:l1\nl2\n`,
    ],
    [
      'hash',
      {},
      `{"message"=>"hello \\"world\\"", "n"=>42, "f"=>1.5, "nil"=>nil, "b"=>true, "nested"=>${nestedInspect}, "uni"=>"\\u017Elu\\u0165ou\\u010Dk\\u00FD \\u65E5\\u672C \\u{1F600}", "tab"=>"a\\tb", "nl"=>"l1\\nl2"}\n`,
    ],
    ['single_value', {}, 'hello "world"\n'],
    ['single_value', { message_key: 'nested', add_newline: false }, nestedInspect],
    ['single_value', { message_key: 'missing' }, '\n'],
  ])('%s %j', (type, values, expected) => {
    expect(format(type, values)).toBe(expected)
  })

  test('msgpack is the record’s own bytes', () => {
    const { formatter } = create('msgpack')
    const hex: string[] = []
    const batch = {
      tag: 't',
      ...pack([
        [time, record({ m: 1 })],
        [time, record({})],
      ]),
    }
    formatter.format(batch, 1000, (bytes) => hex.push(Buffer.from(bytes).toString('hex')))
    expect(hex).toEqual(['81a16d0180'])
  })

  test('ltsv with delimiters of its own, one of them in a value', () => {
    const records = [record({ a: 'x, y', b: 2 })]
    const values = { delimiter: ', ', label_delimiter: '=', replacement: '$&' }
    expect(format('ltsv', values, { records })).toBe('a=x$&y, b=2\n')
  })

  test('hash: what Ruby escapes, and times and bytes', () => {
    const records = [
      record({
        '#{x} #$y #z': '\x00\x07\b\v\f\r\x1b\x7f\\',
        raw: new RawString(Buffer.from('61ffc5be62e282', 'hex')),
        bin: new Uint8Array([0, 65, 200]),
        time: new EventTime(1, 5),
        big: 2n ** 64n - 1n,
        float: 1e-5,
      }),
    ]
    expect(format('hash', {}, { records })).toBe(
      '{"\\#{x} \\#$y #z"=>"\\u0000\\a\\b\\v\\f\\r\\e\\x7F\\\\", ' +
        '"raw"=>"a\\xFF\\u017Eb\\xE2\\x82", "bin"=>"\\x00A\\xC8", ' +
        '"time"=>1970-01-01 00:00:01.000000005 +0000, "big"=>18446744073709551615, "float"=>1.0e-05}\n',
    )
  })

  test('csv without forced quotes tells empty text from nothing', () => {
    const records = [record({ a: '', b: null, c: 'x\ry', d: 'plain' })]
    const values = { fields: ['a', 'b', 'c', 'd'], force_quotes: false }
    expect(format('csv', values, { records })).toBe('"",,"x\ry",plain\n')
  })

  test('control characters of a tag never reach a terminal', () => {
    const tag = 'a\x1b[31m\n\x9b\u0085b'
    const records = [record({})]
    const safe = 'a\\u001b[31m\\u000a\\u009b\\u0085b'
    expect(format('out_file', { output_time: false }, { tag, records })).toBe(`${safe}\t{}\n`)
    const ltsv = format('stdout', { output_type: 'ltsv' }, { tag, records })
    expect(ltsv).toBe(`2023-11-14 22:13:20.123456789 +0000 ${safe}: \n`)
  })
})

describe('as lines', () => {
  test.each<[string, Record<string, unknown>, string]>([
    ['json', { newline: 'crlf' }, '{"message":"x"}\n'],
    ['json', { add_newline: false }, '{"message":"x"}\n'],
    ['single_value', { newline: 'crlf' }, 'x\n'],
    ['single_value', { add_newline: false }, 'x\n'],
    ['msgpack', {}, '\x81\xa7message\xa1x\n'],
  ])('%s %j ends in one LF', (type, values, expected) => {
    const { formatter } = create(type, values)
    const batch = { tag: 't', ...pack([[time, { message: 'x' }]]) }
    let bytes = Buffer.alloc(0)
    formatter.asLines!().format(batch, 1000, (piece) => {
      bytes = Buffer.concat([bytes, piece])
    })
    expect(bytes.toString('latin1')).toBe(expected)
  })

  test('only one line end of a text is its end', () => {
    const records = [record({ message: 'x\n\r\n' })]
    const values = { add_newline: false }
    expect(format('single_value', values, { records, lines: true })).toBe('x\n\n')
  })
})

describe('values that are refused', () => {
  test.each<[string, Record<string, unknown>, string]>([
    ['out_file', { timezone: 'Mars/Base' }, "Unsupported timezone 'Mars/Base'"],
    ['json', { timezone: 'Mars/Base' }, "Unsupported timezone 'Mars/Base'"],
    ['out_file', { localtime: true, utc: true }, 'both of utc and localtime are specified'],
    ['json', { time_type: 'mixed' }, 'time_type is :mixed but'],
    ['csv', { fields: ['', ''] }, 'empty value is specified in fields parameter'],
    ['stdout', { output_type: 'csv' }, "'fields' parameter is required"],
    ['stdout', { output_type: 'xml' }, "Unknown formatter plugin 'xml'"],
  ])('%s %j', (type, values, message) => {
    expect(() => create(type, values)).toThrow(message)
  })
})

test('what JSON cannot hold is counted', async () => {
  const { formatter, metrics } = create('json')
  const batch = {
    tag: 't',
    ...pack([[time, { a: Number.NaN, b: new RawString(Buffer.from([255])) }]]),
  }
  formatter.format(batch, 1000, () => undefined)
  const text = await metrics.expose()
  expect(text).toMatch(/sluice_format_replaced_values_total\{[^}]*not_finite[^}]*\} 1/)
  expect(text).toMatch(/sluice_format_replaced_values_total\{[^}]*not_utf8[^}]*\} 1/)
})

test('pieces hold as many events as fit', () => {
  const { formatter } = create('single_value')
  const records = ['aaaa', 'bb', 'c'.repeat(20), 'd'].map((message) => record({ message }))
  const batch = { tag: 't', ...pack(records.map((item) => [time, item])) }
  const pieces: [string, number][] = []
  formatter.format(batch, 10, (bytes, count) => pieces.push([Buffer.from(bytes).toString(), count]))
  expect(pieces).toEqual([
    ['aaaa\nbb\n', 2],
    [`${'c'.repeat(20)}\n`, 1],
    ['d\n', 1],
  ])
})

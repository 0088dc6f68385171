import { describe, expect, it } from 'vitest'
import { ParserError } from '../../../src/core/parser.ts'
import { loadKernel } from '../../../src/host/load-kernel.ts'
import { createKernel } from '../../../src/kernel/index.ts'
import { Encoder } from '../../../src/msgpack/encode.ts'
import { jsonParser } from '../../../src/parsers/json.ts'
import { apacheErrorParser, nginxParser, regexpParser } from '../../../src/parsers/regexp.ts'
import { compileRegexp } from '../../../src/text/regexp.ts'
import { boundParams } from '../../support/bound-params.ts'
import { createFakeHost } from '../../support/fake-host.ts'

type Definition =
  | typeof jsonParser
  | typeof regexpParser
  | typeof nginxParser
  | typeof apacheErrorParser

const kernel = createKernel(loadKernel())

function create(values: Readonly<Record<string, unknown>>, definition: Definition = jsonParser) {
  const host = createFakeHost({ startMs: 1_700_000_000_250 })
  return definition.create(boundParams(definition.shape, values), { host, kernel } as never)
}

/** What `parse` leads to, where it leads to one event. */
function expected(parser: ReturnType<typeof create>, text: string): string | undefined {
  const [item, ...more] = parser.parse(text)
  if (item === undefined || item instanceof ParserError || item.time === undefined) return undefined
  expect(more).toEqual([])
  const encoder = new Encoder()
  encoder.entry(item.time)
  encoder.value(item.record)
  return Buffer.from(encoder.bytes).toString('hex')
}

describe('entries of lines', () => {
  const access =
    '10.0.0.7 - frank [14/Nov/2023:22:13:20 +0000] "GET /ä HTTP/1.1" 200 1000 "-" "Mozilla/5.0 (X11; Linux x86_64) Chrome/119.0"'
  const expression = (source: string) => ({ expression: compileRegexp(source) })
  const cases: [string, Definition, Record<string, unknown>, string, boolean][] = [
    ['nginx', nginxParser, {}, access, true],
    ['nginx, time kept', nginxParser, { keep_time_key: true }, access, true],
    ['another line', nginxParser, {}, 'x', false],
    ['a wrong time', nginxParser, {}, access.replace('Nov', 'Non'), false],
    ['apache_error, no pid', apacheErrorParser, {}, '[Wed 14 Nov 2023] [error] [client 1] x', true],
    ['a group without a part', regexpParser, expression('/^(?<a>x)?(?<b>.*)$/'), 'yé', true],
    ['no time', regexpParser, expression('/^(?<time>x)?(?<b>.*)$/'), 'y', true],
    ['a name twice', regexpParser, expression('/^(?:(?<a>x)|(?<a>y))(?<b>.*)$/'), 'yy', true],
    [
      'no time at all',
      regexpParser,
      { ...expression('/^(?<b>.*)$/'), estimate_current_event: false },
      'y',
      false,
    ],
  ]
  it.each(cases)('%s', (_, definition, values, text, packs) => {
    const parser = create(values, definition)
    const bytes = Buffer.from(`..${text}..`)
    const end = bytes.length - 2
    const entry = parser.pack?.(bytes, 2, end)
    expect(entry !== undefined).toBe(packs)
    if (entry !== undefined) expect(Buffer.from(entry).toString('hex')).toBe(expected(parser, text))
  })

  it('not of bytes that are not UTF-8, and not where fields are converted', () => {
    const parser = create(expression('/^(?<b>.*)$/'), regexpParser)
    expect(parser.pack?.(Buffer.from([0xff]), 0, 1)).toBeUndefined()
    const converting = { ...expression('/^(?<b>.*)$/'), types: { b: 'integer' } }
    expect(create(converting, regexpParser).pack).toBeUndefined()
  })
})

describe('entries from the bytes', () => {
  const docker = '{"log":"a\\n","stream":"stdout","time":"2024-01-02T03:04:05.678901234Z"}'
  const iso = { time_type: 'string', time_format: '%Y-%m-%dT%H:%M:%S.%N%z' }
  const cases: [string, Record<string, unknown>, string, boolean][] = [
    ['no time', {}, '{"a":1,"b":[1,{"c":null}]}', true],
    ['a number', {}, '{"time":1580000000.5,"a":1}', true],
    ['an integer', {}, '{"time":1580000000}', true],
    ['text', iso, docker, true],
    ['text that stays', { ...iso, keep_time_key: true }, docker, true],
    [
      'another key',
      { ...iso, time_key: 'log' },
      '{"x":{"log":1},"log":"2024-01-02T03:04:05.6Z"}',
      true,
    ],
    ['a wrong time', iso, '{"time":"yesterday"}', false],
    ['null', {}, '{"time":null}', false],
    ['before 1970', {}, '{"time":-5.5}', false],
    ['NaN', {}, '{"a":NaN}', false],
    ['a control character', {}, '{"a":"\u0001"}', true],
    ['a control character of yajl', { json_parser: 'yajl' }, '{"a":"\u0001"}', false],
    ['no time at all', { estimate_current_event: false }, '{}', false],
    ['no object', {}, '[{}]', false],
  ]
  it.each(cases)('%s', (_, values, text, packs) => {
    const parser = create(values)
    const bytes = Buffer.from(`..${text}..`)
    const entry = parser.pack?.(bytes, 2, bytes.length - 2)
    expect(entry !== undefined).toBe(packs)
    if (entry !== undefined) expect(Buffer.from(entry).toString('hex')).toBe(expected(parser, text))
  })

  it('not where fields are converted', () => {
    expect(create({ types: { a: 'integer' } }).pack).toBeUndefined()
    expect(create({ null_empty_string: true }).pack).toBeUndefined()
  })
})

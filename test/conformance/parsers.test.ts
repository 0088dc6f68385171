import { describe, expect, it } from 'vitest'
import type { PluginContext } from '../../src/config/define.ts'
import type { BoundPlugin } from '../../src/config/schema.ts'
import { type Parser, ParserError } from '../../src/core/parser.ts'
import { type MsgValue, RawString } from '../../src/core/value.ts'
import { parsers } from '../../src/parsers/index.ts'
import { createTestContext } from '../support/plugin-context.ts'
import { boundOf, namesOf } from './world.ts'

/** What every parser does; see src/core/parser.ts. A parser without a row here fails. */

const apache = '192.0.2.1 - ann [14/Nov/2023:22:13:20 +0000] "GET / HTTP/1.1" 200 6 "-" "curl"'
const grok = '<grok>\npattern %{IP:ip} %{WORD:verb}\n</grok>'
/** The least that each can be given, and a text that it reads. */
const rows: Readonly<Record<string, { lines: string; text: MsgValue }>> = {
  apache: { lines: '', text: apache },
  apache2: { lines: '', text: apache },
  apache_error: {
    lines: '',
    text: '[Tue Nov 14 22:13:20 2023] [error] [client 192.0.2.1] no',
  },
  cri: { lines: '', text: '2023-11-14T22:13:20.5Z stdout F hello' },
  csv: { lines: 'keys a,b', text: '1,"2"' },
  grok: { lines: grok, text: '192.0.2.1 GET' },
  json: { lines: '', text: '{"a":1,"time":1700000000}' },
  ltsv: { lines: '', text: 'a:1\tb:2' },
  msgpack: { lines: '', text: new RawString(Uint8Array.of(0x81, 0xa1, 0x61, 1)) },
  multi_format: { lines: '<pattern>\nformat json\n</pattern>', text: '{"a":1}' },
  multiline: { lines: 'format1 /^(?<a>\\d+) (?<b>.*)/', text: '1 x' },
  multiline_grok: { lines: grok, text: '192.0.2.1 GET' },
  nginx: { lines: '', text: apache },
  none: { lines: '', text: 'anything' },
  regexp: { lines: 'expression /^(?<a>.)(?<b>.*)$/', text: 'ab' },
  syslog: { lines: '', text: 'Nov 14 22:13:20 host app[1]: hello' },
  tsv: { lines: 'keys a,b', text: '1\t2' },
}

function make(bound: BoundPlugin, context: PluginContext): Parser {
  const definition = parsers.find(({ name }) => name === bound.type)
  return definition!.create(bound.params as never, context)
}

function parserOf(name: string): Parser {
  const text = `<source>\n@type tcp\ntag t\n<parse>\n@type ${name}\n${rows[name]?.lines}\n</parse>\n</source>`
  const bound = boundOf(text).sources[0]!.params.parse as BoundPlugin
  const { context } = createTestContext()
  const whole: PluginContext = { ...context, createParser: (inner) => make(inner, whole) }
  return make(bound, whole)
}

const long = 'a'.repeat(200_000)
const hostile: MsgValue[] = [
  ...[
    '',
    ' ',
    '\n',
    '\u0000',
    '"',
    '{',
    '[',
    '[[[',
    '{"a":',
    '%',
    '\\',
    ':::',
    '\t\t',
    'é€😀',
    '\ud800',
  ],
  ...[
    '{"__proto__":{"x":1},"constructor":1}',
    '__proto__:1\tconstructor:2',
    '__proto__ x',
    '1e999',
    'NaN',
  ],
  ...[
    long,
    `{"a":"${long}"}`,
    `${'['.repeat(5000)}`,
    `${'{"a":'.repeat(5000)}1`,
    `${'"'.repeat(5001)}`,
  ],
  ...[
    '9'.repeat(400),
    `[${'9'.repeat(40)}]`,
    `${apache} ${long}`,
    '2023-99-99T99:99:99Z stdout F x',
  ],
  ...[null, true, 5, -1.5, 2n ** 63n, new Map<MsgValue, MsgValue>([['a', 1]]), ['x', null]],
  ...[
    [0xff, 0xfe, 0x41],
    [0x81, 0xa1],
    [0xdf, 0xff, 0xff, 0xff, 0xff],
    [0xc1],
    Array(300).fill(0x91),
  ].map((bytes) => new RawString(Uint8Array.from(bytes as number[]))),
]

it('every parser has a row', () => {
  // in_http only holds the parameters of a source http that has no parser: it reads nothing.
  const readers = namesOf('parser').filter((name) => name !== 'in_http')
  expect(Object.keys(rows).sort()).toEqual(readers.sort())
})

describe.each(Object.entries(rows))('parser %s', (name, { text }) => {
  it('makes a record of its text: a new one each time, the same each time', () => {
    const parser = parserOf(name)
    const [first] = parser.parse(text)
    const [second] = parser.parse(text)
    if (first === undefined || first instanceof ParserError) throw new Error(`it cannot: ${first}`)
    expect(first.record.size).toBeGreaterThan(0)
    first.record.set('mine', true)
    if (second === undefined || second instanceof ParserError) throw new Error('not again')
    expect(second.record.has('mine')).toBe(false)
    const [third] = parser.parse(text)
    expect(third).toEqual(second)
  })

  it('throws for no text whatever, and gives Maps or says what is wrong', () => {
    const parser = parserOf(name)
    for (const value of hostile) {
      for (const item of parser.parse(value)) {
        if (item === undefined) continue
        if (item instanceof ParserError) expect(item.message.length).toBeGreaterThan(0)
        else expect(item.record).toBeInstanceOf(Map)
      }
    }
    const [after] = parser.parse(text)
    expect(after).not.toBeInstanceOf(ParserError)
    expect(after).toBeDefined()
  })
})

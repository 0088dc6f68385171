import { describe, expect, it } from 'vitest'
import type { EventTime, MsgMap, MsgValue } from '../../../src/core/value.ts'
import { encode } from '../../../src/msgpack/encode.ts'
import { parsers } from '../../../src/parsers/index.ts'
import { boundParams } from '../../support/bound-params.ts'
import { createFakeHost } from '../../support/fake-host.ts'

type Values = Readonly<Record<string, unknown>>

/** `[seconds, record]` of each item; other items as they are. */
function parsed(type: string, values: Values, text: MsgValue): unknown[] {
  const definition = parsers.find((candidate) => candidate.name === type)
  if (definition === undefined) throw new Error(`no parser ${type}`)
  const host = createFakeHost({ startMs: 1_700_000_000_000 })
  const parser = definition.create(boundParams(definition.shape, values), { host } as never)
  return parser.parse(text).map((item) => {
    if (item === undefined) return undefined
    const { time, record } = item as { time: EventTime; record: MsgMap }
    return record === undefined ? item : [time.seconds, Object.fromEntries(record)]
  })
}

const request = '"GET /a HTTP/1.1" 200 12'
const date = '28/Feb/2013:12:00:00 +0900'
const now = 1_700_000_000

describe('timeout', () => {
  // Fluentd asks its clock; here the work itself is bounded, so that the shortest time changes nothing.
  it.each<[string, Values, MsgValue, unknown]>([
    ['apache', {}, `h - - [${date}] ${request}`, { host: 'h', path: '/a', code: '200' }],
    ['apache2', {}, `h - - [${date}] ${request}`, { host: 'h', path: '/a', code: 200 }],
    [
      'apache_error',
      {},
      '[Wed Oct 11 14:32:52 2000] [error] [client 127.0.0.1] denied',
      { level: 'error', client: '127.0.0.1', message: 'denied' },
    ],
    ['csv', { keys: ['a', 'b'] }, '1,2', { a: '1', b: '2' }],
    ['ltsv', {}, 'a:1\tb:2', { a: '1', b: '2' }],
    ['msgpack', {}, encode(new Map([['a', 1]])) as never, { a: 1 }],
    ['multiline', { format1: '/^(?<a>.*)$/' }, 'x', { a: 'x' }],
    ['nginx', {}, `1.2.3.4 h u [${date}] ${request} "-" "curl"`, { remote: '1.2.3.4' }],
    ['none', {}, 'x', { message: 'x' }],
    ['regexp', { expression: '^(?<a>.*)$' }, 'x', { a: 'x' }],
    ['syslog', {}, 'Nov 14 22:13:20 h id: m', { host: 'h', ident: 'id', message: 'm' }],
    ['tsv', { keys: ['a', 'b'] }, '1\t2', { a: '1', b: '2' }],
  ])('%s takes the same with the shortest one', (type, values, text, record) => {
    const without = parsed(type, values, text)
    expect(without).toEqual([[expect.any(Number), expect.objectContaining(record as object)]])
    expect(parsed(type, { ...values, timeout: 0.000_001 }, text)).toEqual(without)
  })
})

describe('parameters that are accepted', () => {
  it('json: stream_buffer_size changes nothing, text comes whole', () => {
    const long = `{"a":"${'x'.repeat(500)}"}`
    const record = [[now, { a: 'x'.repeat(500) }]]
    expect(parsed('json', { stream_buffer_size: 1 }, long)).toEqual(record)
  })

  it.each([true, false])('syslog: support_colonless_ident %s takes both', (value) => {
    const values = { support_colonless_ident: value }
    for (const text of ['Nov 14 22:13:20 h id: m', 'Nov 14 22:13:20 h id m']) {
      const wanted = [[expect.any(Number), expect.objectContaining({ host: 'h', ident: 'id' })]]
      expect(parsed('syslog', values, text)).toEqual(wanted)
    }
  })

  it('syslog: rfc5424_time_format reads the time', () => {
    const text = '<16>1 2023:11:14 h id 1 - - m'
    const values = { message_format: 'rfc5424', with_priority: true }
    const format = { rfc5424_time_format: '%Y:%m:%d' }
    const wanted = [[1_699_920_000, expect.objectContaining({ host: 'h', message: 'm' })]]
    expect(parsed('syslog', { ...values, ...format }, text)).toEqual(wanted)
    expect(parsed('syslog', values, text)).not.toEqual(wanted)
  })
})

describe('multiline', () => {
  it.each(['true', 'false'])('unmatched_lines %s changes nothing here', (value) => {
    const values = { format1: '/^a(?<a>.*)$/', unmatched_lines: value }
    expect(parsed('multiline', values, 'a1')).toEqual([[now, { a: '1' }]])
    expect(parsed('multiline', values, 'b1')).toEqual([undefined])
  })
})

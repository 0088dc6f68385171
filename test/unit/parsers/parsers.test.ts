import { describe, expect, it } from 'vitest'
import { maxRecordItems } from '../../../src/core/batch.ts'
import { ConfigError } from '../../../src/core/errors.ts'
import { ParserError } from '../../../src/core/parser.ts'
import { EventTime, MsgFloat, type MsgValue, RawString } from '../../../src/core/value.ts'
import { encode } from '../../../src/msgpack/encode.ts'
import { parsers } from '../../../src/parsers/index.ts'
import { boundParams, placeOf } from '../../support/bound-params.ts'
import { createFakeHost } from '../../support/fake-host.ts'

const now = new EventTime(1_700_000_000, 250_000_000)

/** Japan, all the year. */
function create(type: string, values: Readonly<Record<string, unknown>> = {}) {
  const definition = parsers.find((candidate) => candidate.name === type)
  if (definition === undefined) throw new Error(`no parser ${type}`)
  const host = createFakeHost({ startMs: 1_700_000_000_250 })
  host.clock.localOffsetSeconds = () => 9 * 3600
  return definition.create(boundParams(definition.shape, values), { host } as never)
}

const map = (object: Record<string, MsgValue>): MsgValue => new Map(Object.entries(object))
const raw = (hex: string) => new RawString(Buffer.from(hex, 'hex'))

/** `[seconds, nanoseconds]` or undefined, and the record; text for errors. */
function parsed(type: string, values: Readonly<Record<string, unknown>>, text: MsgValue) {
  return create(type, values)
    .parse(text)
    .map((item) => {
      if (item === undefined) return 'no match'
      if (item instanceof ParserError) return item.message
      return { time: item.time, record: item.record }
    })
}
const event = (record: Record<string, MsgValue>, time: EventTime | undefined = now) => ({
  time,
  record: map(record),
})

type Case = [string, Record<string, unknown>, MsgValue, unknown[]]

describe('json', () => {
  const cases: Case[] = [
    ['object', {}, '{"a":1,"b":[1,{"c":null}]}', [event({ a: 1, b: [1, map({ c: null })] })]],
    ['array', {}, '[{"a":1},2,{"b":2}]', [event({ a: 1 }), 'no match', event({ b: 2 })]],
    ['empty array', {}, '[]', []],
    ['other values', {}, '"str"', ['no match']],
    ['no JSON', {}, '{"a":tru}', ['no match']],
    ['no text', {}, 5, ['no match']],
    ['NaN', {}, '{"a":NaN}', [event({ a: Number.NaN })]],
    ['NaN of yajl', { json_parser: 'yajl' }, '{"a":NaN}', ['no match']],
    ['bytes', {}, raw('7b2261223a22ff227d'), [event({ a: raw('ff') })]],
    ['time', {}, '{"time":1580000000,"a":1}', [event({ a: 1 }, new EventTime(1580000000, 0))]],
    ['float', {}, '{"time":1580000000.5}', [event({}, new EventTime(1580000000, 500000000))]],
    ['text', {}, '{"time":"1580000001.25"}', [event({}, new EventTime(1580000001, 250000000))]],
    ['date', {}, '{"time":"2020-01-26 00:53:20 +0000"}', [event({}, new EventTime(2020, 0))]],
    ['null', {}, '{"time":null}', ['value must be a string or a number: nil']],
    ['negative', {}, '{"time":-5.5}', [event({}, new EventTime(-5, undefined))]],
    ['beyond', {}, '{"time":1e300}', ['invalid time format: value = 1.0e+300']],
    ['no time', { estimate_current_event: false }, '{}', [{ time: undefined, record: map({}) }]],
    [
      'kept time',
      { time_key: 'ts', keep_time_key: true },
      '{"ts":1.5,"time":2}',
      [event({ ts: 1.5, time: 2 }, new EventTime(1, 500000000))],
    ],
    [
      'time_format makes time_type string',
      { time_format: '%iso8601' },
      '{"time":"2021-02-03T04:05:06Z"}',
      [event({}, new EventTime(1612325106, 0))],
    ],
    [
      'each of an array by itself',
      { time_type: 'unixtime' },
      '[{"time":5},{"time":[]}]',
      [event({}, new EventTime(5, 0)), 'value must be a string or a number: []'],
    ],
  ]
  it.each(cases)('%s', (_, values, text, expected) => {
    expect(parsed('json', values, text)).toEqual(expected)
  })
})

describe('types and nulls', () => {
  const types = { a: 'integer', b: 'float', c: 'bool', d: 'string', e: 'array', f: 'array:|' }
  const cases: Case[] = [
    [
      'texts',
      { types },
      '{"a":"12","b":"1.5x","c":"yes","d":5,"e":"x,y,,z,","f":"1|2","g":"same"}',
      [event({ a: 12, b: 1.5, c: true, d: '5', e: ['x', 'y', '', 'z'], f: ['1', '2'], g: 'same' })],
    ],
    [
      'others',
      { types },
      '{"a":1.9,"b":3,"c":"TRUE","d":null,"e":"","f":"x"}',
      [event({ a: 1, b: new MsgFloat(3), c: true, d: null, e: [], f: ['x'] })],
    ],
    [
      'odd ones',
      { types },
      '{"a":"0x1f","b":"1e3","c":"1","d":[1],"e":5}',
      [event({ a: 0, b: new MsgFloat(1000), c: true, d: '[1]', e: ['5'] })],
    ],
    [
      'integers',
      { types: { a: 'integer', b: 'integer', c: 'integer', d: 'integer' } },
      '{"a":" -4_2x","b":"99999999999999999999","c":"18446744073709551615","d":1e30}',
      [event({ a: -42, b: new MsgFloat(1e20), c: 18446744073709551615n, d: new MsgFloat(1e30) })],
    ],
    [
      'times',
      { types: { a: 'time', b: 'time:%iso8601', c: 'time:unixtime', d: 'time', e: 'time' } },
      '{"a":"2020-01-02","b":"2020-01-02T00:00:00Z","c":"7.5","d":5,"e":"bad"}',
      [
        event({
          a: new EventTime(1577890800, 0),
          b: new EventTime(1577923200, 0),
          c: new EventTime(7, 0),
          d: null,
          e: null,
        }),
      ],
    ],
    [
      'null_value_pattern and null_empty_string',
      { null_value_pattern: '^-$', null_empty_string: true, types: { e: 'integer' } },
      '{"a":"-","b":"","c":"x-","d":0,"e":"-"}',
      [event({ a: null, b: null, c: 'x-', d: 0, e: null })],
    ],
    [
      'false stays',
      { types: { a: 'string', b: 'string' } },
      '{"a":false,"b":true}',
      [event({ a: false, b: 'true' })],
    ],
  ]
  it.each(cases)('%s', (_, values, text, expected) => {
    expect(parsed('json', values, text)).toEqual(expected)
  })
})

describe('regexp', () => {
  const expression = '/^(?<host>[^ ]+) (?<code>\\d+) ?(?<rest>.*)?$/'
  const cases: Case[] = [
    [
      'groups',
      { expression, types: { code: 'integer' } },
      'h1 200 tail here',
      [event({ host: 'h1', code: 200, rest: 'tail here' })],
    ],
    ['a group without part', { expression: '(?<a>x)|(?<b>y)' }, 'y', [event({ b: 'y' })]],
    ['no match', { expression }, 'nothing', ['no match']],
    [
      'old flags',
      { expression: '/^(?<a>A.)/', ignorecase: true, multiline: true },
      'a\n',
      [event({ a: 'a\n' })],
    ],
    ['not UTF-8', { expression }, raw('ff'), ['invalid byte sequence in UTF-8']],
    ['no text', { expression }, 5, ['parse failed 5 is no string']],
    [
      'too long',
      { expression },
      'x'.repeat(1_100_000),
      ['parse failed text of 1100000 characters is too long for a regular expression (1048576)'],
    ],
  ]
  it.each(cases)('%s', (_, values, text, expected) => {
    expect(parsed('regexp', values, text)).toEqual(expected)
  })
})

describe('ltsv and none', () => {
  const cases: [string, ...Case][] = [
    ['ltsv', 'fields', {}, 'a:1\tb:x:y\tc:', [event({ a: '1', b: 'x:y', c: '' })]],
    ['ltsv', 'no field', {}, 'novalue', [event({})]],
    ['ltsv', 'an empty one', {}, 'k:v\t\tz:1', [event({ k: 'v', z: '1' })]],
    ['ltsv', 'no key', {}, ':nokey', [event({ '': 'nokey' })]],
    [
      'ltsv',
      'delimiters',
      { delimiter: ',', label_delimiter: '=' },
      'a=1,b=2',
      [event({ a: '1', b: '2' })],
    ],
    [
      'ltsv',
      'pattern',
      { delimiter_pattern: '/[,;]\\s*/' },
      'a:1, b:2;c:3',
      [event({ a: '1', b: '2', c: '3' })],
    ],
    ['ltsv', 'time', { time_type: 'unixtime' }, 'time:12', [event({}, new EventTime(12, 0))]],
    ['ltsv', 'not UTF-8', {}, raw('ff'), ['invalid byte sequence in UTF-8']],
    ['none', 'text', {}, '{"json":1}', [event({ message: '{"json":1}' })]],
    ['none', 'key', { message_key: 'm' }, '', [event({ m: '' })]],
    [
      'none',
      'no text',
      { estimate_current_event: false },
      5,
      [{ time: undefined, record: map({ message: 5 }) }],
    ],
  ]
  it.each(cases)('%s: %s', (type, _, values, text, expected) => {
    expect(parsed(type, values, text)).toEqual(expected)
  })
})

describe('csv and tsv', () => {
  const abc = { keys: ['a', 'b', 'c'] }
  const fast = { ...abc, parser_engine: 'fast' }
  const cases: [string, string, Record<string, unknown>, MsgValue, unknown[]][] = [
    ['csv', 'plain', abc, '1,2,3', [event({ a: '1', b: '2', c: '3' })]],
    ['csv', 'quotes', abc, '"x, y","q ""q""",', [event({ a: 'x, y', b: 'q "q"', c: null })]],
    ['csv', 'an empty quoted one', abc, '"",,"a\nb"', [event({ a: '', b: null, c: 'a\nb' })]],
    ['csv', 'too few', abc, '1,2', [event({ a: '1', b: '2', c: null })]],
    ['csv', 'too many', abc, '1,2,3,4\n5', [event({ a: '1', b: '2', c: '3' })]],
    ['csv', 'an open quote', abc, '"open,2,3', ['parse failed Unclosed quoted field in line 1.']],
    ['csv', 'a quote inside', abc, 'a"b,2', ['parse failed Illegal quoting in line 1.']],
    ['csv', 'text behind a quote', abc, '"a"b,2', [expect.stringContaining('after quoted field')]],
    ['csv', 'nothing', abc, '', ['no match']],
    [
      'csv',
      'a long delimiter',
      { ...abc, delimiter: '::' },
      '1::2:3::',
      [event({ a: '1', b: '2:3', c: null })],
    ],
    ['csv', 'fast', fast, '1,"a,b",\n', [event({ a: '1', b: 'a,b', c: null })]],
    ['csv', 'fast, odd', fast, '"x",a"b,"q ""q"""', [event({ a: 'x', b: 'a"b', c: 'q "q"' })]],
    ['csv', 'fast, surplus', fast, '1,2,3,4', [event({ a: '1', b: '2', c: '3' })]],
    ['csv', 'fast, nothing', fast, '', [event({})]],
    ['csv', 'no text', abc, 5, ['parse failed 5 is no string']],
    ['tsv', 'plain', abc, '1\t2\t3', [event({ a: '1', b: '2', c: '3' })]],
    ['tsv', 'quotes', abc, '"q"\t\t ', [event({ a: '"q"', b: '', c: ' ' })]],
    ['tsv', 'too few', abc, 'x', [event({ a: 'x', b: null, c: null })]],
    ['tsv', 'too many', abc, 'a\tb\tc\td', [event({ a: 'a', b: 'b', c: 'c\td' })]],
    ['tsv', 'nothing', abc, '', [event({ a: null, b: null, c: null })]],
    [
      'csv',
      'time and types',
      { keys: ['time', 'n'], time_key: 'time', time_type: 'unixtime', types: { n: 'integer' } },
      '7,5',
      [event({ n: 5 }, new EventTime(7, 0))],
    ],
  ]
  it.each(cases)('%s: %s', (type, _, values, text, expected) => {
    expect(parsed(type, values, text)).toEqual(expected)
  })
})

describe('web servers', () => {
  const at = (text: string) => new EventTime(Date.parse(text) / 1000, 0)
  const access = (rest: string) => `192.168.0.1 - - [28/Feb/2013:12:00:00 +0900] ${rest}`
  const time = at('2013-02-28T03:00:00Z')
  const get = { method: 'GET', path: '/x' }
  const cases: [string, Record<string, unknown>, string, unknown[]][] = [
    [
      'apache',
      {},
      access('"GET /x HTTP/1.1" 200 777 "-" "Opera"'),
      [
        event(
          {
            host: '192.168.0.1',
            user: '-',
            ...get,
            code: '200',
            size: '777',
            referer: '-',
            agent: 'Opera',
          },
          time,
        ),
      ],
    ],
    ['apache', {}, 'bad', ['no match']],
    [
      'apache2',
      {},
      access('"GET /x HTTP/1.1" 200 - "-" "Opera \\"12\\""'),
      [
        event(
          {
            host: '192.168.0.1',
            user: null,
            ...get,
            code: 200,
            size: null,
            referer: null,
            agent: 'Opera \\"12\\"',
          },
          time,
        ),
      ],
    ],
    [
      'apache2',
      { keep_time_key: true },
      access('"-" 0 0'),
      [
        event(
          {
            host: '192.168.0.1',
            user: null,
            method: '-',
            path: null,
            code: null,
            size: 0,
            referer: null,
            agent: null,
            time: '28/Feb/2013:12:00:00 +0900',
          },
          time,
        ),
      ],
    ],
    ['apache2', {}, '::1 - - [x] "-" 408 0', ['invalid time format: value = x']],
    [
      'apache_error',
      {},
      '[Wed Oct 11 14:32:52 2000] [error] [client 127.0.0.1] client denied',
      [
        event(
          { level: 'error', client: '127.0.0.1', message: 'client denied' },
          at('2000-10-11T05:32:52Z'),
        ),
      ],
    ],
    [
      'nginx',
      {},
      '127.0.0.1 10.0.0.1 - [28/Feb/2013:12:00:00 +0900] "GET /x HTTP/1.1" 200 777 "-" "Opera" -',
      [
        event(
          {
            remote: '127.0.0.1',
            host: '10.0.0.1',
            user: '-',
            ...get,
            code: '200',
            size: '777',
            referer: '-',
            agent: 'Opera',
            http_x_forwarded_for: '-',
          },
          time,
        ),
      ],
    ],
  ]
  it.each(cases)('%s %#', (type, values, text, expected) => {
    expect(parsed(type, values, text)).toEqual(expected)
  })
})

describe('syslog', () => {
  const utc = (text: string, nanoseconds = 0) => new EventTime(Date.parse(text) / 1000, nanoseconds)
  const old = (seconds: string) => utc(`2023-02-28T${seconds}Z`)
  const cases: [string, Record<string, unknown>, string, unknown[]][] = [
    [
      'RFC 3164',
      { with_priority: true },
      '<6>Feb 28 12:00:00 192.168.0.1 fluentd[11111]: [error] Syslog test\n',
      [
        event(
          {
            pri: 6,
            host: '192.168.0.1',
            ident: 'fluentd',
            pid: '11111',
            message: '[error] Syslog test',
          },
          old('03:00:00'),
        ),
      ],
    ],
    [
      'a day of one digit',
      { keep_time_key: true },
      'Feb  8 01:02:03 host app: msg',
      [
        event(
          { time: 'Feb 8 01:02:03', host: 'host', ident: 'app', message: 'msg' },
          utc('2023-02-07T16:02:03Z'),
        ),
      ],
    ],
    [
      'a name without colon',
      { utc: true },
      'Feb 28 12:00:00 host cron msg without colon',
      [event({ host: 'host', ident: 'cron', message: 'msg without colon' }, old('12:00:00'))],
    ],
    ['no priority', { with_priority: true }, 'Feb 28 12:00:00 h x: no pri', ['no match']],
    [
      'a priority too many',
      {},
      '<6>Feb 28 12:00:00 h x: y',
      [expect.stringContaining('invalid time')],
    ],
    ['garbage', { with_priority: true }, '<6>garbage', [expect.stringContaining('parse failed')]],
    ['nothing behind the host', {}, 'Feb 28 12:00:00 host', ['no match']],
    [
      'RFC 5424',
      { with_priority: true, message_format: 'rfc5424' },
      '<16>1 2013-02-28T12:00:00.003Z h fluentd 11111 ID24224 [ex@1 iut="3"] Hi, from\nFluentd!',
      [
        event(
          {
            pri: 16,
            host: 'h',
            ident: 'fluentd',
            pid: '11111',
            msgid: 'ID24224',
            extradata: '[ex@1 iut="3"]',
            message: 'Hi, from\nFluentd!',
          },
          utc('2013-02-28T12:00:00Z', 3e6),
        ),
      ],
    ],
    [
      'RFC 5424 without fraction and message',
      { with_priority: true, message_format: 'rfc5424' },
      '<1>1 2020-10-11T22:14:15Z h a - - -',
      [
        event(
          { pri: 1, host: 'h', ident: 'a', pid: '-', msgid: '-', extradata: '-' },
          utc('2020-10-11T22:14:15Z'),
        ),
      ],
    ],
    [
      'either: the new one',
      { with_priority: true, message_format: 'auto' },
      '<16>1 2013-02-28T12:00:00.003Z h fluentd 1 ID - new',
      [
        event(
          {
            pri: 16,
            host: 'h',
            ident: 'fluentd',
            pid: '1',
            msgid: 'ID',
            extradata: '-',
            message: 'new',
          },
          utc('2013-02-28T12:00:00Z', 3e6),
        ),
      ],
    ],
    [
      'either: the old one',
      { with_priority: true, message_format: 'auto', utc: true },
      '<6>Feb 28 12:00:00 h app[1]: old',
      [event({ pri: 6, host: 'h', ident: 'app', pid: '1', message: 'old' }, old('12:00:00'))],
    ],
    ['bad', { message_format: 'rfc5424' }, 'bad', [expect.stringContaining('parse failed')]],
  ]
  it.each(cases)('%s', (_, values, text, expected) => {
    expect(parsed('syslog', values, text)).toEqual(expected)
  })
})

describe('times as text', () => {
  const utc = (text: string) => Date.parse(text) / 1000
  const cases: [string, Record<string, unknown>, number | string, number?][] = [
    ['2021-02-03T04:05:06Z', { time_format: '%iso8601' }, utc('2021-02-03T04:05:06Z')],
    [
      '2021-02-03T04:05:06.789+09:00',
      { time_format: '%iso8601' },
      utc('2021-02-02T19:05:06Z'),
      789e6,
    ],
    ['2021-02-03T04:05:06', { time_format: '%iso8601' }, utc('2021-02-02T19:05:06Z')],
    ['2021-02-03T04:05:06', { time_format: '%iso8601', utc: true }, utc('2021-02-03T04:05:06Z')],
    ['2021-02-03', { time_format: '%iso8601' }, 'invalid time format: value = 2021-02-03'],
    [
      '2021-13-03T00:00:00Z',
      { time_format: '%iso8601' },
      'invalid time format: value = 2021-13-03T00:00:00Z',
    ],
    [
      '2021-02-03 04:05:06',
      { time_format: '%Y-%m-%d %H:%M:%S', timezone: '+05:30' },
      utc('2021-02-02T22:35:06Z'),
    ],
    [
      'Feb  3 21 04:05:06 PM',
      { time_format: '%b %e %y %I:%M:%S %p', utc: true },
      utc('2021-02-03T16:05:06Z'),
    ],
    [
      '10/Oct/2020:13:55:36 -0700',
      { time_format: '%d/%b/%Y:%H:%M:%S %z' },
      utc('2020-10-10T20:55:36Z'),
    ],
    ['nope', { time_format: '%Y' }, 'invalid time format: value = nope'],
    ['1960-01-01', { time_format: '%Y-%m-%d', utc: true }, utc('1960-01-01T00:00:00Z')],
    // without a format
    ['2021-02-03 04:05:06', {}, utc('2021-02-02T19:05:06Z')],
    ['2021-02-03 04:05:06.123456789 -0530', {}, utc('2021-02-03T09:35:06Z'), 123456789],
    ['2021/02/03', {}, utc('2021-02-02T15:00:00Z')],
    ['20210203T040506Z', {}, utc('2021-02-03T04:05:06Z')],
    ['10/Oct/2020:13:55:36 -0700', {}, utc('2020-10-10T20:55:36Z')],
    ['Wed, 03 Feb 2021 04:05:06 GMT', {}, utc('2021-02-03T04:05:06Z')],
    ['Wed Feb  3 04:05:06 UTC 2021', {}, utc('2021-02-03T04:05:06Z')],
    ['Feb 3, 2021 4:05 PM EST', {}, utc('2021-02-03T21:05:00Z')],
    ['Nov  3 04:05:06', {}, utc('2023-11-02T19:05:06Z')],
    ['04:05:06', {}, utc('2023-11-14T19:05:06Z')],
    ['2021-02-30', {}, 'invalid time format: value = 2021-02-30'],
    ['2021-02-03 25:00', {}, 'invalid time format: value = 2021-02-03 25:00'],
    ['garbage', {}, 'invalid time format: value = garbage'],
    [
      `2021-02-03${' '.repeat(100)}`,
      {},
      `invalid time format: value = 2021-02-03${' '.repeat(100)}`,
    ],
    ['1580000000', { time_type: 'unixtime' }, 1580000000],
    ['garbage', { time_type: 'unixtime' }, 0],
    ['1580000000.1234567891', { time_type: 'float' }, 1580000000, 123456789],
    ['1580000000', { time_type: 'mixed', time_format: 'unixtime' }, 1580000000],
    [
      '2021-02-03T04:05:06Z',
      { time_type: 'mixed', time_format: 'unixtime', time_format_fallbacks: ['%iso8601'] },
      utc('2021-02-03T04:05:06Z'),
    ],
    [
      'x',
      { time_type: 'mixed', time_format_fallbacks: ['unixtime', '%iso8601'] },
      'invalid time format: value = x, even though fallbacks: unixtime,%iso8601',
    ],
  ]
  it.each(cases)('%s %j', (text, values, seconds, nanoseconds = 0) => {
    const parser = create('regexp', {
      expression: '^(?<time>[^]*)$'.replace('[^]', '(?m:.)'),
      ...values,
    })
    const expected =
      typeof seconds === 'string'
        ? expect.objectContaining({ message: seconds })
        : {
            time: new EventTime(seconds, seconds < 0 ? undefined : nanoseconds),
            record: map({}),
          }
    expect(parser.parse(text)).toEqual([expected])
    // From the cache of the last value.
    expect(parser.parse(text)).toEqual([expected])
  })
})

describe('msgpack', () => {
  const cases: Case[] = [
    ['map', {}, Buffer.from('82a16101a16292c0a178', 'hex'), [event({ a: 1, b: [null, 'x'] })]],
    ['two maps', {}, raw('81a1610181a16102'), [event({ a: 1 }), event({ a: 2 })]],
    ['array', {}, raw('9281a161ff05'), [event({ a: -1 }), 'no match']],
    ['no map', {}, raw('05'), ['no match']],
    ['nothing', {}, '', []],
    [
      'cut',
      {},
      raw('81a1610181a161'),
      [event({ a: 1 }), 'parse failed: the bytes end inside a MessagePack value at byte 7'],
    ],
    [
      'too deep',
      {},
      raw(`${'91'.repeat(65)}c0`),
      ['parse failed: arrays and maps nested more than 64 deep at byte 65'],
    ],
    ['no bytes', {}, 5, ['parse failed: the field holds no bytes']],
    [
      'time',
      { time_key: 't', time_type: 'unixtime' },
      raw('81a174ce5e2ce0f0'),
      [event({}, new EventTime(1579999472, 0))],
    ],
  ]
  it.each(cases)('%s', (_, values, text, items) => {
    expect(parsed('msgpack', values, text)).toEqual(items)
  })
})

describe('multiline', () => {
  const formats = { format1: '/^(?<level>[A-Z]+): /', format2: '/(?<text>.*)$/' }
  const cases: Case[] = [
    [
      'parts are one',
      formats,
      'WARN: a\n  at b\n  at c',
      [event({ level: 'WARN', text: 'a\n  at b\n  at c' })],
    ],
    ['not found', formats, 'warn', ['no match']],
    [
      'time',
      { format1: '/(?<time>\\S+) (?<a>.)/', time_type: 'unixtime' },
      '1580000000 x',
      [event({ a: 'x' }, new EventTime(1580000000, 0))],
    ],
  ]
  it.each(cases)('%s', (_, values, text, items) => {
    expect(parsed('multiline', values, text)).toEqual(items)
  })
})

describe('refused configurations', () => {
  const cases: [string, Record<string, unknown>, string, string][] = [
    ['regexp', { expression: '^x$' }, 'No named captures', 'expression'],
    ['multiline', {}, 'No named captures', 'section'],
    ['multiline', { format1: '/x/' }, 'No named captures', 'section'],
    ['multiline', { format2: '/(?<a>x)/' }, 'format1 is missing', 'format2'],
    ['multiline', { format1: '/(?<a>x)/', format3: '/x/' }, 'format2 is missing', 'format3'],
    ['multiline', { format1: '(?<a>x)' }, 'need //, in format1', 'format1'],
    ['multiline', { format1: '/(?<a>x/' }, 'unmatched parenthesis', 'format1'],
    [
      'multiline',
      { format1: '/(?<a>x)/', format_firstline: '/[/' },
      'premature end of char-class',
      'format_firstline',
    ],
    ['csv', { keys: ['a'], delimiter: '' }, 'must not be empty', 'delimiter'],
    ['tsv', { keys: ['a'], delimiter: '' }, 'must not be empty', 'delimiter'],
    ['json', { types: { a: 'number' } }, "key:'a', type:'number'", 'types'],
    [
      'ltsv',
      { timezone: 'Mars/Olympus', time_format: '%iso8601' },
      'Unsupported timezone',
      'timezone',
    ],
    ['ltsv', { timezone: '+09:00' }, 'specifying timezone requires time format', 'timezone'],
    ['ltsv', { time_format: '%Y %i' }, 'no time can be read', 'time_format'],
    ['ltsv', { utc: true, localtime: true }, 'both of utc and localtime', 'utc'],
    ['ltsv', { time_type: 'mixed' }, 'time_format_fallbacks is empty', 'section'],
  ]
  it.each(cases)('%s %j: %s', (type, values, words, place) => {
    const attempt = () => create(type, values)
    expect(attempt).toThrow(ConfigError)
    expect(attempt).toThrow(words)
    expect(attempt).toThrow(expect.objectContaining({ position: placeOf(place) }))
  })
})

describe('a record of too many keys and elements', () => {
  const limit = maxRecordItems
  const elements = (count: number) => Array.from({ length: count }, () => 1)
  const keys = (count: number) =>
    Object.fromEntries(elements(count).map((one, i) => [`k${i}`, one]))
  const ltsv = (count: number) => Object.keys(keys(count)).join(':1\t').concat(':1')
  it.each<[string, (count: number) => MsgValue]>([
    ['json', (count) => JSON.stringify(keys(count))],
    ['json', (count) => JSON.stringify({ a: elements(count - 1) })],
    ['json', (count) => JSON.stringify({ a: [{ b: keys(count - 3) }] })],
    ['msgpack', (count) => encode(map(keys(count)))],
    ['msgpack', (count) => encode([map({ a: elements(count - 1) })])],
    ['ltsv', ltsv],
  ])('%s: does not match', (type, text) => {
    const [good] = create(type).parse(text(limit))
    expect(good).toMatchObject({ record: expect.any(Map) })
    expect(parsed(type, {}, text(limit + 1))).toEqual(['no match'])
  })

  it('is left out, and those beside it are taken', () => {
    const one = { a: 1 }
    const wide = keys(limit + 1)
    const bytes = encode([map(one), map(wide), map(one)])
    expect(parsed('msgpack', {}, bytes)).toEqual([event(one), 'no match', event(one)])
    // Many small ones are not one large one.
    const many = Array.from({ length: 6000 }, () => ({ a: 1, b: 2 }))
    expect(parsed('json', {}, JSON.stringify(many))).toHaveLength(6000)
    expect(parsed('msgpack', {}, encode(many.map(map)))).toHaveLength(6000)
  })
})

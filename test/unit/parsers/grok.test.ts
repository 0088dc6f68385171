import { describe, expect, it } from 'vitest'
import { bindPlugin, createRegistry, parseConfig } from '../../../src/config/index.ts'
import { ConfigErrors } from '../../../src/core/errors.ts'
import { type ParseItem, ParserError } from '../../../src/core/parser.ts'
import { MsgFloat, RawString } from '../../../src/core/value.ts'
import { expandGrok } from '../../../src/parsers/grok-expand.ts'
import { builtInPatterns } from '../../../src/parsers/grok-series.ts'
import { parsers } from '../../../src/parsers/index.ts'
import { compileRegexpSource } from '../../../src/text/regexp.ts'
import { createTestContext } from '../../support/plugin-context.ts'

/** The parser of a <parse> section's lines. */
function create(lines: string, files: Record<string, string> = {}) {
  const text = `<parse>\n${lines}\n</parse>\n`
  const world = { env: {}, hostname: 'test', readFile: () => undefined, listDir: () => undefined }
  const { root, errors } = parseConfig({ ...world, path: 'test.conf', text })
  if (errors.length > 0) throw new ConfigErrors(errors)
  const result = bindPlugin('parser', root.children[0]!, createRegistry([...parsers]))
  if (result.bound === undefined) throw new ConfigErrors(result.errors)
  const { context, fake } = createTestContext()
  for (const [path, content] of Object.entries(files)) fake.disk.put(path, content)
  const made = Object.assign(context, {
    createParser: (bound: { type: string; params: object }) =>
      parsers.find(({ name }) => name === bound.type)!.create(bound.params as never, context),
  })
  return made.createParser(result.bound as never)
}

const shown = ([item]: readonly ParseItem[]) => {
  if (item === undefined || item instanceof ParserError) return item?.message
  return { ...Object.fromEntries(item.record), at: item.time?.seconds }
}
const now = 1_700_000_000

describe('patterns that are built in', () => {
  it.each([
    ['legacy', builtInPatterns('legacy')],
    ['ecs-v1', builtInPatterns('ecs-v1')],
  ])('%s: every one is an expression', (_, patterns) => {
    const wrong = [...patterns.keys()].filter((name) => {
      const { source } = expandGrok(`%{${name}}`, patterns, undefined)
      return compileRegexpSource(source).source === ''
    })
    expect(wrong).toEqual([])
    expect(patterns.size).toBeGreaterThan(120)
  })

  it.each<[string, string, unknown]>([
    ['IP:x', '10.1.2.3', '10.1.2.3'],
    ['IP:x', 'from 2001:db8::1 to', '2001:db8::1'],
    ['IPV4:x', '999.1.1.1', undefined],
    ['HOSTNAME:x', 'web-1.example.com', 'web-1.example.com'],
    ['NUMBER:x:float', 'took 12.5 s', 12.5],
    ['INT:x:integer', '-42', -42],
    ['WORD:x', ' word ', 'word'],
    ['QS:x', 'say "a \\" b" now', '"a \\" b"'],
    ['UUID:x', '123e4567-e89b-12d3-a456-426614174000', '123e4567-e89b-12d3-a456-426614174000'],
    ['MAC:x', '00:1B:44:11:3A:B7', '00:1B:44:11:3A:B7'],
    ['PATH:x', 'in /var/log/x.log', '/var/log/x.log'],
    ['URI:x', 'see https://u@h.example:8080/p?q=1 there', 'https://u@h.example:8080/p?q=1'],
    ['TIMESTAMP_ISO8601:x', '2024-01-02T03:04:05.678+09:00', '2024-01-02T03:04:05.678+09:00'],
    ['HTTPDATE:x', '[02/Jan/2024:03:04:05 +0000]', '02/Jan/2024:03:04:05 +0000'],
    ['SYSLOGTIMESTAMP:x', 'Jan  2 03:04:05 host', 'Jan  2 03:04:05'],
    ['LOGLEVEL:x', 'x WARN y', 'WARN'],
    ['EMAILADDRESS:x', 'a.b@example.com', 'a.b@example.com'],
  ])('%%{%s} in %j', (pattern, text, wanted) => {
    const record = shown(create(`@type grok\ngrok_pattern %{${pattern}}`).parse(text))
    expect((record as Record<string, unknown>).x).toEqual(wanted)
  })
})

describe('grok', () => {
  it('reads an access log', () => {
    const parser = create(
      '@type grok\n<grok>\npattern %{HTTPD_COMBINEDLOG}\ntime_key timestamp\ntime_format "%d/%b/%Y:%H:%M:%S %z"\n</grok>',
    )
    const line =
      '10.0.0.1 - frank [10/Oct/2000:13:55:36 -0700] "GET /a.gif?x=1 HTTP/1.0" 200 2326 "http://r/" "Mozilla/4.08"'
    expect(shown(parser.parse(line))).toEqual({
      clientip: '10.0.0.1',
      ident: '-',
      auth: 'frank',
      verb: 'GET',
      request: '/a.gif?x=1',
      httpversion: '1.0',
      response: '200',
      bytes: '2326',
      referrer: '"http://r/"',
      agent: '"Mozilla/4.08"',
      at: 971_211_336,
    })
  })

  it('gives the names of the Elastic Common Schema', () => {
    const parser = create('@type grok\ngrok_pattern_series ecs-v1\ngrok_pattern %{HTTPD_COMMONLOG}')
    const line = '10.0.0.1 - - [10/Oct/2000:13:55:36 -0700] "GET / HTTP/1.0" 200 5'
    expect(shown(parser.parse(line))).toMatchObject({
      'source.address': '10.0.0.1',
      'http.request.method': 'GET',
      'http.response.status_code': 200,
    })
  })

  it('takes the first section that matches, and says which; else the text', () => {
    const parser = create(
      '@type grok\ngrok_name_key name\ngrok_failure_key failure\n<grok>\nname ip\npattern ^%{IP:ip}$\n</grok>\n<grok>\npattern ^%{INT:n:integer}$\n</grok>',
    )
    expect(shown(parser.parse('1.2.3.4'))).toEqual({ ip: '1.2.3.4', name: 'ip', at: now })
    expect(shown(parser.parse('7'))).toEqual({ n: 7, name: 1, at: now })
    expect(shown(parser.parse('other'))).toEqual({
      message: 'other',
      failure: 'No grok pattern matched',
      at: now,
    })
  })

  it('converts fields by their types', () => {
    const parser = create(
      '@type grok\ngrok_pattern %{WORD:a} %{INT:i:integer} %{NUMBER:f:float} %{WORD:b:bool} %{NOTSPACE:l:array:|}',
    )
    expect(shown(parser.parse('w 1 2.0 true x|y'))).toEqual({
      a: 'w',
      i: 1,
      f: new MsgFloat(2),
      b: true,
      l: ['x', 'y'],
      at: now,
    })
  })

  it('reads times with a zone of their section', () => {
    const parser = create(
      '@type grok\n<grok>\npattern %{TIMESTAMP_ISO8601:time} %{GREEDYDATA:m}\ntime_format %Y-%m-%d %H:%M:%S\ntimezone +09:00\nkeep_time_key true\n</grok>',
    )
    expect(shown(parser.parse('2024-01-02 09:00:00 hi'))).toEqual({
      time: '2024-01-02 09:00:00',
      m: 'hi',
      at: 1_704_153_600,
    })
    expect(shown(parser.parse('2024-13-02 09:00:00 hi'))).toMatchObject({
      message: '2024-13-02 09:00:00 hi',
    })
  })

  it('says of bytes that are not UTF-8 that they are', () => {
    const [item] = create('@type grok\ngrok_pattern %{WORD:w}').parse(
      new RawString(Uint8Array.of(0xff)),
    )
    expect(item instanceof ParserError && item.invalidBytes).toBe(true)
  })

  it('reads patterns from a file, and from all files of a folder', () => {
    const files = {
      '/etc/patterns/one': '# words\n\nTICKET [A-Z]+-%{POSINT}\nWORD x+\n',
      '/etc/patterns/two': 'BOTH %{TICKET:ticket} %{WORD:word}\r\n',
    }
    const parser = create(
      '@type grok\ngrok_pattern %{BOTH}\ncustom_pattern_path /etc/patterns',
      files,
    )
    expect(shown(parser.parse('ABC-12 xxy'))).toEqual({ ticket: 'ABC-12', word: 'xx', at: now })
    const one = create(
      '@type grok\ngrok_pattern %{TICKET:t}\ncustom_pattern_path /etc/patterns/one',
      files,
    )
    expect(shown(one.parse('ABC-12'))).toEqual({ t: 'ABC-12', at: now })
  })

  it('multiline_grok goes over line ends', () => {
    const lines = 'grok_pattern ^%{WORD:first}%{GREEDYDATA:rest}'
    const text = 'Started\n  at x'
    expect(
      shown(create(`@type multiline_grok\nmultiline_start_regexp /^S/\n${lines}`).parse(text)),
    ).toEqual({
      first: 'Started',
      rest: '\n  at x',
      at: now,
    })
    expect(shown(create(`@type grok\n${lines}`).parse(text))).toMatchObject({ rest: '' })
  })

  it.each([
    ['@type grok', 'grok_pattern or <grok> is required'],
    ['@type grok\ngrok_pattern %{NUMBR:x}', 'grok pattern not found: %{NUMBR}'],
    ['@type grok\ngrok_pattern %{WORD}', 'No named captures'],
    ['@type grok\ngrok_pattern (%{WORD:x}', 'invalid regexp'],
    ['@type grok\ngrok_pattern %{WORD:x}\ncustom_pattern_path /none', 'there is no /none'],
    ['@type grok\ngrok_pattern %{LOOP:x}\ncustom_pattern_path /loop', 'too long'],
    ['@type multiline_grok\ngrok_pattern %{WORD:x}\nmultiline_start_regexp ^x', 'between slashes'],
  ])('refuses %j', (lines, message) => {
    let text = ''
    try {
      create(lines, { '/loop': 'LOOP a%{LOOP}%{LOOP}\n' })
    } catch (error) {
      text = error instanceof ConfigErrors ? error.errors.map(String).join() : String(error)
    }
    expect(text).toContain(message)
  })
})

describe('multi_format', () => {
  const lines = `@type multi_format
format_key format
<pattern>
  format json
  time_key t
</pattern>
<pattern>
  format /^(?<key>\\w+)=(?<value>\\w+)$/
  format_name pair
</pattern>
<pattern>
  @type none
</pattern>`

  it.each<[string, unknown]>([
    ['{"a":1,"t":5}', { a: 1, format: 'json#0', at: 5 }],
    ['{"a":1,"t":"no time"}', { a: 1, format: 'json#0', at: 0 }],
    ['k=v', { key: 'k', value: 'v', format: 'pair', at: now }],
    ['else', { message: 'else', format: 'none#2', at: now }],
  ])('%s', (text, wanted) => {
    expect(shown(create(lines).parse(text))).toEqual(wanted)
  })

  it('matches nothing where none of its parsers does', () => {
    const parser = create('@type multi_format\n<pattern>\nformat json\n</pattern>')
    expect(parser.parse('text')).toEqual([undefined])
  })

  it.each([
    ['@type multi_format', 'needs a <pattern> section'],
    ['@type multi_format\n<pattern>\n</pattern>', "Missing '@type'"],
    ['@type multi_format\n<pattern>\nformat klingon\n</pattern>', 'klingon'],
    ['@type multi_format\n<pattern>\nformat /(/\n</pattern>', 'regular expression'],
  ])('refuses %j', (text, message) => {
    let said = ''
    try {
      create(text)
    } catch (error) {
      said = error instanceof ConfigErrors ? error.errors.map(String).join() : String(error)
    }
    expect(said).toContain(message)
  })
})

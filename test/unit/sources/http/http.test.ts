import { deflateSync, gzipSync } from 'node:zlib'
import { describe, expect, it } from 'vitest'
import { BufferOverflowError, ConfigErrors } from '../../../../src/core/errors.ts'
import { EventTime, type MsgValue } from '../../../../src/core/value.ts'
import { encode } from '../../../../src/msgpack/encode.ts'
import { recordOf } from '../../../support/batches.ts'
import { startHttp, startMs } from './harness.ts'

const now = startMs / 1000
const json = 'application/json'
const form = 'application/x-www-form-urlencoded'
const required = "400 400 Bad Request\n'json', 'ndjson' or 'msgpack' parameter is required"

const multipart = (fields: Record<string, string>, end = '--\r\n') =>
  `${Object.entries(fields)
    .map(([name, value]) => `--B\r\nContent-Disposition: form-data; name="${name}"\r\n\r\n${value}`)
    .join('\r\n')}\r\n--B${end}`

describe('bodies', () => {
  it.each<[string, string, string, string | Uint8Array, string, string[]]>([
    ['an object', '/a?time=7', json, '{"a":1}', '200', ['a 7 {"a":1}']],
    [
      'an array',
      '/a?time=7',
      json,
      ' [{"a":1},\n{"b":[1,2]}] ',
      '200',
      ['a 7 {"a":1}', 'a 7 {"b":[1,2]}'],
    ],
    ['an empty array', '/a', json, '[]', '200', []],
    ['a record with its time', '/a', json, '{"time":5.25,"a":1}', '200', ['a 5.25 {"a":1}']],
    ['no time', '/a', json, '{"a":1}', '200', [`a ${now} {"a":1}`]],
    ['a time that is null', '/a', json, '{"time":null,"a":1}', '200', [`a ${now} {"a":1}`]],
    ['?time leaves time in the record', '/a?time=7', json, '{"time":5}', '200', ['a 7 {"time":5}']],
    ['?time=0 is now', '/a?time=0', json, '{}', '200', [`a ${now} {}`]],
    ['a fraction in ?time', '/a?time=7.5', json, '{}', '200', ['a 7.5 {}']],
    ['a charset', '/a?time=7', `${json}; charset=utf-8`, '{"a":"ž"}', '200', ['a 7 {"a":"ž"}']],
    ['csp-report', '/a?time=7', 'application/csp-report', '{"a":1}', '200', ['a 7 {"a":1}']],
    [
      'ndjson',
      '/a?time=7',
      'application/x-ndjson',
      '\n\r\n{"a":1}\r\n\n{"a":2}',
      '200',
      ['a 7 {"a":1}', 'a 7 {"a":2}'],
    ],
    ['a form', '/a', form, 'json=%7B%22x%22%3A%22a+b%22%7D&time=7', '200', ['a 7 {"x":"a b"}']],
    [
      'a form with ndjson',
      '/a?time=7',
      form,
      'ndjson={"a":1}%0A{"a":2}',
      '200',
      ['a 7 {"a":1}', 'a 7 {"a":2}'],
    ],
    [
      'json in the query',
      '/a?time=7&json=%7B%22a%22:1%7D',
      'text/plain',
      '',
      '200',
      ['a 7 {"a":1}'],
    ],
    [
      'a multipart form',
      '/a',
      'multipart/form-data; boundary=B',
      multipart({ time: '7', json: '{"a":1}' }),
      '200',
      ['a 7 {"a":1}'],
    ],
    [
      'msgpack',
      '/a?time=7',
      'application/msgpack',
      encode(recordOf({ a: [null, 'x'] })),
      '200',
      ['a 7 {"a":[null,"x"]}'],
    ],
    [
      'msgpack, an array and a map',
      '/a?time=7',
      'application/msgpack',
      Buffer.concat([encode([recordOf({ a: 1 }), recordOf({ b: 2 })]), encode(recordOf({ c: 3 }))]),
      '200',
      ['a 7 {"a":1}', 'a 7 {"b":2}', 'a 7 {"c":3}'],
    ],
    [
      'msgpack with times',
      '/a',
      'application/msgpack',
      encode([
        recordOf({ a: 1, time: 5 }),
        recordOf({ time: new EventTime(6, 500_000_000), a: 2 }),
        recordOf({ a: 3 }),
      ] as MsgValue[]),
      '200',
      ['a 5 {"a":1}', 'a 6.5 {"a":2}', `a ${now} {"a":3}`],
    ],
    ['parts of the path', '/a/b.c//d/?time=7', json, '{}', '200', ['a.b.c..d 7 {}']],
    ['an absolute URL', 'http://host:1/a?time=7#x', json, '{}', '200', ['a 7 {}']],
    ['no path at all', '/', json, '{"time":7}', '200', [' 7 {}']],
  ])('takes %s', async (_name, url, type, body, answer, expected) => {
    const { post, events } = await startHttp()
    expect(await post(url, type, body)).toBe(answer)
    expect(events).toEqual(expected)
  })

  it.each<[string, string, string, string | Uint8Array, RegExp]>([
    ['no known type', '/a', 'text/plain', 'x', new RegExp(`^${required}`)],
    ['a form without events', '/a', form, 'x=1', new RegExp(`^${required}`)],
    ['a time that is a text', '/a', json, '{"time":"x"}', /^400 .*time_type/s],
    ['a time out of range', '/a', json, '{"time":1e300}', /^400 .*range/s],
    ['one record of several', '/a', json, '[{"a":1},{"time":"x"}]', /^400 /],
    [
      'a form that ends early',
      '/a',
      'multipart/form-data; boundary=B',
      multipart({ json: '{}' }, '').slice(0, -3),
      /^400 .*ends/s,
    ],
    ['a form without boundary', '/a', 'multipart/form-data', 'x', /^400 .*boundary/s],
    [
      'cut msgpack',
      '/a',
      'application/msgpack',
      Buffer.from('81a161', 'hex'),
      /^400 .*MessagePack/s,
    ],
    ['msgpack that lies', '/a', 'application/msgpack', Buffer.from('ddffffffff80', 'hex'), /^400 /],
    [
      'msgpack that is too deep',
      '/a',
      'application/msgpack',
      Buffer.from(`81a161${'91'.repeat(63)}01`, 'hex'),
      /^400 /,
    ],
    ['a long tag', `/${'x'.repeat(1025)}`, json, '{}', /^400 .*long/s],
    ['a tag with a line end', '/a\nb', json, '{}', /^400 .*ASCII/s],
    ['a tag beyond ASCII', '/\u00e9', json, '{}', /^400 .*ASCII/s],
    ['a URL without a path', '*', json, '{}', /^400 /],
  ])('refuses %s, whole', async (_name, url, type, body, answer) => {
    const { post, events, host } = await startHttp()
    expect(await post(url, type, body)).toMatch(answer)
    expect(events).toEqual([])
    expect(host.metrics.value('sluice_input_dropped_messages_total')).toBe(1)
    expect(host.log.messages('warn')).toContain('failed to process request')
  })

  it.each([
    ['broken JSON', json, '{bad', 1, []],
    ['a form with broken JSON', form, 'json=%7', 1, []],
    ['a broken array', json, '[{"a":1},{bad]', 1, []],
    ['an array that does not end', json, '[{"a":1},', 1, []],
    ['something behind an array', json, '[{"a":1}] x', 1, []],
    ['values that are no records', json, '[1,{"a":1},null,[2]]', 3, ['a 7 {"a":1}']],
    [
      'a bad line of ndjson',
      'application/x-ndjson',
      '{"a":1}\nx\n[1,{"b":2}]',
      2,
      ['a 7 {"a":1}', 'a 7 {"b":2}'],
    ],
    [
      'msgpack that is no map',
      'application/msgpack',
      Buffer.from('9301c081a16101', 'hex'),
      2,
      ['a 7 {"a":1}'],
    ],
  ])('leaves out and counts %s', async (_name, type, body, invalid, expected) => {
    const { post, events, host } = await startHttp()
    expect(await post('/a?time=7', type, body)).toBe('200')
    expect(events).toEqual(expected)
    expect(host.metrics.value('sluice_input_invalid_events_total')).toBe(invalid)
    expect(host.metrics.value('sluice_input_events_total')).toBe(expected.length)
  })

  it('is one batch a request, however many events', async () => {
    const { post, batches, host } = await startHttp()
    const records = Array.from({ length: 20_000 }, (_, n) => `{"n":${n},"t":"x"}`)
    const asked = post('/a?time=7', json, `[${records.join(',')}]`)
    await host.clock.advance(0)
    expect(await asked).toBe('200')
    expect(batches.map(({ count }) => count)).toEqual([20_000])
  })
})

describe('Content-Encoding', () => {
  const body = '{"z":1}'
  it.each([
    ['gzip', gzipSync(body)],
    ['GZIP', Buffer.concat([gzipSync('{"z"'), gzipSync(':1}')])],
    ['deflate', deflateSync(body)],
    ['identity', Buffer.from(body)],
  ])('%s', async (encoding, bytes) => {
    const { post, events } = await startHttp()
    const headers = { 'content-encoding': encoding }
    expect(await post('/a?time=7', json, bytes, headers)).toBe('200')
    expect(events).toEqual(['a 7 {"z":1}'])
  })

  it.each([
    ['what is not compressed', 'gzip', Buffer.from(body), '400'],
    ['what is cut', 'gzip', gzipSync(body).subarray(0, -3), '400'],
    ['an encoding that is unknown', 'br', Buffer.from(body), '415'],
    ['a bomb', 'gzip', gzipSync(Buffer.alloc(100_000, ' ')), '413'],
    ['more than all bodies may have', 'deflate', deflateSync(Buffer.alloc(9_000, ' ')), '503'],
  ])('refuses %s, and holds nothing of it', async (_name, encoding, bytes, status) => {
    const { post, events } = await startHttp(
      'decompression_size_limit 10000\ntotal_body_limit 8000',
    )
    for (let n = 0; n < 3; n++) {
      const answer = await post('/a', json, bytes, { 'content-encoding': encoding })
      expect(answer.slice(0, 3)).toBe(status)
    }
    const fits = gzipSync(`{"z":"${'x'.repeat(7_900)}"}`)
    expect(await post('/a', json, fits, { 'content-encoding': 'gzip' })).toBe('200')
    expect(events).toHaveLength(1)
  })
})

describe('limits', () => {
  it.each([
    ['json', json, `[${'1,'.repeat(10_001)}{}]`],
    ['ndjson', 'application/x-ndjson', 'x\n'.repeat(10_001)],
    ['msgpack', 'application/msgpack', Buffer.alloc(10_001, 0xc0)],
  ])('refuses what is mostly no records: %s', async (_name, type, body) => {
    const { post, events } = await startHttp()
    expect(await post('/a', type, body)).toMatch(/^400 .*too many values/s)
    expect(events).toEqual([])
  })

  it('refuses a record that is too long, also among others', async () => {
    const { post, events } = await startHttp('record_size_limit 100')
    const long = `{"a":"${'x'.repeat(100)}"}`
    expect(await post('/a', json, long)).toMatch(/^413 /)
    expect(await post('/a', json, `[{"a":1},${long}]`)).toMatch(/^413 /)
    expect(await post('/a', 'application/x-ndjson', `{}\n${long}`)).toMatch(/^413 /)
    const packed = encode(recordOf({ a: 'x'.repeat(100) }))
    expect(await post('/a', 'application/msgpack', packed)).toMatch(/^413 /)
    expect(events).toEqual([])
    const short = Array.from({ length: 50 }, () => '{"a":1}')
    expect(await post('/a', json, `[${short.join()}]`)).toBe('200')
  })

  it('refuses a record of too many keys, also among others', async () => {
    const { post, events } = await startHttp('record_keys_limit 16')
    const record = (keys: number) =>
      Object.fromEntries(Array.from({ length: keys }, (_, i) => [`k${i}`, i]))
    const text = (keys: number) => JSON.stringify(record(keys))
    expect(await post('/a', json, text(17))).toMatch(/^413 .*more than 16 keys/s)
    expect(await post('/a', json, `[{"a":1},${text(17)}]`)).toMatch(/^413 /)
    expect(await post('/a', 'application/x-ndjson', `{}\n${text(17)}`)).toMatch(/^413 /)
    const packed = encode(recordOf(record(17)))
    expect(packed[0]).toBe(0xde)
    expect(await post('/a', 'application/msgpack', packed)).toMatch(/^413 /)
    const wide = Buffer.concat([Buffer.from('df00000011', 'hex'), packed.subarray(3)])
    expect(await post('/a', 'application/msgpack', wide)).toMatch(/^413 /)
    // Those inside count too.
    const inside = { a: [record(14), 1, 2] }
    expect(await post('/a', json, JSON.stringify(inside))).toMatch(/^413 .*more than 16 keys/s)
    const packedInside = encode(recordOf({ a: [recordOf(record(14)), 1, 2] }))
    expect(await post('/a', 'application/msgpack', packedInside)).toMatch(/^413 /)
    expect(events).toEqual([])
    expect(await post('/a', json, text(16))).toBe('200')
    expect(await post('/a', 'application/msgpack', encode(recordOf(record(16))))).toBe('200')
  })
})

describe('memory', () => {
  const many = `[${'{},'.repeat(50_000)}{}]`
  it.each([
    ['its own limit', 'decompression_size_limit 300k', '413'],
    ['the budget', 'total_body_limit 300k', '503'],
  ])('records that are larger than their body are bounded by %s', async (_name, lines, status) => {
    const started = await startHttp(lines)
    const play = async (body: string) => {
      const asked = started.post('/a', json, body)
      for (let n = 0; n < 100; n++) await started.host.clock.advance(0)
      return (await asked).slice(0, 3)
    }
    for (let n = 0; n < 3; n++) expect(await play(many)).toBe(status)
    expect(started.events).toEqual([])
    expect(await play('[{},{}]')).toBe('200')
    expect(started.events).toHaveLength(2)
  })

  it('keeps what a request holds until it is answered, and no longer', async () => {
    const started = await startHttp('total_body_limit 300k')
    const body = `[${'{},'.repeat(20_000)}{}]`
    let release = () => {}
    started.answer = () => new Promise<void>((resolve) => (release = resolve))
    const first = started.post('/a', json, body)
    while (started.batches.length === 0) await started.host.clock.advance(0)
    const second = started.post('/a', json, body)
    for (let n = 0; n < 100; n++) await started.host.clock.advance(0)
    expect((await second).slice(0, 3)).toBe('503')
    release()
    expect(await first).toBe('200')
    started.answer = () => undefined
    const third = started.post('/a', json, body)
    for (let n = 0; n < 100; n++) await started.host.clock.advance(0)
    expect(await third).toBe('200')
  })
})

describe('what is added', () => {
  const request = {
    url: '/a?time=7&x-y=1&x-y=2&%C3%A9=%FF',
    headers: { 'content-type': json, 'x-forwarded-for': ' 1.2.3.4, 5.6.7.8' },
    rawHeaders: ['Content-Type', json, 'X-A', '1', 'x-a', '2', 'X-B', '\u00c3\u00a9'],
    remoteAddress: '10.0.0.1',
    body: Buffer.from('{"a":1,"REMOTE_ADDR":"mine"}'),
  }
  it.each([
    ['add_remote_addr true', '{"a":1,"REMOTE_ADDR":"1.2.3.4"}'],
    [
      'add_http_headers true',
      '{"a":1,"REMOTE_ADDR":"mine","HTTP_CONTENT_TYPE":"application/json","HTTP_X_A":["1","2"],"HTTP_X_B":"é"}',
    ],
  ])('%s', async (lines, record) => {
    const { ask, events } = await startHttp(lines)
    expect((await ask(request)).status).toBe(200)
    expect(events).toEqual([`a 7 ${record}`])
  })

  it('add_query_params true: the last of several', async () => {
    const { ask, events } = await startHttp('add_query_params true')
    await ask({ ...request, url: '/a?time=7&x-y=1&x-y=2', body: Buffer.from('{}') })
    expect(events).toEqual(['a 7 {"QUERY_TIME":"7","QUERY_X_Y":"2"}'])
  })

  it('add_remote_addr without a proxy, and to msgpack', async () => {
    const { ask, events } = await startHttp('add_remote_addr true\nadd_tag_prefix pre')
    const headers = { 'content-type': 'application/msgpack' }
    const body = encode(recordOf({ time: 7, a: 1 }))
    await ask({ url: '/x', headers, remoteAddress: '::1', body })
    expect(events).toEqual(['pre.x 7 {"a":1,"REMOTE_ADDR":"::1"}'])
  })
})

describe('<parse>', () => {
  it.each([
    ['@type none', 'a b', ['a 7 {"message":"a b"}']],
    ['@type json\ntime_key t', '[{"t":5,"a":1},{"a":2}]', ['a 7 {"a":1}', 'a 7 {"a":2}']],
    ['@type msgpack', Buffer.from('9281a1610181a16102', 'hex'), ['a 7 {"a":1}', 'a 7 {"a":2}']],
    ['@type regexp\nexpression /^(?<a>\\w+)$/', 'word', ['a 7 {"a":"word"}']],
    ['@type regexp\nexpression /^(?<a>\\w+)$/', '...', []],
  ])('%s', async (lines, body, expected) => {
    const { post, events } = await startHttp(`<parse>\n${lines}\n</parse>`)
    expect(await post('/a?time=7', 'text/plain', body)).toBe('200')
    expect(events).toEqual(expected)
  })

  it('takes the time that the parser finds', async () => {
    const { post, events } = await startHttp('<parse>\n@type json\ntime_key t\n</parse>')
    await post('/a', json, '{"t":5,"a":1}')
    expect(events).toEqual(['a 5 {"a":1}'])
  })

  it('refuses what the parser reports', async () => {
    const { post } = await startHttp(
      '<parse>\n@type json\ntime_type string\ntime_format %Y\n</parse>',
    )
    expect(await post('/a', json, '{"time":"x"}')).toMatch(/^400 .*invalid time/s)
  })

  it('in_http: another time field, in another form', async () => {
    const { post, events } = await startHttp(
      '<parse>\ntime_key t\ntime_format %Y-%m-%d %z\nkeep_time_key true\n</parse>',
    )
    expect(await post('/a', json, '{"t":"1970-01-02 +0000"}')).toBe('200')
    expect(events).toEqual(['a 86400 {"t":"1970-01-02 +0000"}'])
    expect(await post('/a', json, '{"t":"x"}')).toMatch(/^400 /)
  })
})

describe('answers', () => {
  it.each([
    ['', 200, 'text/plain', ''],
    ['use_204_response true', 204, undefined, ''],
    ['respond_with_empty_img true', 200, 'image/gif; charset=utf-8', 'GIF89a'],
  ])('%s', async (lines, status, type, start) => {
    const { ask } = await startHttp(lines)
    const headers = { 'content-type': json }
    const answer = await ask({ url: '/a', headers, body: Buffer.from('{}') })
    expect(answer.status).toBe(status)
    expect(answer.headers?.['content-type']).toBe(type)
    expect(answer.body.slice(0, start.length)).toBe(start)
  })

  it.each(['GET', 'HEAD'])('%s is answered, for load balancers', async (method) => {
    const { ask, events } = await startHttp()
    expect((await ask({ method, url: '/a?json={}' })).status).toBe(200)
    expect(events).toEqual([])
  })

  it('waits until the events are buffered', async () => {
    const started = await startHttp()
    let release = () => {}
    started.answer = () => new Promise((resolve) => (release = resolve))
    let answer = ''
    const asked = started.post('/a', json, '{}').then((text) => (answer = text))
    await started.host.clock.advance(60_000)
    expect(started.events).toHaveLength(1)
    expect(answer).toBe('')
    release()
    await asked
    expect(answer).toBe('200')
  })

  it.each([
    [new BufferOverflowError('buffer space has too many data'), 503, '1'],
    [new Error('disk is gone'), 500, undefined],
  ])('%s is %i', async (error, status, retryAfter) => {
    const started = await startHttp()
    started.answer = () => Promise.reject(error)
    const request = {
      url: '/a',
      headers: { 'content-type': json },
      body: Buffer.from('[{},{}]'),
    }
    const answer = await started.ask(request)
    expect(answer.status).toBe(status)
    expect(answer.headers?.['retry-after']).toBe(retryAfter)
    expect(answer.body).toContain(error.message)
    const { metrics } = started.host
    expect(metrics.value('sluice_input_rejected_events_total')).toBe(2)
    expect(metrics.value('sluice_input_events_total')).toBe(0)
  })

  it('dump_error_log false says nothing', async () => {
    const { post, host } = await startHttp('dump_error_log false')
    expect(await post('/a', form, 'x=1')).toMatch(/^400/)
    expect(host.log.messages('warn')).toEqual([])
  })
})

describe('CORS', () => {
  const lines = 'cors_allow_origins ["http://good.example","https://*.wild.example",""]'
  const allowed = 'access-control-allow-origin'
  const asking = (origin: string | undefined, method = 'POST') => ({
    method,
    url: '/a',
    headers: {
      'content-type': json,
      ...(origin === undefined ? {} : { origin }),
      'access-control-request-method': 'POST',
      'access-control-request-headers': 'x-a',
    },
    body: Buffer.from('{}'),
  })

  it.each([
    [lines, 'http://good.example', 200, 'http://good.example'],
    [lines, 'https://a.wild.example', 200, 'https://a.wild.example'],
    [lines, 'http://good.example.evil', 403, undefined],
    [lines, 'https://wild.example', 403, undefined],
    [lines, 'http://evil.example', 403, undefined],
    [lines, undefined, 200, undefined],
    ['cors_allow_origins ["*"]', 'http://any.example', 200, '*'],
    ['', 'http://any.example', 200, undefined],
  ])('%s: %s', async (config, origin, status, header) => {
    const { ask, events } = await startHttp(config)
    const answer = await ask(asking(origin))
    expect(answer.status).toBe(status)
    expect(answer.headers?.[allowed]).toBe(header)
    expect(events).toHaveLength(status === 200 ? 1 : 0)
  })

  it.each([
    [lines, 'http://good.example', 200],
    [lines, 'http://evil.example', 403],
    [lines, undefined, 403],
    ['', 'http://good.example', 403],
  ])('preflight, %s: %s', async (config, origin, status) => {
    const { ask } = await startHttp(config)
    const answer = await ask(asking(origin, 'OPTIONS'))
    expect(answer.status).toBe(status)
    expect(answer.headers?.['access-control-allow-methods']).toBe(
      status === 200 ? 'POST' : undefined,
    )
    expect(answer.headers?.['access-control-allow-headers']).toBe(
      status === 200 ? 'x-a' : undefined,
    )
  })

  it('preflight for another method is refused', async () => {
    const { ask } = await startHttp(lines)
    const request = asking('http://good.example', 'OPTIONS')
    const headers = { ...request.headers, 'access-control-request-method': 'DELETE' }
    expect((await ask({ ...request, headers })).status).toBe(403)
  })

  it('credentials', async () => {
    const { ask } = await startHttp(`${lines}\ncors_allow_credentials true`)
    const answer = await ask(asking('http://good.example'))
    expect(answer.headers?.['access-control-allow-credentials']).toBe('true')
    const all = 'cors_allow_origins ["*"]\ncors_allow_credentials true'
    await expect(startHttp(all)).rejects.toThrow('specific origins')
  })
})

describe('configuration', () => {
  it.each([
    ['add_tag_prefix ""', 'must not be empty'],
    ['allow_from ["nowhere"]', 'no address'],
    ['<transport tls>\n</transport>', 'no valid cert options'],
    ['body_size_limit 0', 'more than 0'],
  ])('%s', async (lines, message) => {
    const failed = await startHttp(lines).catch((error: unknown) => error)
    const text =
      failed instanceof ConfigErrors
        ? failed.message
        : failed instanceof Error
          ? failed.message
          : ''
    expect(text).toContain(message)
  })

  it('stops, whether or not it was started, once and again', async () => {
    const { source, host, port } = await startHttp()
    const stopped = source.stop(new AbortController().signal)
    await host.clock.advance(1_000)
    await stopped
    await source.stop(new AbortController().signal)
    await expect(host.http.ask(port, { url: '/' })).rejects.toThrow('ECONNREFUSED')
  })
})

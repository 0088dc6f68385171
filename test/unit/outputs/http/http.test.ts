import { gunzipSync } from 'node:zlib'
import { describe, expect, it } from 'vitest'
import { createBuffered } from '../../../../src/buffer/index.ts'
import type { PluginContext } from '../../../../src/config/define.ts'
import type { Formatter } from '../../../../src/core/formatter.ts'
import type { HttpClientOptions } from '../../../../src/core/host.ts'
import { decodeRecord, eachEntry } from '../../../../src/msgpack/entries.ts'
import { httpOutput } from '../../../../src/outputs/http/index.ts'
import { httpShape } from '../../../../src/outputs/http/shape.ts'
import type { SeenRequest } from '../../../support/fake-host.ts'
import { booksClose, bufferOf, formatOf, numbers, outputOf, world } from '../../buffer/support.ts'

type Written = Readonly<Record<string, unknown>>

/** `{"n":1}\n` */
const jsonLines: Formatter = {
  format(batch, _max, piece) {
    eachEntry(batch.packed, (_start, timeEnd) => {
      const line = JSON.stringify(Object.fromEntries(decodeRecord(batch.packed, timeEnd) as never))
      piece(Buffer.from(`${line}\n`), 1)
    })
  },
}
const bareJson: Formatter = {
  format: (batch, max, piece) =>
    jsonLines.format(batch, max, (bytes, count) => piece(bytes.subarray(0, -1), count)),
  asLines: () => jsonLines,
}

function made(params: Written = {}, buffer: Written = {}, formatter: Formatter = jsonLines) {
  const { host, context: plain } = world()
  const context: PluginContext = { ...plain, createFormatter: () => formatter }
  const clients: HttpClientOptions[] = []
  const { client } = host.http
  host.http.client = (options) => {
    clients.push(options)
    return client(options)
  }
  const make = () =>
    createBuffered(
      outputOf(httpOutput, {
        endpoint: 'http://h:1/in',
        format: formatOf('json', { addNewline: formatter !== bareJson }),
        buffer: bufferOf({ flush_mode: 'immediate', chunk_keys: ['tag'], ...buffer }),
        ...params,
      }),
      context,
    )
  return { host, clients, make }
}

async function sent(params: Written, formatter = jsonLines, tag = 'h.x'): Promise<SeenRequest> {
  const { host, make } = made(params, {}, formatter)
  const output = make()
  await output.start()
  await output.emit(numbers(tag, 1, 2))
  await output.flush!()
  await output.stop(new AbortController().signal)
  expect(host.http.requests).toHaveLength(1)
  return host.http.requests[0]!
}

const textOf = ({ body }: SeenRequest) => Buffer.concat(body ?? []).toString()

describe('requests (golden d-*)', () => {
  it('default: lines of JSON', async () => {
    const request = await sent({})
    expect(request).toMatchObject({ method: 'POST', url: 'http://h:1/in' })
    expect(request.headers['content-type']).toBe('application/x-ndjson')
    expect(textOf(request)).toBe('{"n":1}\n{"n":2}\n')
  })

  it('put, with another content type', async () => {
    const request = await sent({ http_method: 'put', content_type: 'text/x-mine' })
    expect(request.method).toBe('PUT')
    expect(request.headers['content-type']).toBe('text/x-mine')
  })

  it.each([
    ['lines', jsonLines, '[{"n":1}\n,{"n":2}\n]'],
    ['no newlines', bareJson, '[{"n":1},{"n":2}]'],
  ])('json_array: %s', async (_name, formatter, expected) => {
    const request = await sent({ json_array: true }, formatter)
    expect(request.headers['content-type']).toBe('application/json')
    expect(textOf(request)).toBe(expected)
  })

  it('gzip', async () => {
    const request = await sent({ compress: 'gzip' })
    expect(request.headers['content-encoding']).toBe('gzip')
    expect(gunzipSync(Buffer.concat(request.body ?? [])).toString()).toBe('{"n":1}\n{"n":2}\n')
  })

  it('headers, with placeholders and without', async () => {
    const request = await sent({
      headers: { 'X-Fixed': 'yes', 'X-Number': 5, 'Content-Type': 'overridden' },
      headers_from_placeholders: { 'X-Tag': 'a ${tag}' },
    })
    expect(request.headers).toMatchObject({
      'x-fixed': 'yes',
      'x-number': '5',
      'x-tag': 'a h.x',
      'content-type': 'application/x-ndjson',
    })
  })

  it('a hostile tag begins no other header', async () => {
    const request = await sent(
      { headers_from_placeholders: { 'x-tag': '${tag}' } },
      jsonLines,
      'a\r\nb: ž',
    )
    expect(request.headers['x-tag']).toBe(Buffer.from('a__b: ž').toString('latin1'))
  })

  it('basic authentication', async () => {
    const request = await sent({ auth: { method: 'basic', username: 'alice', password: 'secret' } })
    expect(request.headers.authorization).toBe('Basic YWxpY2U6c2VjcmV0')
    const byUrl = await sent({ endpoint: 'http://alice:secret@h/' })
    expect(byUrl.headers.authorization).toBe('Basic YWxpY2U6c2VjcmV0')
    expect(byUrl.url).toBe('http://h/')
  })

  it.each([
    ['ltsv', 'text/tab-separated-values'],
    ['csv', 'text/csv'],
    ['msgpack', 'application/x-msgpack'],
    ['hash', 'text/plain'],
  ])('content type of %s', async (type, expected) => {
    const request = await sent({ format: formatOf(type) })
    expect(request.headers['content-type']).toBe(expected)
  })
})

describe('answers', () => {
  async function answered(
    statuses: readonly (number | [number, Record<string, string>])[],
    params: Written = {},
    waitMs = 20_000,
  ) {
    const one = made(params, { retry_type: 'periodic', retry_wait: 1, retry_randomize: false })
    const times: number[] = []
    let index = 0
    one.host.http.answer = () => {
      times.push(one.host.clock.monotonicMs())
      const [status, headers] = [statuses[index] ?? 200].flat() as [number, Record<string, string>?]
      index += 1
      return { status, headers: headers ?? {}, body: Buffer.from(`no\n\u001b[31m${status}`) }
    }
    const output = one.make()
    await output.start()
    await output.emit(numbers('t', 1, 3))
    await one.host.clock.advance(waitMs)
    const stats = output.statistics!()
    expect(booksClose(stats)).toBe(true)
    return { ...one, times, stats }
  }

  it.each([
    ['200', [200], {}, 1, { deliveredEvents: 3, droppedEvents: {} }],
    ['204', [204], {}, 1, { deliveredEvents: 3 }],
    ['503 is retried by default', [503, 503], {}, 3, { deliveredEvents: 3 }],
    ['others are not', [500], {}, 1, { droppedEvents: { backed_up: 3 } }],
    ['redirects neither', [302], {}, 1, { droppedEvents: { backed_up: 3 } }],
    [
      'unless told so',
      [500, 429],
      { retryable_response_codes: [429, 500] },
      3,
      { deliveredEvents: 3 },
    ],
    [
      '503 then is not',
      [503],
      { retryable_response_codes: [429] },
      1,
      { droppedEvents: { backed_up: 3 } },
    ],
    [
      'golden d-error-not-unrecoverable',
      [400],
      { error_response_as_unrecoverable: false },
      1,
      { droppedEvents: { http_error_response: 3 } },
    ],
  ])('%s', async (_name, statuses, params, requests, expected) => {
    const { host, stats } = await answered(statuses, params)
    expect(host.http.requests).toHaveLength(requests)
    expect(stats).toMatchObject(expected)
    expect(new Set(host.http.requests.map(textOf)).size).toBe(1)
  })

  it.each([
    ['seconds', '7', 7000, 7700],
    ['a date', 'Tue, 14 Nov 2023 22:13:30 GMT', 10_000, 11_000],
    ['nonsense', 'soon', 1000, 1000],
    ['the past', 'Mon, 13 Nov 2023 22:13:30 GMT', 1000, 1000],
    ['for ever', '999999999', 600_000, 660_000],
  ])('Retry-After: %s', async (_name, value, least, most) => {
    const { times } = await answered([[503, { 'retry-after': value }]], {}, 700_000)
    expect(times).toHaveLength(2)
    expect(times[1]).toBeGreaterThanOrEqual(least)
    expect(times[1]).toBeLessThanOrEqual(most)
  })

  it('say in the log what the server said, without control characters', async () => {
    const { host } = await answered([403])
    const line = host.log.lines.find((one) => one.level === 'error')
    expect((line!.fields.error as Error).message).toBe('403 no [31m403')
  })

  it('a connection that fails is retried', async () => {
    const { host, make } = made({}, {})
    let failed = false
    host.http.answer = () => {
      if (failed) return { status: 200, headers: {}, body: new Uint8Array(0) }
      failed = true
      throw Object.assign(new Error('connect ECONNREFUSED'), { code: 'ECONNREFUSED' })
    }
    const output = make()
    await output.start()
    await output.emit(numbers('t', 1, 1))
    await host.clock.advance(2000)
    expect(output.statistics!().deliveredEvents).toBe(1)
  })
})

describe('the client', () => {
  async function clientOf(params: Written, env: Record<string, string> = {}, buffer: Written = {}) {
    const one = made(params, buffer)
    Object.assign(one.host.env, env)
    one.host.disk.put('/ca.pem', 'CA')
    one.host.disk.put('/cert.pem', 'CERT')
    one.host.disk.put('/key.pem', 'KEY')
    await one.make().start()
    return one.clients[0]!
  }

  it('keeps connections, as many as flush threads, unless told not to', async () => {
    expect(await clientOf({}, {}, { flush_thread_count: 3 })).toMatchObject({
      connections: 3,
      keepAlive: true,
      connectTimeoutMs: 60_000,
      headersTimeoutMs: 60_000,
      proxy: undefined,
    })
    expect(await clientOf({ reuse_connections: false })).toMatchObject({ keepAlive: false })
    expect(await clientOf({ reuse_connections: true })).toMatchObject({ keepAlive: true })
  })

  it('has its timeouts', async () => {
    const options = await clientOf({ open_timeout: 2, read_timeout: 3, ssl_timeout: 4 })
    expect(options).toMatchObject({ connectTimeoutMs: 6000, headersTimeoutMs: 3000 })
  })

  it('goes through a proxy', async () => {
    expect(await clientOf({ proxy: 'http://p:3128' })).toMatchObject({ proxy: 'http://p:3128' })
    expect(await clientOf({}, { HTTP_PROXY: 'http://q:1' })).toMatchObject({ proxy: 'http://q:1' })
    expect(await clientOf({}, { http_proxy: 'http://r:1' })).toMatchObject({ proxy: 'http://r:1' })
  })

  it('speaks TLS as it is told', async () => {
    expect((await clientOf({ endpoint: 'https://h/' })).tls).toEqual({
      rejectUnauthorized: true,
      minVersion: 'TLSv1.2',
    })
    const { tls } = await clientOf({
      endpoint: 'https://h/',
      tls_ca_cert_path: '/ca.pem',
      tls_client_cert_path: '/cert.pem',
      tls_private_key_path: '/key.pem',
      tls_private_key_passphrase: 'x',
      tls_verify_mode: 'none',
      tls_version: 'TLS1_3',
      tls_ciphers: 'HIGH',
    })
    expect(tls).toEqual({
      ca: new Uint8Array(Buffer.from('CA')),
      cert: new Uint8Array(Buffer.from('CERT')),
      key: new Uint8Array(Buffer.from('KEY')),
      passphrase: 'x',
      rejectUnauthorized: false,
      minVersion: 'TLSv1.3',
      maxVersion: 'TLSv1.3',
      ciphers: 'HIGH',
    })
    expect((await clientOf({ endpoint: 'http://h/' })).tls).toBe(undefined)
  })
})

describe('configuration', () => {
  it.each<[string, Written, string]>([
    ['json_array with ltsv', { json_array: true, format: formatOf('ltsv') }, 'json_array option'],
    ['unknown format', { format: formatOf('mine') }, "can't determine Content-Type"],
    ['proxy', { proxy: 'p:3128@secret' }, "'proxy' is not the URL of a proxy"],
    ['header name', { headers: { 'a b': 'c' } }, "'a b' cannot be set as a header"],
    ['reserved header', { headers: { 'Content-Length': '1' } }, 'cannot be set as a header'],
  ])('%s', (_name, params, words) => {
    expect(made(params).make).toThrow(words)
  })

  it('a missing certificate is found before start', async () => {
    const output = made({ endpoint: 'https://h/', tls_ca_cert_path: '/none' }).make()
    await expect(output.check!()).rejects.toThrow('tls_ca_cert_path is wrong: /none')
  })

  it('aws_sigv4 is not available', () => {
    const { check } = httpShape.sections.auth.shape.params.method.options
    expect(check?.('aws_sigv4')).toContain('not available')
    expect(check?.('basic')).toBe(undefined)
  })
})

import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterEach, describe, expect, it } from 'vitest'
import type { HttpClient, HttpClientOptions } from '../../../src/core/host.ts'
import { createNodeHttp } from '../../../src/host/node-http.ts'
import { createRecordingLog } from '../../support/fake-host.ts'
import { freePort } from '../../support/free-port.mjs'

const cleanups: (() => unknown)[] = []
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup()
})

const text = (bytes: Uint8Array) => Buffer.from(bytes).toString()
const log = createRecordingLog()
const http = createNodeHttp({ log })

function client(options: Partial<HttpClientOptions> = {}): HttpClient {
  const made = http.client({
    connections: 2,
    keepAlive: true,
    maxResponseBytes: 1_000,
    ...options,
  })
  cleanups.push(() => made.close())
  return made
}

interface Seen {
  method: string | undefined
  url: string | undefined
  headers: IncomingMessage['headers']
  body: string
  port: number | undefined
}

async function serverThat(
  answer: (seen: Seen, response: ServerResponse) => void,
): Promise<{ url: string; port: number; seen: Seen[]; server: Server }> {
  const seen: Seen[] = []
  const server = createServer(async (request, response) => {
    const pieces: Buffer[] = []
    for await (const piece of request) pieces.push(piece as Buffer)
    const one = {
      method: request.method,
      url: request.url,
      headers: request.headers,
      body: Buffer.concat(pieces).toString(),
      port: request.socket.remotePort,
    }
    seen.push(one)
    answer(one, response)
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  cleanups.push(() => {
    server.closeAllConnections()
    server.close()
  })
  const { port } = server.address() as AddressInfo
  return { url: `http://127.0.0.1:${port}`, port, seen, server }
}

describe('http client', () => {
  it('sends a body of one piece, of several, and none', async () => {
    const { url, seen } = await serverThat((_seen, response) => response.end('fine'))
    const http = client()
    const large = Buffer.alloc(200_000, 'x')
    const bodies = [
      [Buffer.from('one')],
      [Buffer.from('a'), Buffer.from('b')],
      [large, large],
      undefined,
    ]
    for (const body of bodies) {
      const answer = await http.request({
        method: 'POST',
        url: `${url}/path?q=1`,
        headers: { 'content-type': 'text/plain', 'x-own': 'v' },
        body,
      })
      expect(answer.status).toBe(200)
      expect(text(answer.body)).toBe('fine')
    }
    expect(seen.map(({ body }) => body.length)).toEqual([3, 2, 400_000, 0])
    expect(seen.map(({ headers }) => headers['content-length'])).toEqual(['3', '2', '400000', '0'])
    expect(seen.every(({ headers }) => headers['transfer-encoding'] === undefined)).toBe(true)
    expect(seen[0]).toMatchObject({ method: 'POST', url: '/path?q=1', headers: { 'x-own': 'v' } })
    // Kept alive: the pool's connections did it all.
    expect(new Set(seen.map(({ port }) => port)).size).toBeLessThanOrEqual(2)
  })

  it('does not follow redirects, and gives all headers', async () => {
    const { url, seen } = await serverThat((_seen, response) => {
      response.writeHead(302, { location: '/elsewhere', 'set-cookie': ['a=1', 'b=2'] }).end()
    })
    const answer = await client().request({ method: 'GET', url, headers: {} })
    expect(answer.status).toBe(302)
    expect(answer.headers.location).toBe('/elsewhere')
    expect(answer.headers['set-cookie']).toBe('a=1, b=2')
    expect(seen).toHaveLength(1)
  })

  it('keeps no more of an answer than it may', async () => {
    const { url } = await serverThat((_seen, response) => response.end('y'.repeat(500_000)))
    const http = client({ maxResponseBytes: 10 })
    for (let n = 0; n < 3; n++) {
      const answer = await http.request({ method: 'GET', url, headers: {} })
      expect(text(answer.body)).toBe('yyyyyyyyyy')
    }
  })

  it('rejects what fails, at the signal and in time', async () => {
    const { url, server } = await serverThat(() => undefined)
    const abort = new AbortController()
    const http = client({ headersTimeoutMs: 200 })
    const aborted = http.request({ method: 'GET', url, headers: {}, signal: abort.signal })
    server.once('request', () => abort.abort(new Error('stopping')))
    await expect(aborted).rejects.toThrow('stopping')
    await expect(http.request({ method: 'GET', url, headers: {} })).rejects.toMatchObject({
      code: 'UND_ERR_HEADERS_TIMEOUT',
    })
    const closed = await freePort()
    await expect(
      http.request({ method: 'GET', url: `http://127.0.0.1:${closed}`, headers: {} }),
    ).rejects.toMatchObject({ code: 'ECONNREFUSED' })
  })

  it('goes through a proxy, with its password', async () => {
    const { port, seen } = await serverThat((_seen, response) => response.end('by proxy'))
    const http = client({ proxy: `http://user:p%40ss@127.0.0.1:${port}` })
    const answer = await http.request({
      method: 'POST',
      url: 'http://collector.example/in',
      headers: {},
      body: [Buffer.from('x')],
    })
    expect(text(answer.body)).toBe('by proxy')
    expect(seen[0]).toMatchObject({ method: 'POST', url: 'http://collector.example/in', body: 'x' })
    expect(seen[0]?.headers['proxy-authorization']).toBe(
      `Basic ${Buffer.from('user:p@ss').toString('base64')}`,
    )
    expect(seen[0]?.headers.host).toBe('collector.example')
  })
})

describe('http server', () => {
  async function serve(
    handle: Parameters<typeof http.serve>[0]['handle'],
    maxBodyBytes = 100,
  ): Promise<string> {
    const listener = await http.serve({ host: '127.0.0.1', port: 0, maxBodyBytes, handle })
    cleanups.push(() => listener.close())
    const { address } = listener
    return `http://127.0.0.1:${address.kind === 'tcp' ? address.port : 0}`
  }

  it('hands over requests and writes answers', async () => {
    const url = await serve(({ method, url: path, headers, body, remoteAddress }) => ({
      status: 201,
      headers: { 'content-type': 'text/plain', 'x-type': headers['x-type'] ?? '' },
      body: `${method} ${path} ${text(body)} ${remoteAddress}`,
    }))
    const answer = await client().request({
      method: 'PUT',
      url: `${url}/a?b=c`,
      headers: { 'x-type': 't' },
      body: [Buffer.from('body')],
    })
    expect(answer.status).toBe(201)
    expect(answer.headers['x-type']).toBe('t')
    expect(text(answer.body)).toBe('PUT /a?b=c body 127.0.0.1')
  })

  it('refuses bodies that are too long', async () => {
    const url = await serve(() => ({ status: 200 }), 10)
    const request = { method: 'POST' as const, url, headers: {}, body: [Buffer.alloc(11)] }
    expect((await client().request(request)).status).toBe(413)
    const fits = { ...request, body: [Buffer.alloc(10)] }
    expect((await client().request(fits)).status).toBe(200)
  })

  it('answers 500 to what a handler throws, and logs it', async () => {
    const url = await serve(() => Promise.reject(new Error('secret detail')))
    const answer = await client().request({ method: 'GET', url, headers: {} })
    expect(answer.status).toBe(500)
    expect(text(answer.body)).not.toContain('secret')
    expect(log.messages('error')).toContain('HTTP request failed')
  })

  it('rejects a port in use, and frees it at close', async () => {
    const listener = await http.serve({
      host: '127.0.0.1',
      port: 0,
      maxBodyBytes: 1,
      handle: () => ({ status: 200 }),
    })
    const port = listener.address.kind === 'tcp' ? listener.address.port : 0
    const again = () =>
      http.serve({ host: '127.0.0.1', port, maxBodyBytes: 1, handle: () => ({ status: 200 }) })
    await expect(again()).rejects.toMatchObject({ code: 'EADDRINUSE' })
    await listener.close()
    await listener.close()
    const second = await again()
    await second.close()
  })
})

describe('a body that comes piece by piece', () => {
  async function* pieces(count: number, failsAt = -1) {
    for (let n = 0; n < count; n += 1) {
      if (n === failsAt) throw new Error('no more of it')
      yield Buffer.alloc(100_000, 97 + (n % 26))
    }
  }

  it('arrives whole, with its length', async () => {
    const { url, seen } = await serverThat((_seen, response) => response.end('ok'))
    const body = { bytes: 5_000_000, pieces: pieces(50) }
    const answer = await client().request({ method: 'POST', url, headers: {}, body })
    expect(answer.status).toBe(200)
    expect(seen[0]?.headers['content-length']).toBe('5000000')
    expect(seen[0]?.headers['transfer-encoding']).toBeUndefined()
    expect(seen[0]?.body.length).toBe(5_000_000)
    expect(seen[0]?.body[4_999_999]).toBe(String.fromCharCode(97 + (49 % 26)))
  })

  it('that ends in an error is an error, and no request that anybody answers', async () => {
    const { url, seen } = await serverThat((_seen, response) => response.end('ok'))
    const body = { bytes: 5_000_000, pieces: pieces(50, 20) }
    const answer = client().request({ method: 'POST', url, headers: {}, body })
    await expect(answer).rejects.toThrow('no more of it')
    expect(seen).toEqual([])
  })
})

import net from 'node:net'
import { afterEach, describe, expect, it } from 'vitest'
import type { HttpListener, HttpServeOptions } from '../../../src/core/host.ts'
import { createNodeHttp } from '../../../src/host/node-http.ts'
import { createByteBudget } from '../../../src/transport/byte-budget.ts'
import { createRecordingLog } from '../../support/fake-host.ts'

/** What a server for hostile clients needs, byte by byte over real sockets. */

const cleanups: (() => unknown)[] = []
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup()
})

const http = createNodeHttp({ log: createRecordingLog() })

async function serve(
  options: Partial<HttpServeOptions>,
): Promise<{ listener: HttpListener; port: number; refused: string[] }> {
  const refused: string[] = []
  const listener = await http.serve({
    host: '127.0.0.1',
    port: 0,
    maxBodyBytes: 100,
    handle: ({ method, body }) => ({ status: 200, body: `${method} ${Buffer.from(body)}` }),
    refused: (reason) => refused.push(reason),
    ...options,
  })
  cleanups.push(() => listener.close())
  const { address } = listener
  return { listener, port: address.kind === 'tcp' ? address.port : 0, refused }
}

/** Sends the text and gives all that came until the server closed. */
function talk(port: number, text: string): Promise<string> {
  return new Promise((resolve) => {
    let got = ''
    const socket = net.connect(port, '127.0.0.1', () => socket.write(text, 'latin1'))
    cleanups.push(() => socket.destroy())
    socket.on('data', (bytes) => {
      got += bytes.toString('latin1')
    })
    socket.on('error', (error: NodeJS.ErrnoException) => {
      got += `(${error.code})`
    })
    socket.on('close', () => resolve(got))
  })
}

/** A budget that tells of each change. */
function watchedBudget(limitBytes: number) {
  const budget = createByteBudget(limitBytes)
  const waiting = new Set<() => void>()
  const changed = () => {
    for (const look of waiting) look()
  }
  return {
    take(bytes: number) {
      const taken = budget.take(bytes)
      changed()
      return taken
    },
    give(bytes: number) {
      budget.give(bytes)
      changed()
    },
    /** Resolves once so many bytes are used. */
    uses: (bytes: number) =>
      new Promise<void>((resolve) => {
        const look = () => {
          if (budget.usedBytes !== bytes) return
          waiting.delete(look)
          resolve()
        }
        waiting.add(look)
        look()
      }),
  }
}

const post = (headers: string, body = '') =>
  `POST /a HTTP/1.1\r\nHost: x\r\n${headers}\r\n\r\n${body}`
const close = 'Connection: close\r\n'

describe('http server', () => {
  it('reads a chunked body', async () => {
    const { port } = await serve({})
    const chunks = '3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n'
    expect(await talk(port, post(`${close}Transfer-Encoding: chunked`, chunks))).toMatch(
      /^HTTP\/1.1 200 .*POST abcde$/s,
    )
  })

  it.each([
    ['a length that is too long', 'Content-Length: 101', 'x'],
    ['chunks that become too long', 'Transfer-Encoding: chunked', `65\r\n${'x'.repeat(0x65)}\r\n`],
    ['one that asks first', 'Expect: 100-continue\r\nContent-Length: 101', ''],
  ])('refuses %s with 413 and closes', async (_name, headers, body) => {
    const { port, refused } = await serve({})
    expect(await talk(port, post(headers, body))).toMatch(/^HTTP\/1.1 413 .*Too large$/s)
    expect(refused).toEqual(['body_size'])
  })

  it('says 100 Continue to who asks first', async () => {
    const { port } = await serve({})
    const answer = await talk(port, post(`${close}Expect: 100-continue\r\nContent-Length: 1`, 'x'))
    expect(answer).toMatch(/^HTTP\/1.1 100 Continue\r\n\r\nHTTP\/1.1 200 .*POST x$/s)
  })

  it('keeps all bodies within the budget, and gives back what it took', async () => {
    const budget = watchedBudget(10)
    let release = () => {}
    const held = new Promise<void>((resolve) => (release = resolve))
    const { port, refused } = await serve({
      budget,
      handle: async ({ body }) => {
        await held
        return { status: 200, body: `${body.byteLength}` }
      },
    })
    const first = talk(port, post(`${close}Content-Length: 8`, 'x'.repeat(8)))
    await budget.uses(8)
    const second = await talk(port, post('Content-Length: 3', 'xxx'))
    expect(second).toMatch(/^HTTP\/1.1 503 .*retry-after: 1/is)
    expect(refused).toEqual(['budget'])
    release()
    expect(await first).toMatch(/\r\n\r\n8$/)
    await budget.uses(0)
    expect(await talk(port, post(`${close}Content-Length: 10`, 'x'.repeat(10)))).toMatch(
      /^HTTP\/1.1 200 /,
    )
  })

  it('gives back the budget of a client that goes away', async () => {
    const budget = watchedBudget(10)
    const { port } = await serve({ budget })
    const socket = net.connect(port, '127.0.0.1')
    socket.write(post('Content-Length: 9', 'xxx'))
    await budget.uses(3)
    socket.destroy()
    await budget.uses(0)
  })

  it.each([
    ['no HTTP', '\x16\x03\x01\x00\r\n\r\n', /^HTTP\/1.1 400 /, 'malformed'],
    ['large headers', post(`X: ${'x'.repeat(20_000)}`), /^HTTP\/1.1 431 /, 'header_size'],
  ])('refuses %s', async (_name, text, answer, reason) => {
    const { port, refused } = await serve({})
    expect(await talk(port, text)).toMatch(answer)
    expect(refused).toEqual([reason])
  })

  it.each([
    ['nothing', ''],
    ['half of the headers', 'POST /a HTTP/1.1\r\nHost:'],
    ['half of the body', post('Content-Length: 5', 'xx')],
  ])('cuts off a client that sends %s', async (_name, text) => {
    const { port, refused } = await serve({ requestTimeoutMs: 300 })
    expect(await talk(port, text)).toMatch(/^HTTP\/1.1 408 /)
    expect(refused).toEqual(['request_timeout'])
  })

  it('closes a connection that is idle between requests', async () => {
    const { port } = await serve({ keepAliveTimeoutMs: 100, requestTimeoutMs: 60_000 })
    expect(await talk(port, post('Content-Length: 0'))).toMatch(/^HTTP\/1.1 200 .*POST $/s)
  })

  it('asks for each connection, and tells when it is gone', async () => {
    const seen: string[] = []
    let gone = () => {}
    const isGone = new Promise<void>((resolve) => (gone = resolve))
    const { port } = await serve({
      connections: {
        opened: (from) => seen.push(`+${from}`) < 2,
        closed(from) {
          seen.push(`-${from}`)
          gone()
        },
      },
    })
    const socket = net.connect(port, '127.0.0.1')
    await new Promise((resolve) => socket.once('connect', resolve))
    expect(await talk(port, post('Content-Length: 0'))).toMatch(/^(\(ECONNRESET\))?$/)
    socket.destroy()
    await isGone
    expect(seen).toEqual(['+127.0.0.1', '+127.0.0.1', '-127.0.0.1'])
  })

  it('ends a connection with too many unanswered requests', async () => {
    const { port, refused } = await serve({ handle: () => new Promise(() => undefined) })
    expect(await talk(port, post('Content-Length: 0').repeat(40))).toMatch(/^(\(ECONNRESET\))?$/)
    expect(refused).toContain('pipelining')
  })

  it('drains: answers what is there, and takes nothing new', async () => {
    let release = () => {}
    let begun = () => {}
    const beginning = new Promise<void>((resolve) => (begun = resolve))
    const held = new Promise<void>((resolve) => (release = resolve))
    const { listener, port } = await serve({
      handle: async () => {
        begun()
        await held
        return { status: 200, body: 'late' }
      },
    })
    const asked = talk(port, post('Content-Length: 0'))
    await beginning
    listener.drain()
    expect(await talk(port, 'x')).toBe('(ECONNREFUSED)')
    release()
    expect(await asked).toMatch(/^HTTP\/1.1 200 .*connection: close.*late$/is)
    await listener.close()
  })
})

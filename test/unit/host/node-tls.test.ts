import { readFileSync } from 'node:fs'
import type { AddressInfo } from 'node:net'
import tls from 'node:tls'
import { afterEach, describe, expect, it } from 'vitest'
import type { Connection, TlsClientOptions } from '../../../src/core/host.ts'
import { createNodeNet } from '../../../src/host/node-net.ts'
import { createRecordingLog } from '../../support/fake-host.ts'

const net = createNodeNet({ log: createRecordingLog() })
const pem = (name: string) => readFileSync(`test/support/certificates/${name}.pem`)

const servers: tls.Server[] = []
afterEach(() => {
  for (const server of servers.splice(0)) server.close()
})

/** A server that says back what it hears; its port, and what it learned of each client. */
async function echo(name: 'server' | 'alone', options: tls.TlsOptions = {}) {
  const seen: { servername: string | false | undefined; version: string | null; client: string }[] =
    []
  const server = tls.createServer(
    { key: pem(`${name}-key`), cert: pem(name), ...options },
    (socket) => {
      const { subject } = socket.getPeerCertificate()
      seen.push({
        servername: (socket as { servername?: string | false }).servername,
        version: socket.getProtocol(),
        client: String(subject?.CN ?? ''),
      })
      socket.on('error', () => undefined)
      socket.pipe(socket)
    },
  )
  servers.push(server)
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done))
  return { port: (server.address() as AddressInfo).port, seen }
}

const strict: TlsClientOptions = { verify: true, verifyHostname: true }

/** What comes back for `text`. */
async function say(port: number, options: TlsClientOptions, text: string): Promise<string> {
  let heard = ''
  let connection: Connection | undefined
  await new Promise<void>((done, fail) => {
    net
      .connect(
        { address: { kind: 'tcp', host: '127.0.0.1', port }, timeoutMs: 5_000, tls: options },
        (made) => {
          connection = made
          return {
            onData(bytes) {
              heard += Buffer.from(bytes).toString('latin1')
              if (heard.length >= text.length) made.end()
            },
            onEnd: () => undefined,
            onDrain: () => undefined,
            onClose: (error) => (error === undefined ? done() : fail(error)),
          }
        },
      )
      .then((made) => made.write(Buffer.from(text)), fail)
  })
  expect(connection?.remoteAddress).toBe('127.0.0.1')
  return heard
}

describe('connecting by TLS', () => {
  it('carries bytes, small and large', async () => {
    const { port, seen } = await echo('server')
    const options = { ...strict, ca: [pem('ca')], servername: 'receiver.example' }
    expect(await say(port, options, 'hello')).toBe('hello')
    const large = 'x'.repeat(1_000_000)
    expect((await say(port, options, large)) === large).toBe(true)
    expect(seen[0]).toMatchObject({ servername: 'receiver.example', version: 'TLSv1.3' })
  })

  it.each<[string, 'server' | 'alone', Partial<TlsClientOptions>, string | undefined]>([
    ['an authority nobody knows', 'server', {}, 'UNABLE_TO_VERIFY_LEAF_SIGNATURE'],
    ['self-signed', 'alone', { servername: 'alone.example' }, 'DEPTH_ZERO_SELF_SIGNED_CERT'],
    [
      'self-signed and trusted',
      'alone',
      { ca: [pem('alone')], servername: 'alone.example' },
      undefined,
    ],
    ['for another name', 'server', { ca: [pem('ca')], servername: 'x.example' }, 'altnames'],
    ['by its address', 'server', { ca: [pem('ca')] }, undefined],
    ['not for its address', 'alone', { ca: [pem('alone')] }, 'altnames'],
    [
      'for another name, which does not matter',
      'server',
      { ca: [pem('ca')], servername: 'x.example', verifyHostname: false },
      undefined,
    ],
    ['anything, where nothing is checked', 'alone', { verify: false }, undefined],
  ])('%s', async (_name, server, options, problem) => {
    const { port } = await echo(server)
    const said = say(port, { ...strict, ...options }, 'hello')
    if (problem === undefined) expect(await said).toBe('hello')
    else await expect(said).rejects.toThrow(problem)
  })

  it('with a certificate of our own', async () => {
    const { port, seen } = await echo('server', { requestCert: true, ca: [pem('ca')] })
    const options = { ...strict, ca: [pem('ca')], cert: pem('client'), key: pem('client-key') }
    expect(await say(port, options, 'hello')).toBe('hello')
    expect(seen[0]?.client).toBe('sender.example')
  })

  it('in a version that both have', async () => {
    const { port, seen } = await echo('server', { maxVersion: 'TLSv1.2' })
    const options = { ...strict, ca: [pem('ca')] }
    expect(await say(port, options, 'hello')).toBe('hello')
    expect(seen[0]?.version).toBe('TLSv1.2')
    await expect(say(port, { ...options, minVersion: 'TLSv1.3' }, 'x')).rejects.toThrow('version')
  })

  it('a peer that speaks no TLS is waited for no longer than the timeout', async () => {
    const { createServer } = await import('node:net')
    const mute = createServer((socket) => socket.on('error', () => undefined))
    await new Promise<void>((done) => mute.listen(0, '127.0.0.1', done))
    const address = { kind: 'tcp', host: '127.0.0.1', port: (mute.address() as AddressInfo).port }
    const connecting = net.connect(
      { address: address as never, timeoutMs: 50, tls: strict },
      () => {
        throw new Error('no connection was made')
      },
    )
    await expect(connecting).rejects.toThrow('no connection within 50 ms')
    mute.close()
  })
})

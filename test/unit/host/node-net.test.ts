import { existsSync, mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs'
import net from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type {
  Connection,
  ConnectionHandler,
  ListenAddress,
  Listener,
} from '../../../src/core/host.ts'
import { createNodeNet } from '../../../src/host/node-net.ts'
import { createRecordingLog } from '../../support/fake-host.ts'

const host = createNodeNet({ log: createRecordingLog() })

/** A connection as the listener sees it, with everything that happened to it. */
class Served implements ConnectionHandler {
  readonly connection: Connection
  readonly pieces: Buffer[] = []
  readonly events: string[] = []
  onBytes: (bytes: Uint8Array) => void = () => undefined
  readonly closed: Promise<Error | undefined>
  readonly ended: Promise<void>
  readonly drained: Promise<void>
  #resolve: Record<string, (value?: never) => void> = {}

  constructor(connection: Connection) {
    this.connection = connection
    const promised = (name: string) =>
      new Promise<never>((resolve) => {
        this.#resolve[name] = resolve as unknown as (value?: never) => void
      })
    this.closed = promised('close')
    this.ended = promised('end')
    this.drained = promised('drain')
  }
  onData(bytes: Uint8Array) {
    this.pieces.push(Buffer.from(bytes))
    this.onBytes(bytes)
  }
  onEnd() {
    this.events.push('end')
    this.#resolve.end?.()
  }
  onDrain() {
    this.#resolve.drain?.()
  }
  onClose(error: Error | undefined) {
    this.events.push('close')
    this.#resolve.close?.(error as never)
  }
  text() {
    return Buffer.concat(this.pieces).toString('latin1')
  }
}

interface Setup {
  listener: Listener
  served: Served[]
  accepted(): Promise<Served>
  client(): net.Socket
}

const cleanups: (() => void | Promise<void>)[] = []
let folder = ''
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'sluice-net-'))
})
afterEach(async () => {
  for (const cleanup of cleanups.splice(0)) await cleanup()
  rmSync(folder, { recursive: true })
})

async function listen(address: ListenAddress, readArea: Uint8Array | undefined): Promise<Setup> {
  const served: Served[] = []
  let waiting: ((one: Served) => void)[] = []
  const listener = await host.listen({
    address,
    readArea,
    accept(connection) {
      const one = new Served(connection)
      served.push(one)
      for (const resolve of waiting) resolve(one)
      waiting = []
      return one
    },
  })
  cleanups.push(async () => {
    await listener.close()
    for (const one of served) one.connection.destroy()
  })
  return {
    listener,
    served,
    accepted: () =>
      new Promise<Served>((resolve) => {
        const last = served.at(-1)
        if (last !== undefined) resolve(last)
        else waiting.push(resolve)
      }),
    client() {
      const { address: at } = listener
      const options = at.kind === 'tcp' ? { host: at.host, port: at.port } : { path: at.path }
      const socket = net.connect({ ...options, allowHalfOpen: true })
      socket.on('error', () => undefined)
      socket.on('end', () => socket.end())
      socket.resume()
      cleanups.push(() => void socket.destroy())
      return socket
    },
  }
}

const area = () => new Uint8Array(new WebAssembly.Memory({ initial: 4 }).buffer, 65_536, 131_072)

const kinds: {
  name: string
  address: () => ListenAddress
  readArea: () => Uint8Array | undefined
}[] = [
  {
    name: 'IPv4, shared area',
    address: () => ({ kind: 'tcp', host: '127.0.0.1', port: 0 }),
    readArea: area,
  },
  {
    name: 'IPv4, own buffers',
    address: () => ({ kind: 'tcp', host: '127.0.0.1', port: 0 }),
    readArea: () => undefined,
  },
  {
    name: 'IPv6, shared area',
    address: () => ({ kind: 'tcp', host: '::1', port: 0 }),
    readArea: area,
  },
  {
    name: 'unix, shared area',
    address: () => ({ kind: 'unix', path: join(folder, 'socket') }),
    readArea: area,
  },
]

function until(socket: net.Socket, event: string): Promise<unknown> {
  return new Promise((resolve) => socket.once(event, resolve))
}

describe.each(kinds)('listening on $name', ({ address, readArea }) => {
  it('hands over all bytes in order', async () => {
    const setup = await listen(address(), readArea())
    const client = setup.client()
    const sent = Buffer.alloc(3_000_000, (() => 'abcdefghijklmnop')())
    client.end(sent)
    const served = await setup.accepted()
    await served.ended
    expect(served.text() === sent.toString('latin1')).toBe(true)
    served.connection.end()
    expect(await served.closed).toBeUndefined()
    expect(served.events).toEqual(['end', 'close'])
  })

  it('reads into the shared area and nowhere else', async () => {
    const shared = readArea()
    const setup = await listen(address(), shared)
    const client = setup.client()
    const buffers = new Set<ArrayBufferLike>()
    client.write('x')
    const served = await setup.accepted()
    served.onBytes = (bytes) => buffers.add(bytes.buffer)
    client.end('y')
    await served.ended
    if (shared !== undefined) expect([...buffers]).toEqual([shared.buffer])
    else expect(buffers.size).toBeGreaterThan(0)
  })

  it('still writes after the client has ended its side', async () => {
    const setup = await listen(address(), readArea())
    const client = setup.client()
    let got = ''
    client.on('data', (bytes) => {
      got += bytes.toString()
    })
    client.end('hello')
    const served = await setup.accepted()
    await served.ended
    served.connection.write(Buffer.from('ack'))
    if (served.connection.unsentBytes > 0) await served.drained
    expect(served.connection.unsentBytes).toBe(0)
    served.connection.end()
    await until(client, 'close')
    expect(got).toBe('ack')
    await served.closed
  })

  it('stops and goes on with pause and resume inside the callback', async () => {
    const setup = await listen(address(), readArea())
    const client = setup.client()
    const served = await setup.accepted()
    let paused = false
    let broken = 0
    served.onBytes = () => {
      if (paused) broken += 1
      paused = true
      served.connection.pause()
      setImmediate(() => {
        paused = false
        served.connection.resume()
      })
    }
    client.end(Buffer.alloc(1_000_000, 'z'))
    await served.ended
    expect(served.text().length).toBe(1_000_000)
    expect(broken).toBe(0)
  })

  it('reports the end of a connection that the client breaks', async () => {
    const setup = await listen(address(), readArea())
    const client = setup.client()
    client.write('x')
    const served = await setup.accepted()
    await new Promise<void>((resolve) => {
      served.onBytes = () => resolve()
      if (served.pieces.length > 0) resolve()
    })
    if (setup.listener.address.kind === 'tcp') {
      client.resetAndDestroy()
      expect(await served.closed).toMatchObject({ code: 'ECONNRESET' })
    } else {
      client.destroy()
      await served.ended
      served.connection.end()
      await served.closed
    }
    expect(served.events.filter((event) => event === 'close')).toHaveLength(1)
  })

  it('resets the connection when asked to', async () => {
    const setup = await listen(address(), readArea())
    const client = setup.client()
    const failure = new Promise<NodeJS.ErrnoException | undefined>((resolve) => {
      client.once('error', resolve)
      client.once('close', () => resolve(undefined))
    })
    const served = await setup.accepted()
    served.connection.destroy({ reset: true })
    const error = await failure
    if (setup.listener.address.kind === 'tcp') expect(error?.code).toBe('ECONNRESET')
    await served.closed
    served.connection.write(Buffer.from('too late'))
    served.connection.pause()
    served.connection.resume()
    served.connection.end()
    served.connection.destroy({ reset: true })
    expect(served.events).toEqual(['close'])
  })

  it('keeps its connections when it stops to listen', async () => {
    const setup = await listen(address(), readArea())
    const client = setup.client()
    const served = await setup.accepted()
    await setup.listener.close()
    await setup.listener.close()
    client.end('later')
    await served.ended
    expect(served.text()).toBe('later')
    const refused = setup.client()
    expect(await until(refused, 'close')).toBe(true)
    expect(setup.served).toHaveLength(1)
  })
})

describe('many connections over one area', () => {
  it('keeps them apart', async () => {
    const setup = await listen({ kind: 'tcp', host: '127.0.0.1', port: 0 }, area())
    const clients = Array.from({ length: 40 }, () => setup.client())
    await Promise.all(clients.map((client) => until(client, 'connect')))
    for (const [index, client] of clients.entries()) {
      client.end(String.fromCharCode(65 + index).repeat(50_000))
    }
    while (setup.served.length < 40) await setup.accepted().then(() => new Promise(setImmediate))
    await Promise.all(setup.served.map((one) => one.ended))
    const texts = setup.served.map((one) => one.text())
    expect(texts.every((text) => text === text[0]?.repeat(50_000))).toBe(true)
    expect(new Set(texts).size).toBe(40)
  })

  it('knows where a client comes from', async () => {
    const setup = await listen({ kind: 'tcp', host: '::', port: 0 }, area())
    const { address } = setup.listener
    const port = address.kind === 'tcp' ? address.port : 0
    const client = net.connect({ host: '127.0.0.1', port })
    cleanups.push(() => void client.destroy())
    const served = await setup.accepted()
    expect(served.connection.remoteAddress).toBe('127.0.0.1')
    expect(served.connection.remotePort).toBe(client.localPort)
  })
})

describe('unix sockets', () => {
  it('takes the place of a stale socket, with the mode asked for, and leaves nothing behind', async () => {
    const path = join(folder, 'socket')
    await leaveStaleSocket(path)
    expect(existsSync(path)).toBe(true)
    const setup = await listen({ kind: 'unix', path, mode: 0o600 }, area())
    expect(statSync(path).mode & 0o777).toBe(0o600)
    expect((await listen({ kind: 'unix', path: `${path}2` }, area())).listener.address).toEqual({
      kind: 'unix',
      path: `${path}2`,
    })
    await setup.listener.close()
    expect(existsSync(path)).toBe(false)
  })

  it('never takes the place of one that answers, or of a file', async () => {
    const path = join(folder, 'socket')
    await listen({ kind: 'unix', path }, area())
    await expect(listen({ kind: 'unix', path }, area())).rejects.toMatchObject({
      code: 'EADDRINUSE',
    })
    const file = join(folder, 'file')
    writeFileSync(file, 'precious')
    await expect(listen({ kind: 'unix', path: file }, area())).rejects.toMatchObject({
      code: 'EADDRINUSE',
    })
    expect(statSync(file).size).toBe(8)
  })
})

/**
 * libuv removes the file of a server that closes; a second name for it survives that, as after a
 * kill.
 */
async function leaveStaleSocket(path: string): Promise<void> {
  const { linkSync } = await import('node:fs')
  const server = net.createServer().listen(`${path}.first`)
  await new Promise((resolve) => server.once('listening', resolve))
  linkSync(`${path}.first`, path)
  await new Promise((resolve) => server.close(resolve))
}

describe('connecting', () => {
  it('talks to a listener', async () => {
    const setup = await listen({ kind: 'tcp', host: '127.0.0.1', port: 0 }, area())
    let mine: Served | undefined
    const connection = await host.connect(
      { address: setup.listener.address, timeoutMs: 5_000 },
      (made) => {
        mine = new Served(made)
        return mine
      },
    )
    connection.write(Buffer.from('ping'))
    connection.end()
    const served = await setup.accepted()
    await served.ended
    expect(served.text()).toBe('ping')
    served.connection.write(Buffer.from('pong'))
    served.connection.end()
    await mine?.ended
    expect(mine?.text()).toBe('pong')
  })

  it('rejects with what the system says, or the reason of the signal', async () => {
    const setup = await listen({ kind: 'tcp', host: '127.0.0.1', port: 0 }, area())
    const { address } = setup.listener
    await setup.listener.close()
    const handler = (connection: Connection) => new Served(connection)
    await expect(host.connect({ address, timeoutMs: 5_000 }, handler)).rejects.toMatchObject({
      code: 'ECONNREFUSED',
    })
    const signal = AbortSignal.abort(new Error('stopping'))
    await expect(host.connect({ address, timeoutMs: 5_000, signal }, handler)).rejects.toThrow(
      'stopping',
    )
  })
})

describe('UDP', () => {
  it('receives and answers', async () => {
    const got: string[] = []
    const answered = new Promise<void>((resolve) => {
      host
        .listenUdp({
          host: '127.0.0.1',
          port: 0,
          onMessage(bytes) {
            got.push(Buffer.from(bytes).toString())
            resolve()
          },
        })
        .then(async (receiver) => {
          cleanups.push(() => receiver.close())
          const sender = await host.listenUdp({
            host: '127.0.0.1',
            port: 0,
            onMessage: () => undefined,
          })
          cleanups.push(() => sender.close())
          sender.send(Buffer.from('beat'), receiver.port, '127.0.0.1')
        })
    })
    await answered
    expect(got).toEqual(['beat'])
  })
})

describe('names of addresses', () => {
  it('answers with the address where there is no name', async () => {
    expect(await host.reverseLookup('not an address')).toBe('not an address')
  })
})

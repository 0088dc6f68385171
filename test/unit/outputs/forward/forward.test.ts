import { gunzipSync } from 'node:zlib'
import { describe, expect, it } from 'vitest'
import { createBuffered } from '../../../../src/buffer/index.ts'
import type { Output } from '../../../../src/core/output.ts'
import { encode } from '../../../../src/msgpack/encode.ts'
import { forwardOutput } from '../../../../src/outputs/forward/index.ts'
import { forwardShape } from '../../../../src/outputs/forward/shape.ts'
import { createFakeHost, type FakeHost } from '../../../support/fake-host.ts'
import {
  booksClose,
  bufferOf,
  numbers,
  outputOf,
  paramsOf,
  slowKernel,
} from '../../buffer/support.ts'
import { fakeServer } from './fake-server.ts'

type Written = Readonly<Record<string, unknown>>

const serverShape = forwardShape.sections.server.shape
const discoveryShape = forwardShape.sections.service_discovery.shape
const never = () => new AbortController().signal

const server = (port: number, more: Written = {}) =>
  paramsOf(serverShape, { host: '127.0.0.1', port, ...more })

const security = { selfHostname: 'client.example', sharedKey: 'k1' }

function make(params: Written, buffer: Written = {}, host: FakeHost = createFakeHost()): Output {
  const context = {
    host,
    id: 'fw',
    type: 'forward',
    log: host.log,
    kernel: slowKernel,
    system: { workers: 1, workerId: 0 },
  } as never
  const written = {
    heartbeat_type: 'none',
    server: [],
    service_discovery: [],
    buffer: bufferOf({
      chunk_keys: ['tag'],
      flush_mode: 'immediate',
      retry_type: 'periodic',
      retry_wait: 1,
      retry_randomize: false,
      ...buffer,
    }),
    ...params,
  }
  const bound = outputOf(forwardOutput, written)
  const serviceDiscovery = written.service_discovery
  return createBuffered(
    { ...bound, params: Object.assign(bound.params, { serviceDiscovery }) },
    context,
  )
}

async function started(params: Written, host: FakeHost, buffer: Written = {}): Promise<Output> {
  const output = make(params, buffer, host)
  await output.start()
  return output
}

const hexOf = (first: number, count: number) =>
  Buffer.from(numbers('t', first, count).packed).toString('hex')

describe('a message', () => {
  it('is what Fluentd sends, byte by byte (golden d-forward-plain)', async () => {
    const host = createFakeHost()
    const one = await fakeServer(host, 1)
    const output = await started({ server: [server(1)] }, host)
    await output.emit(numbers('h.a', 1, 2))
    await host.clock.advance(10)
    const entries = hexOf(1, 2)
    expect(one.received.map(({ hex }) => hex)).toEqual([
      `93a3682e61db${(entries.length / 2).toString(16).padStart(8, '0')}${entries}` +
        `82a473697a6502aa636f6d70726573736564a474657874`,
    ])
    expect(output.statistics!()).toMatchObject({ deliveredEvents: 2, bufferedEvents: 0 })
    await output.stop(never())
  })

  it('asks for an ack with the chunk’s id in base64 and a line end', async () => {
    const host = createFakeHost()
    const one = await fakeServer(host, 1)
    const output = await started({ server: [server(1)], require_ack_response: true }, host)
    await output.emit(numbers('h.a', 1, 1))
    await host.clock.advance(10)
    expect(one.received[0]!.option.get('chunk')).toMatch(/^[A-Za-z0-9+/]{22}==\n$/)
    expect(output.statistics!().deliveredEvents).toBe(1)
    await output.stop(never())
  })

  it('is compressed, with the size of what was not', async () => {
    const host = createFakeHost()
    const one = await fakeServer(host, 1)
    const output = await started({ server: [server(1)], compress: 'gzip' }, host)
    await output.emit(numbers('h.a', 1, 50))
    // Compression runs on a thread of its own.
    for (let i = 0; i < 5000 && one.received.length === 0; i++) await host.clock.advance(1)
    const { entries, option } = one.received[0]!
    expect(gunzipSync(Buffer.from(entries, 'hex')).toString('hex')).toBe(hexOf(1, 50))
    expect(Object.fromEntries(option)).toEqual({ size: 50, compressed: 'gzip' })
    await output.stop(never())
  })

  it('of more than a window of bytes goes out in order', async () => {
    const host = createFakeHost()
    const one = await fakeServer(host, 1)
    const output = await started({ server: [server(1)] }, host)
    const batch = numbers('t', 1, 300_000)
    await output.emit(batch)
    await host.clock.advance(50)
    const all = one.received.map(({ entries }) => entries).join('')
    expect(all === Buffer.from(batch.packed).toString('hex')).toBe(true)
    await output.stop(never())
  })
})

describe('connections', () => {
  it('one for each chunk, ended behind it', async () => {
    const host = createFakeHost()
    const one = await fakeServer(host, 1)
    const output = await started({ server: [server(1)] }, host)
    for (let i = 0; i < 3; i++) {
      await output.emit(numbers('t', i, 1))
      await host.clock.advance(10)
    }
    expect([one.connections, one.open.size, one.received.length]).toEqual([3, 0, 3])
    await output.stop(never())
  })

  it('keepalive: one for all, until nobody has used it for keepalive_timeout', async () => {
    const host = createFakeHost()
    const one = await fakeServer(host, 1)
    const params = { server: [server(1)], keepalive: true, keepalive_timeout: 20 }
    const output = await started(params, host)
    for (let i = 0; i < 3; i++) {
      await output.emit(numbers('t', i, 1))
      await host.clock.advance(10)
    }
    expect([one.connections, one.open.size]).toEqual([1, 1])
    await host.clock.advance(26_000)
    expect(one.open.size).toBe(0)
    await output.emit(numbers('t', 9, 1))
    await host.clock.advance(10)
    expect([one.connections, one.received.length]).toEqual([2, 4])
    await output.stop(never())
    await host.clock.settle()
    expect(one.open.size).toBe(0)
  })

  it('one that the server ended meanwhile is replaced, without a failure', async () => {
    const host = createFakeHost()
    const one = await fakeServer(host, 1)
    const output = await started({ server: [server(1)], keepalive: true }, host)
    await output.emit(numbers('t', 1, 1))
    await host.clock.advance(10)
    for (const connection of one.open) connection.end()
    await host.clock.advance(10)
    await output.emit(numbers('t', 2, 1))
    await host.clock.advance(10)
    expect([one.connections, one.received.length]).toEqual([2, 2])
    expect(output.statistics!().errorCount).toBe(0)
    await output.stop(never())
  })
})

describe('acks', () => {
  it.each<[string, (chunk: string) => Uint8Array]>([
    ['of another chunk', () => encode(new Map([['ack', 'other']]))],
    ['without id', () => encode(new Map())],
    ['that are none', () => encode(['no'])],
    ['that are no MessagePack', () => Uint8Array.of(0xc1)],
    ['without end', () => Buffer.concat([Uint8Array.of(0xdb, 0, 1, 0, 0), Buffer.alloc(5000)])],
  ])('%s: the same chunk is sent again, on a new connection', async (_name, wrong) => {
    const host = createFakeHost()
    const one = await fakeServer(host, 1)
    const right = one.answer
    one.answer = (received, connection) => {
      if (one.received.length > 1) right(received, connection)
      else connection.write(wrong(received.option.get('chunk') as string))
    }
    const params = { server: [server(1)], require_ack_response: true, keepalive: true }
    const output = await started(params, host)
    await output.emit(numbers('t', 1, 3))
    await host.clock.advance(3000)
    expect(one.received).toHaveLength(2)
    expect(one.received[0]!.hex).toBe(one.received[1]!.hex)
    expect(one.connections).toBe(2)
    expect(output.statistics!()).toMatchObject({ deliveredEvents: 3, errorCount: 1 })
    expect(booksClose(output.statistics!())).toBe(true)
    await output.stop(never())
  })

  it('that do not come within ack_response_timeout', async () => {
    const host = createFakeHost()
    const one = await fakeServer(host, 1)
    const right = one.answer
    one.answer = () => undefined
    const params = { server: [server(1)], require_ack_response: true, ack_response_timeout: 5 }
    const output = await started(params, host)
    await output.emit(numbers('t', 1, 1))
    await host.clock.advance(4900)
    expect(output.statistics!().errorCount).toBe(0)
    one.answer = right
    await host.clock.advance(2000)
    expect(output.statistics!()).toMatchObject({ deliveredEvents: 1, errorCount: 1 })
    await output.stop(never())
  })

  it('in single bytes are acks', async () => {
    const host = createFakeHost()
    const one = await fakeServer(host, 1)
    one.answer = ({ option }, connection) => {
      for (const byte of encode(new Map([['ack', option.get('chunk')!]]))) {
        connection.write(Uint8Array.of(byte))
      }
    }
    const output = await started({ server: [server(1)], require_ack_response: true }, host)
    await output.emit(numbers('t', 1, 1))
    await host.clock.advance(10)
    expect(output.statistics!()).toMatchObject({ deliveredEvents: 1, errorCount: 0 })
    await output.stop(never())
  })

  it('a connection that breaks before its ack: nothing is lost', async () => {
    const host = createFakeHost()
    const one = await fakeServer(host, 1)
    const right = one.answer
    one.answer = (received, connection) => {
      if (one.received.length < 3) connection.destroy()
      else right(received, connection)
    }
    const output = await started({ server: [server(1)], require_ack_response: true }, host)
    await output.emit(numbers('t', 1, 4))
    await host.clock.advance(5000)
    expect(output.statistics!()).toMatchObject({ deliveredEvents: 4, errorCount: 2 })
    await output.stop(never())
  })
})

describe('several servers', () => {
  it('share the chunks by weight', async () => {
    const host = createFakeHost()
    const [one, two] = [await fakeServer(host, 1), await fakeServer(host, 2)]
    const output = await started({ server: [server(1, { weight: 20 }), server(2)] }, host)
    for (let i = 0; i < 24; i++) {
      await output.emit(numbers('t', i, 1))
      await host.clock.advance(5)
    }
    expect([one.received.length, two.received.length]).toEqual([6, 18])
    await output.stop(never())
  })

  it('one that is gone: its chunks go to the other at once', async () => {
    const host = createFakeHost()
    const two = await fakeServer(host, 2)
    const output = await started({ server: [server(1), server(2)] }, host)
    for (let i = 0; i < 10; i++) {
      await output.emit(numbers('t', i, 1))
      await host.clock.advance(5)
    }
    expect(two.received).toHaveLength(10)
    expect(output.statistics!().errorCount).toBe(0)
    expect(host.log.messages('warn')).toContain(
      'a server did not take a chunk; another one gets it',
    )
    await output.stop(never())
  })

  it('standby takes over, and gives back', async () => {
    const host = createFakeHost()
    let one = await fakeServer(host, 1)
    const two = await fakeServer(host, 2)
    const params = {
      heartbeat_type: 'transport',
      server: [server(1), server(2, { standby: true })],
    }
    const output = await started(params, host)
    const send = async () => {
      await output.emit(numbers('t', 1, 1))
      await host.clock.advance(100)
    }
    await host.clock.advance(20_000)
    await send()
    expect([one.received.length, two.received.length]).toEqual([1, 0])
    await one.stop()
    await send()
    expect(two.received).toHaveLength(1)
    await host.clock.advance(60_000)
    expect(host.log.messages('warn')).toContain("detached forwarding server '127.0.0.1:1'")
    expect(host.metrics.value('sluice_output_forward_servers_available')).toBe(1)
    await send()
    expect(two.received).toHaveLength(2)
    one = await fakeServer(host, 1)
    await host.clock.advance(30_000)
    expect(host.log.messages('warn')).toContain("recovered forwarding server '127.0.0.1:1'")
    await send()
    expect([one.received.length, two.received.length]).toEqual([1, 2])
    await output.stop(never())
  })

  it('none there: the chunk waits, and says why', async () => {
    const host = createFakeHost()
    const output = await started({ server: [server(1)] }, host)
    await output.emit(numbers('t', 1, 2))
    await host.clock.advance(3000)
    expect(output.statistics!()).toMatchObject({ deliveredEvents: 0, bufferedEvents: 2 })
    const line = host.log.lines.find(({ message }) => message === 'failed to flush the buffer.')
    expect(String(line?.fields.error)).toContain('cannot connect: ECONNREFUSED')
    const one = await fakeServer(host, 1)
    await host.clock.advance(3000)
    expect(one.received).toHaveLength(1)
    await output.stop(never())
  })
})

describe('heartbeats by datagrams', () => {
  it('go out each interval; a server that answers none is given up', async () => {
    const host = createFakeHost()
    await fakeServer(host, 1)
    const output = await started({ heartbeat_type: 'udp', server: [server(1)] }, host)
    await host.clock.advance(3500)
    expect(host.net.datagrams.map(({ port, bytes }) => [port, ...bytes])).toEqual([
      [1, 0],
      [1, 0],
      [1, 0],
    ])
    await host.clock.advance(60_000)
    await output.emit(numbers('t', 1, 1))
    await host.clock.advance(10)
    const line = host.log.lines.find(({ message }) => message === 'failed to flush the buffer.')
    expect(String(line?.fields.error)).toContain('no nodes are available')
    await output.stop(AbortSignal.abort())
    const sent = host.net.datagrams.length
    await host.clock.advance(10_000)
    expect(host.net.datagrams).toHaveLength(sent)
    expect(host.clock.pendingTimers).toBe(0)
  })
})

describe('security', () => {
  it('the handshake comes first', async () => {
    const host = createFakeHost()
    const users = [{ username: 'alice', password: 'wonder' }]
    const one = await fakeServer(host, 1, { userAuth: true, users, sharedKeys: ['own'] })
    const params = {
      security,
      require_ack_response: true,
      server: [server(1, { shared_key: 'own', username: 'alice', password: 'wonder' })],
    }
    const output = await started(params, host)
    await output.emit(numbers('t', 1, 2))
    await host.clock.advance(50)
    expect(one.received.map(({ entries }) => entries)).toEqual([hexOf(1, 2)])
    expect(output.statistics!().deliveredEvents).toBe(2)
    await output.stop(never())
  })

  it('a wrong key: nothing is sent', async () => {
    const host = createFakeHost()
    const one = await fakeServer(host, 1, { sharedKeys: ['other'] })
    const output = await started({ security, server: [server(1)] }, host)
    await output.emit(numbers('t', 1, 2))
    await host.clock.advance(50)
    expect(one.received).toEqual([])
    const line = host.log.lines.find(({ message }) => message === 'failed to flush the buffer.')
    expect(String(line?.fields.error)).toContain('authentication failed: shared_key mismatch')
    await output.stop(AbortSignal.abort())
  })

  it('a server that says nothing is not waited for longer than hard_timeout', async () => {
    const host = createFakeHost()
    const one = await fakeServer(host, 1)
    const output = await started({ security, server: [server(1)], hard_timeout: 3 }, host)
    await output.emit(numbers('t', 1, 2))
    await host.clock.advance(3100)
    const line = host.log.lines.find(({ message }) => message === 'failed to flush the buffer.')
    expect(String(line?.fields.error)).toContain('no HELO came within 3000 ms')
    expect(one.received).toEqual([])
    await output.stop(AbortSignal.abort())
  })

  it('a server that asks for it, and no <security>: an error, not silence', async () => {
    const host = createFakeHost()
    await fakeServer(host, 1, {})
    const output = await started({ server: [server(1)], require_ack_response: true }, host)
    await output.emit(numbers('t', 1, 2))
    await host.clock.advance(100)
    const line = host.log.lines.find(({ message }) => message === 'failed to flush the buffer.')
    expect(String(line?.fields.error)).toContain('<security> is not configured')
    expect(output.statistics!().deliveredEvents).toBe(0)
    await output.stop(AbortSignal.abort())
  })
})

describe('a server that takes nothing', () => {
  it('is given up after send_timeout, and the chunk goes elsewhere', async () => {
    const host = createFakeHost()
    const two = await fakeServer(host, 2)
    const stuck = host.net.connect
    host.net.connect = async (options, handler) => {
      const connection = await stuck(options, handler)
      const { port } = options.address as { port: number }
      if (port === 1)
        (connection as unknown as { client: { stalled: boolean } }).client.stalled = true
      return connection
    }
    const one = await fakeServer(host, 1)
    const params = {
      server: [server(1, { weight: 6000 }), server(2, { weight: 1 })],
      send_timeout: 5,
    }
    const output = await started(params, host)
    await output.emit(numbers('t', 1, 2))
    await host.clock.advance(4900)
    expect(two.received).toHaveLength(0)
    await host.clock.advance(5200)
    expect([one.received.length, two.received.length]).toEqual([0, 1])
    await output.stop(never())
  })
})

describe('start', () => {
  it('fails where a name has no address, unless that is to be ignored', async () => {
    const host = createFakeHost()
    host.net.lookup = async () => {
      throw new Error('ENOTFOUND nowhere')
    }
    const params = { heartbeat_type: 'transport', server: [server(1, { host: 'nowhere' })] }
    await expect(make(params, {}, host).start()).rejects.toThrow('ENOTFOUND nowhere')
    const output = await started({ ...params, ignore_network_errors_at_startup: true }, host)
    expect(host.log.messages('warn')).toContain('failed to resolve node name when configured')
    await output.stop(never())
  })

  it('verify_connection_at_startup', async () => {
    const host = createFakeHost()
    const params = { verify_connection_at_startup: true, security, server: [server(1)] }
    await expect(make(params, {}, host).start()).rejects.toThrow('cannot connect')
    await fakeServer(host, 1, { sharedKeys: ['x'] })
    const failed = expect(make(params, {}, host).start()).rejects.toThrow('shared_key mismatch')
    await host.clock.settle()
    await failed
    expect(host.clock.pendingTimers).toBe(0)
  })

  it('names are asked for again after expire_dns_cache, and taken by chance where wanted', async () => {
    const host = createFakeHost()
    await fakeServer(host, 1)
    let asked = 0
    const seen = new Set<string>()
    host.net.lookup = async () => {
      asked += 1
      return ['192.0.2.1', '192.0.2.2']
    }
    const { connect } = host.net
    host.net.connect = (options, handler) => {
      seen.add((options.address as { host: string }).host)
      return connect(options, handler)
    }
    const params = { server: [server(1, { host: 'h.example' })], expire_dns_cache: 10 }
    const output = await started({ ...params, dns_round_robin: true }, host)
    for (let i = 0; i < 40; i++) {
      await output.emit(numbers('t', i, 1))
      await host.clock.advance(1000)
    }
    expect(asked).toBe(4)
    expect(seen.size).toBe(2)
    await output.stop(never())
  })
})

describe('service discovery', () => {
  const file = (path: string) =>
    paramsOf(discoveryShape, { '@type': 'file', path, service: [] }) as object

  it('a file, read again when it changes', async () => {
    const host = createFakeHost()
    const [one, two] = [await fakeServer(host, 1), await fakeServer(host, 2)]
    const write = async (text: string) => {
      const handle = await host.disk.open('/sd.yaml', { write: true, create: true, truncate: true })
      await handle.write(Buffer.from(text))
      await handle.close()
    }
    await write('- host: 127.0.0.1\n  port: 1\n')
    const section = { ...file('/sd.yaml'), type: 'file' }
    const output = await started({ service_discovery: [section] }, host)
    const send = async () => {
      await output.emit(numbers('t', 1, 1))
      await host.clock.advance(10)
    }
    await send()
    await host.clock.advance(1000)
    await write('[{"host": "127.0.0.1", "port": 2, "weight": 3}]')
    await host.clock.advance(4000)
    await send()
    expect([one.received.length, two.received.length]).toEqual([1, 1])
    await host.clock.advance(1000)
    await write('- nonsense')
    await host.clock.advance(4000)
    await send()
    expect(two.received).toHaveLength(2)
    expect(host.log.messages('error')).toEqual(['sd_file: the servers stay as they were'])
    await output.stop(never())
    expect(host.clock.pendingTimers).toBe(0)
  })

  it('SRV records', async () => {
    const host = createFakeHost()
    const one = await fakeServer(host, 1)
    const asked: unknown[] = []
    host.net.resolveSrv = async (name, options) => {
      asked.push([name, options])
      return [{ priority: 1, weight: 0, port: 1, target: 'a.example', address: '127.0.0.1' }]
    }
    const section = paramsOf(discoveryShape, {
      service: 'fluentd',
      hostname: 'example.com',
      dns_server_host: '127.0.0.1:8600',
    })
    const srv = { ...section, type: 'srv', service: 'fluentd' }
    const output = await started({ service_discovery: [srv] }, host)
    await output.emit(numbers('t', 1, 1))
    await host.clock.advance(10)
    expect(one.received).toHaveLength(1)
    expect(asked).toEqual([
      ['_fluentd._tcp.example.com', { server: '127.0.0.1:8600', addresses: true }],
    ])
    await output.stop(never())
  })
})

describe('what cannot be configured', () => {
  it.each<[string, Written, Written, string]>([
    ['no server', {}, {}, 'forward output plugin requires at least one node is required.'],
    [
      'chunks that are not by tag',
      { server: [server(1)] },
      { chunk_keys: ['time'], timekey: 60 },
      "buffer chunk key must include 'tag' for forward output",
    ],
    [
      'dns_round_robin with datagrams',
      { server: [server(1)], dns_round_robin: true, heartbeat_type: 'udp' },
      {},
      "heartbeat type must be 'transport' or 'none' to use dns_round_robin",
    ],
    [
      'two compressions',
      { server: [server(1)], compress: 'gzip' },
      { compress: 'zstd' },
      'You cannot specify different compression formats for Buffer',
    ],
  ])('%s', (_name, params, buffer, message) => {
    expect(() => make(params, buffer)).toThrow(message)
  })

  it('a certificate that is not there', async () => {
    const params = { server: [server(1)], transport: 'tls', tls_cert_path: ['/no.pem'] }
    await expect(make(params).check!()).rejects.toThrow(
      'specified cert path does not exist:/no.pem',
    )
  })
})

describe('a server that ends connections by itself', () => {
  it('behind each message: that is no failure', async () => {
    const host = createFakeHost()
    const one = await fakeServer(host, 1)
    one.answer = (_received, connection) => connection.end()
    const output = await started({ server: [server(1)], keepalive: true }, host)
    for (let i = 0; i < 3; i++) {
      await output.emit(numbers('t', i, 1))
      await host.clock.advance(10)
    }
    expect([one.connections, one.received.length]).toEqual([3, 3])
    expect(output.statistics!()).toMatchObject({ deliveredEvents: 3, errorCount: 0 })
    await output.stop(never())
  })

  it('behind each ack', async () => {
    const host = createFakeHost()
    const one = await fakeServer(host, 1)
    const acknowledge = one.answer
    one.answer = (received, connection) => {
      acknowledge(received, connection)
      connection.end()
    }
    const params = { server: [server(1)], keepalive: true, require_ack_response: true }
    const output = await started(params, host)
    for (let i = 0; i < 3; i++) {
      await output.emit(numbers('t', i, 1))
      await host.clock.advance(10)
    }
    expect([one.connections, one.received.length]).toEqual([3, 3])
    expect(output.statistics!()).toMatchObject({ deliveredEvents: 3, errorCount: 0 })
    await output.stop(never())
  })

  it('an answer that drips has no more time than one that does not come', async () => {
    const host = createFakeHost()
    const one = await fakeServer(host, 1)
    one.answer = (_received, connection) => {
      const drip = (left: number) => {
        if (left === 0) return
        connection.write(Uint8Array.of(0xd9, 0x7f).subarray(left < 100 ? 1 : 0))
        host.clock.after(1000, () => drip(left - 1))
      }
      drip(100)
    }
    const params = { server: [server(1)], require_ack_response: true, ack_response_timeout: 5 }
    const output = await started(params, host)
    await output.emit(numbers('t', 1, 1))
    await host.clock.advance(5100)
    expect(output.statistics!().errorCount).toBe(1)
    await output.stop(AbortSignal.abort())
  })
})

import { randomBytes } from 'node:crypto'
import { gzipSync } from 'node:zlib'
import { describe, expect, it } from 'vitest'
import { encode } from '../../../../src/msgpack/encode.ts'
import { createFakeHost } from '../../../support/fake-host.ts'
import { acksIn, entries, map, message, packed, startForward } from './harness.ts'

/** A promise and how to settle it. */
function deferred() {
  let resolve: () => void = () => undefined
  let reject: (error: Error) => void = () => undefined
  const promise = new Promise<void>((res, rej) => {
    resolve = res
    reject = rej
  })
  return { promise, resolve, reject }
}

const never = new AbortController().signal

describe('a consumer that pushes back', () => {
  it('pauses its client until it settles, and no other', async () => {
    const running = await startForward()
    const slow = deferred()
    running.answer = ({ tag }) => (tag === 'slow' ? slow.promise : undefined)
    const [first, second] = [running.client(), running.client()]
    first.send(
      Buffer.concat([
        message(1, { tag: 'fast', chunk: '1' }),
        message(2, { tag: 'slow', chunk: '2' }),
        message(3, { tag: 'fast', chunk: '3' }),
      ]),
    )
    expect(first.paused).toBe(true)
    expect(acksIn(first)).toEqual(['1'])
    first.send(message(4, { tag: 'fast', chunk: '4' }))
    second.send(message(5, { chunk: '5' }))
    expect(acksIn(second)).toEqual(['5'])
    await running.host.clock.settle()
    expect(running.lines()).toHaveLength(3)

    slow.resolve()
    await running.host.clock.settle()
    expect(acksIn(first)).toEqual(['1', '2', '3', '4'])
    expect(running.emitted.map(({ tag }) => tag)).toEqual(['fast', 'slow', 'a.b', 'fast', 'fast'])
    expect(first.paused).toBe(false)
  })

  it('gets what came before the client ended, and then acks leave', async () => {
    const running = await startForward()
    const slow = deferred()
    running.answer = () => slow.promise
    const client = running.client()
    client.send(Buffer.concat([message(1, { chunk: '1' }), message(2, { tag: 'x', chunk: '2' })]))
    client.end()
    await running.host.clock.settle()
    expect(client.closed).toBe('no')
    slow.resolve()
    await running.host.clock.settle()
    expect(acksIn(client)).toEqual(['1', '2'])
    expect(client.closed).toBe('closed')
  })

  it('rejects: that message is not acknowledged, those around it are', async () => {
    const running = await startForward()
    running.answer = ({ tag }) => {
      if (tag === 'later') return Promise.reject(new Error('full'))
      if (tag === 'at.once') throw new Error('full')
      return undefined
    }
    const client = running.client()
    client.send(
      Buffer.concat([
        message(1, { chunk: '1' }),
        message(2, { tag: 'later', chunk: '2' }),
        message(3, { chunk: '3' }),
        message(4, { tag: 'at.once', chunk: '4' }),
        message(5, { chunk: '5' }),
      ]),
    )
    await running.host.clock.settle()
    expect(acksIn(client)).toEqual(['1', '3', '5'])
    expect(client.closed).toBe('no')
    const { metrics, log } = running.host
    expect(metrics.value('sluice_input_rejected_events_total')).toBe(2)
    expect(metrics.value('sluice_input_events_total')).toBe(3)
    expect(log.messages('warn')).toEqual(['events could not be taken and are not acknowledged'])
  })

  it('a client that does not read its acks is not read from', async () => {
    const running = await startForward()
    const client = running.client()
    client.stalled = true
    const chunk = 'x'.repeat(60_000)
    for (let n = 0; n < 30; n++) client.send(message(n, { chunk }))
    expect(client.paused).toBe(true)
    const taken = running.lines().length
    expect(taken).toBeLessThan(30)
    client.stalled = false
    await running.host.clock.settle()
    expect(running.lines()).toHaveLength(30)
    expect(client.paused).toBe(false)
  })
})

describe('large messages', () => {
  /** Entries of about `bytes` in all, that compress badly. */
  function bigEntries(bytes: number): Buffer {
    const pad = randomBytes(3_000).toString('hex')
    const one = (n: number) => encode([1_700_000_000, map({ n, pad: pad.slice(n % 997) })])
    const pieces: Uint8Array[] = []
    for (let n = 0, size = 0; size < bytes; n++) {
      pieces.push(one(n))
      size += pieces.at(-1)!.byteLength
    }
    return Buffer.concat(pieces)
  }

  /** Inflating off the event loop takes turns of the real one. */
  async function until(condition: () => boolean, settle: () => Promise<void>): Promise<void> {
    while (!condition()) await settle()
  }

  it.each([2, 9])('%i MB out of gzip come whole and in order, and one ack', async (megabytes) => {
    const running = await startForward()
    const payload = bigEntries(megabytes * 1_000_000)
    const client = running.client()
    client.send(
      Buffer.concat([
        packed(['z', gzipSync(payload), map({ compressed: 'gzip', chunk: 'big' })]),
        message(7, { chunk: 'after' }),
      ]),
    )
    await until(() => acksIn(client).length === 2, running.host.clock.settle)
    expect(acksIn(client)).toEqual(['big', 'after'])
    const counted = running.emitted.filter(({ tag }) => tag === 'z')
    const numbers = counted.flatMap(({ lines }) =>
      lines.map((line) => Number(/"n":(\d+)/.exec(line)![1])),
    )
    expect(numbers).toEqual(numbers.map((_, n) => n))
    expect(numbers.length).toBeGreaterThan(150 * megabytes)
  })

  it('a fault at the end of a large one leaves nothing delivered', async () => {
    const running = await startForward()
    const bytes = gzipSync(bigEntries(3_000_000))
    bytes[bytes.length - 6]! ^= 1
    const client = running.client()
    client.send(packed(['z', bytes, map({ compressed: 'gzip', chunk: 'big' })]))
    await until(() => client.closed !== 'no', running.host.clock.settle)
    expect(client.closed).toBe('reset')
    expect(running.lines()).toEqual([])
    expect(
      running.host.metrics.value('sluice_input_dropped_messages_total', { reason: 'inflate' }),
    ).toBe(1)
  })

  it('a compressed message of nothing but zeros is dropped after the first of them, and acknowledged', async () => {
    const running = await startForward()
    const zeros = gzipSync(Buffer.concat([bigEntries(10_000), Buffer.alloc(50_000_000)]))
    const client = running.client()
    client.send(
      Buffer.concat([
        packed(['z', zeros, map({ compressed: 'gzip', chunk: 'zeros' })]),
        message(7, { chunk: 'after' }),
      ]),
    )
    await until(() => acksIn(client).length === 2, running.host.clock.settle)
    expect(acksIn(client)).toEqual(['zeros', 'after'])
    expect(running.lines()).toHaveLength(3)
    const { metrics } = running.host
    expect(metrics.value('sluice_input_dropped_messages_total', { reason: 'invalid_rest' })).toBe(1)
    const seen = metrics.value('sluice_input_invalid_events_total', { reason: 'invalid_entry' })
    expect(seen).toBeGreaterThan(100_000)
    expect(seen).toBeLessThan(1_000_000)
  })

  it('a bomb is stopped at the limit, with nothing delivered', async () => {
    const running = await startForward({ decompressionSizeLimit: 20_000_000 })
    const bomb = gzipSync(Buffer.alloc(40_000_000, encode([0, map({})])))
    const client = running.client()
    client.send(packed(['z', bomb, map({ compressed: 'gzip', chunk: 'big' })]))
    await until(() => client.closed !== 'no', running.host.clock.settle)
    expect(client.closed).toBe('reset')
    expect(running.lines()).toEqual([])
  })

  it('one that is rejected in part is not acknowledged', async () => {
    const running = await startForward()
    let calls = 0
    running.answer = ({ tag }) => {
      calls += 1
      return tag === 'z' && calls === 1 ? Promise.reject(new Error('full')) : undefined
    }
    const client = running.client()
    const bytes = gzipSync(bigEntries(9_000_000))
    client.send(packed(['z', bytes, map({ compressed: 'gzip', chunk: 'big' })]))
    client.send(message(1, { chunk: 'after' }))
    await until(() => acksIn(client).length > 0, running.host.clock.settle)
    expect(acksIn(client)).toEqual(['after'])
  })

  it('one of several megabytes, packed, in pieces', async () => {
    const running = await startForward()
    const bytes = packed(['z', bigEntries(3_000_000), map({ chunk: 'big' })])
    const client = running.client()
    for (let at = 0; at < bytes.length; at += 50_000) client.send(bytes.subarray(at, at + 50_000))
    await running.host.clock.settle()
    expect(acksIn(client)).toEqual(['big'])
    expect(running.lines().length).toBeGreaterThan(400)
  })
})

describe('deny_keepalive', () => {
  it('ends after the messages of one read, with their acks', async () => {
    const running = await startForward({ denyKeepalive: true })
    const client = running.client()
    client.send(Buffer.concat([message(1, { chunk: '1' }), message(2)]))
    expect(running.lines()).toHaveLength(2)
    expect(acksIn(client)).toEqual(['1'])
    expect(client.ended).toBe(true)
    client.send(message(3))
    expect(client.closed).toBe('reset')
    expect(running.lines()).toHaveLength(2)
  })

  it('does not wait for ever for the other side', async () => {
    const running = await startForward({ denyKeepalive: true })
    const client = running.client()
    client.send(message(1))
    await running.host.clock.advance(10_000)
    expect(client.closed).toBe('closed')
  })
})

describe('limits', () => {
  it('of connections in all and by address', async () => {
    const running = await startForward({ maxConnections: 3, maxConnectionsPerAddress: 2 })
    const one = running.client({ address: '192.0.2.1' })
    const clients = [one, running.client({ address: '192.0.2.1' })]
    expect(running.client({ address: '192.0.2.1' }).closed).toBe('reset')
    clients.push(running.client({ address: '192.0.2.2' }))
    expect(running.client({ address: '192.0.2.3' }).closed).toBe('reset')
    expect(clients.map(({ closed }) => closed)).toEqual(['no', 'no', 'no'])
    one.destroy()
    await running.host.clock.settle()
    expect(running.client({ address: '192.0.2.1' }).closed).toBe('no')
    const { metrics } = running.host
    expect(metrics.value('sluice_connections')).toBe(3)
    expect(metrics.value('sluice_connections_total')).toBe(6)
    const refused = (reason: string) =>
      metrics.value('sluice_connections_refused_total', { reason })
    expect(refused('max_connections')).toBe(1)
    expect(refused('max_connections_per_address')).toBe(1)
  })

  it('of one unfinished message', async () => {
    const running = await startForward({ unfinishedMessageLimit: 5_000 })
    const client = running.client()
    client.send(packed(['a', 'x'.repeat(10_000)]).subarray(0, 3_000))
    expect(client.closed).toBe('reset')
    const text = running.client()
    text.send(Buffer.from(`["a",1,{"x":"${'x'.repeat(6_000)}`))
    expect(text.closed).toBe('reset')
    const { metrics } = running.host
    expect(metrics.value('sluice_input_dropped_messages_total', { reason: 'unfinished' })).toBe(2)
  })

  it('of all unfinished messages: the connection that hoards goes', async () => {
    const running = await startForward({ unfinishedTotalLimit: 100_000 })
    const large = packed(['a', t(), map({ x: 'x'.repeat(120_000) })])
    const [hoarder, other] = [running.client(), running.client()]
    hoarder.send(large.subarray(0, 90_000))
    expect(hoarder.closed).toBe('no')
    other.send(large.subarray(0, 20_000))
    expect(hoarder.closed).toBe('reset')
    expect(other.closed).toBe('no')
    other.send(large.subarray(20_000))
    expect(running.lines()).toHaveLength(1)
  })

  function t(): number {
    return 1_700_000_000
  }
})

describe('timeouts', () => {
  it('an unfinished message that does not go on', async () => {
    const running = await startForward({ partialMessageTimeout: 60 })
    const [loris, slow, quiet] = [running.client(), running.client(), running.client()]
    quiet.send(message(1))
    const long = packed(['a', 1, map({ x: 'x'.repeat(200_000) })])
    for (let second = 0; second < 80; second += 10) {
      loris.send(long.subarray(second / 10, second / 10 + 1))
      slow.send(long.subarray(second * 100, second * 100 + 1_000))
      await running.host.clock.advance(10_000)
    }
    expect(loris.closed).toBe('reset')
    expect(slow.closed).toBe('no')
    expect(quiet.closed).toBe('no')
    const { metrics } = running.host
    expect(
      metrics.value('sluice_connections_refused_total', { reason: 'partial_message_timeout' }),
    ).toBe(1)
  })

  it('an idle connection, where it is asked for', async () => {
    const running = await startForward({ idleTimeout: 100 })
    const [idle, busy] = [running.client(), running.client()]
    for (let n = 0; n < 12; n++) {
      busy.send(message(n))
      await running.host.clock.advance(10_000)
    }
    expect(idle.closed).toBe('reset')
    expect(busy.closed).toBe('no')
    const forever = await startForward()
    const client = forever.client()
    await forever.host.clock.advance(100_000)
    expect(client.closed).toBe('no')
  })

  it('do not run while we are the ones who wait', async () => {
    const running = await startForward({ idleTimeout: 10 })
    const slow = deferred()
    running.answer = () => slow.promise
    const client = running.client()
    client.send(message(1, { chunk: '1' }))
    await running.host.clock.advance(60_000)
    expect(client.closed).toBe('no')
    slow.resolve()
    await running.host.clock.settle()
    expect(acksIn(client)).toEqual(['1'])
  })
})

describe('who sent it', () => {
  it('source_hostname_key waits for the name, and asks once for many connections', async () => {
    const running = await startForward({ sourceHostnameKey: 'from', sourceAddressKey: 'ip' })
    running.host.net.names.set('192.0.2.7', 'seven.example')
    let lookups = 0
    const { reverseLookup } = running.host.net
    running.host.net.reverseLookup = (address) => {
      lookups += 1
      return reverseLookup(address)
    }
    const clients = [1, 2].map(() => running.client({ address: '192.0.2.7' }))
    for (const client of clients) client.send(message(1))
    expect(running.lines()).toEqual([])
    await running.host.clock.settle()
    const line = 'a.b 1700000000 {"n":1,"ip":"192.0.2.7","from":"seven.example"}'
    expect(running.lines()).toEqual([line, line])
    expect(lookups).toBe(1)
  })

  it('a repeated field is overwritten wherever it stands', async () => {
    const running = await startForward({ sourceAddressKey: 'ip' })
    const record = Buffer.concat([
      Buffer.from([0x83]),
      packed('ip', 1, 'n', 2),
      Buffer.from([0xc4, 2]),
      Buffer.from('ip'),
      packed(3),
    ])
    const bytes = Buffer.concat([Buffer.from([0x93]), packed('a', 7), record])
    running.client().send(bytes)
    expect(running.lines()).toEqual(['a 7 {"ip":"127.0.0.1","n":2,"bin 6970":"127.0.0.1"}'])
  })

  it('send_keepalive_packet turns SO_KEEPALIVE on', async () => {
    expect((await startForward({ sendKeepalivePacket: true })).client().keepAlive).toBe(true)
    expect((await startForward()).client().keepAlive).toBe(false)
  })
})

describe('listening', () => {
  it('answers UDP heartbeats on the same port', async () => {
    const running = await startForward()
    running.host.net.datagram(running.port, Buffer.from('anything'))
    expect(running.host.net.datagrams).toEqual([
      { bytes: Uint8Array.of(0), port: 50_001, address: '127.0.0.1' },
    ])
    expect(running.host.log.messages('info')).toEqual(['listening port'])
  })

  it('on a unix socket', async () => {
    const running = await startForward({ unixPath: '/run/sluice.sock', unixMode: '0660' })
    expect(running.source.claims).toEqual(['unix:/run/sluice.sock'])
    const client = running.client()
    client.send(message(1, { chunk: '1' }))
    expect(acksIn(client)).toEqual(['1'])
  })

  it('claims its ports', async () => {
    const { settingsOf } = await import('../../../../src/sources/forward/settings.ts')
    const { paramsWith } = await import('./harness.ts')
    expect(settingsOf(paramsWith({ port: 24224 })).address).toEqual({
      kind: 'tcp',
      host: '0.0.0.0',
      port: 24224,
    })
  })

  it('fails to start, with nothing left open, if a port is in use', async () => {
    const host = createFakeHost()
    host.net.refuse.set(1, 'EADDRINUSE')
    await expect(startForward({ port: 1 }, host)).rejects.toMatchObject({ code: 'EADDRINUSE' })
    await host.net.listenUdp({ host: '0.0.0.0', port: 2, onMessage: () => undefined })
    await expect(startForward({ port: 2 }, host)).rejects.toMatchObject({ code: 'EADDRINUSE' })
    expect(host.net.listening()).toEqual([])
  })
})

describe('stop', () => {
  it('takes nothing new, acknowledges what was read, and ends its connections', async () => {
    const running = await startForward()
    const slow = deferred()
    running.answer = () => slow.promise
    const [busy, idle] = [running.client(), running.client()]
    busy.send(message(1, { chunk: '1' }))
    const stopped = running.source.stop(never)
    await running.host.clock.advance(10)
    expect(() => running.client()).toThrow('ECONNREFUSED')
    await running.host.clock.advance(100)
    expect(idle.closed).toBe('closed')
    expect(busy.closed).toBe('no')
    slow.resolve()
    await running.host.clock.advance(100)
    await stopped
    expect(acksIn(busy)).toEqual(['1'])
    expect(busy.closed).toBe('closed')
    expect(running.host.net.listening()).toEqual([])
    expect(running.host.clock.pendingTimers).toBe(0)
    await running.source.stop(never)
  })

  it('takes what is on its way', async () => {
    const running = await startForward()
    const client = running.client()
    const stopped = running.source.stop(never)
    for (let n = 0; n < 3; n++) {
      client.send(message(n, { chunk: `${n}` }))
      await running.host.clock.advance(20)
    }
    await running.host.clock.advance(100)
    await stopped
    expect(acksIn(client)).toEqual(['0', '1', '2'])
    expect(client.closed).toBe('closed')
  })

  it('does not wait for a client that never pauses', async () => {
    const running = await startForward()
    const client = running.client()
    const stopped = running.source.stop(never)
    for (let n = 0; n < 60 && client.closed === 'no'; n++) {
      client.send(message(n))
      await running.host.clock.advance(10)
    }
    await stopped
    expect(client.closed).not.toBe('no')
    expect(running.lines().length).toBeLessThan(40)
  })

  it('is over at the deadline', async () => {
    const running = await startForward()
    running.answer = () => deferred().promise
    const client = running.client()
    client.send(message(1, { chunk: '1' }))
    const deadline = new AbortController()
    const stopped = running.source.stop(deadline.signal)
    await running.host.clock.advance(1_000)
    expect(client.closed).toBe('no')
    deadline.abort()
    await running.host.clock.advance(100)
    await stopped
    expect(client.closed).toBe('reset')
    expect(acksIn(client)).toEqual([])
  })

  it('is safe without start', async () => {
    const { ForwardSource } = await import('../../../../src/sources/forward/source.ts')
    const { settingsOf } = await import('../../../../src/sources/forward/settings.ts')
    const { paramsWith } = await import('./harness.ts')
    const running = await startForward()
    const { host } = running
    const context = { host, id: 'x', type: 'forward', log: host.log, system: {} }
    const source = new ForwardSource(settingsOf(paramsWith({})), context as never)
    expect(await source.stop(never)).toBeUndefined()
  })
})

/** A source whose every batch takes 3 ms: after two of them others get their turn. */
async function startSlow() {
  const running = await startForward()
  const time = { nowMs: 0 }
  running.host.clock.monotonicMs = () => time.nowMs
  running.answer = () => {
    time.nowMs += 3
  }
  return { running, time, clock: running.host.clock }
}

describe('slices', () => {
  it('never come between an inflated payload and its events', async () => {
    const running = await startForward()
    const { clock } = running.host
    let nowMs = 0
    clock.monotonicMs = () => {
      nowMs += 6
      return nowMs
    }
    const clients = [0, 1, 2].map(() => running.client())
    for (let round = 0; round < 3; round++) {
      for (const [index, client] of clients.entries()) {
        const numbers = [100, 200, 300].map((n) => n + 10 * index + round)
        const bytes = gzipSync(entries(...numbers))
        client.send(packed([`tag.${index}`, bytes, map({ compressed: 'gzip' })]))
      }
    }
    await clock.settle()
    const expected = [0, 1, 2].flatMap((index) =>
      [0, 1, 2].flatMap((round) =>
        [100, 200, 300].map((n) => `tag.${index} 1700000000 {"n":${n + 10 * index + round}}`),
      ),
    )
    expect(running.lines().sort()).toEqual(expected.sort())
  })

  it('long work on one connection lets others in between', async () => {
    const { running, clock } = await startSlow()
    const [long, short] = [running.client(), running.client()]
    const sent = Array.from({ length: 6 }, (_, n) =>
      message(n, { tag: `long.${n}`, chunk: `${n}` }),
    )
    long.send(Buffer.concat(sent))
    expect(long.paused).toBe(true)
    short.send(message(1, { tag: 'short' }))
    await clock.settle()
    const tags = running.emitted.map(({ tag }) => tag)
    expect(tags.indexOf('short')).toBe(2)
    expect(tags.filter((tag) => tag.startsWith('long'))).toEqual(sent.map((_, n) => `long.${n}`))
    expect(acksIn(long)).toEqual(sent.map((_, n) => `${n}`))
    expect(long.paused).toBe(false)
  })

  it('what one turn of the event loop reads from a connection counts together', async () => {
    const { running, time, clock } = await startSlow()
    const client = running.client()
    client.send(message(1, { chunk: '1' }))
    expect(client.paused).toBe(false)
    client.send(message(2, { chunk: '2' }))
    expect(client.paused).toBe(true)
    await clock.settle()
    expect(client.paused).toBe(false)
    expect(acksIn(client)).toEqual(['1', '2'])
    // A moment without work for it, in which others had theirs, begins anew.
    client.send(message(3, { chunk: '3' }))
    time.nowMs += 1
    client.send(message(4, { chunk: '4' }))
    expect(client.paused).toBe(false)
    expect(acksIn(client)).toEqual(['1', '2', '3', '4'])
  })
})

describe('values that are no messages', () => {
  const junk = (count: number) => Buffer.alloc(count, 0x01)

  it('a thousand in a row end the connection; what came before is acknowledged', async () => {
    const running = await startForward()
    const client = running.client()
    client.send(Buffer.concat([message(1, { chunk: '1' }), junk(100_000)]))
    expect(client.closed).toBe('reset')
    expect(acksIn(client)).toEqual(['1'])
    expect(running.lines()).toHaveLength(1)
  })

  it('fewer, and a message between them, do not', async () => {
    const running = await startForward()
    const client = running.client()
    client.send(Buffer.concat([junk(999), message(1), junk(999), message(2, { chunk: '2' })]))
    await running.host.clock.settle()
    expect(client.closed).toBe('no')
    expect(acksIn(client)).toEqual(['2'])
    expect(running.lines()).toHaveLength(2)
  })
})

import { describe, expect, it } from 'vitest'
import { ConfigError } from '../../../../src/core/errors.ts'
import { ClientHandshake, type ClientSecurity } from '../../../../src/forward/handshake-client.ts'
import { settingsOf } from '../../../../src/sources/forward/settings.ts'
import { createFakeHost } from '../../../support/fake-host.ts'
import type { TestClient } from '../../../support/memory-net.ts'
import { acksIn, message, paramsWith, type Running, startForward } from './harness.ts'

const security = {
  selfHostname: 'server.example',
  sharedKey: 'k1',
  additionalSharedKeys: [] as string[],
  userAuth: false,
  allowAnonymousSource: true,
  user: [] as { username: string; password: string }[],
  client: [] as object[],
}

const client = (of: object) => ({ users: [], additionalSharedKeys: [], ...of })

function start(
  of: Partial<Record<keyof typeof security, unknown>> = {},
  params: Record<string, unknown> = {},
) {
  return startForward({ security: { ...security, ...of }, ...params } as never)
}

function shakeHands(
  peer: TestClient,
  of: Partial<ClientSecurity> = {},
  behind: Uint8Array = new Uint8Array(0),
): ClientHandshake {
  const handshake = new ClientHandshake(
    { selfHostname: 'client.example', sharedKey: 'k1', username: '', password: '', ...of },
    Buffer.alloc(16, 7),
  )
  const ping = handshake.data(peer.received())
  if (ping.kind !== 'send') throw new Error(`no PING after HELO: ${ping.kind}`)
  peer.clear()
  peer.send(Buffer.concat([ping.bytes, behind]))
  return handshake
}

const refused = ({ host }: Running, reason: string) =>
  host.metrics.value('sluice_connections_refused_total', { reason })

describe('a client that knows the key', () => {
  it('is let in, and its events are taken and acknowledged', async () => {
    const running = await start()
    const peer = running.client()
    const handshake = shakeHands(peer)
    expect(handshake.data(peer.received()).kind).toBe('established')
    peer.clear()
    peer.send(message(1, { chunk: 'c' }))
    expect(acksIn(peer)).toEqual(['c'])
    expect(running.lines()).toHaveLength(1)
  })

  it('may send events right behind PING', async () => {
    const running = await start()
    const peer = running.client()
    const handshake = shakeHands(peer, {}, message(1, { chunk: 'c' }))
    const step = handshake.data(peer.received())
    expect(step.kind === 'established' && Buffer.from(step.rest).toString('latin1')).toContain('c')
    expect(running.lines()).toHaveLength(1)
  })

  it('is told that its connection is for one message, where keepalive is denied', async () => {
    const running = await start({}, { denyKeepalive: true })
    const peer = running.client()
    const handshake = shakeHands(peer)
    expect(handshake.data(peer.received())).toMatchObject({ keepalive: false })
  })

  it('knows the old key or the new one while both are valid', async () => {
    const running = await start({ additionalSharedKeys: ['k2'] })
    for (const sharedKey of ['k1', 'k2']) {
      const peer = running.client()
      expect(shakeHands(peer, { sharedKey }).data(peer.received()).kind).toBe('established')
    }
  })
})

describe('before the handshake', () => {
  it('nothing is taken: an event instead of PING ends the connection', async () => {
    const running = await start()
    const peer = running.client()
    peer.clear()
    peer.send(Buffer.concat([message(1, { chunk: 'c' }), message(2)]))
    expect(Buffer.from(peer.received()).toString('latin1')).toContain('invalid ping message')
    expect(peer.ended).toBe(true)
    peer.send(message(3))
    await running.host.clock.settle()
    expect(running.lines()).toEqual([])
    expect(peer.closed).toBe('reset')
    expect(refused(running, 'invalid_ping')).toBe(1)
  })

  it('what stands behind a PING with a wrong key is not taken', async () => {
    const running = await start()
    const peer = running.client({ address: '192.0.2.1' })
    const handshake = shakeHands(peer, { sharedKey: 'x' }, message(1))
    expect(() => handshake.data(peer.received())).toThrow('shared_key mismatch')
    expect(running.lines()).toEqual([])
    expect(refused(running, 'shared_key_mismatch')).toBe(1)
    const line = running.host.log.lines.find(({ level }) => level === 'warn')
    expect(line).toMatchObject({
      message: 'Shared key mismatch',
      fields: { address: '192.0.2.1', hostname: 'client.example' },
    })
    peer.end()
    await running.host.clock.settle()
    expect(peer.closed).toBe('closed')
  })

  it('no more than 4 KiB are kept, and JSON is no way around', async () => {
    const running = await start()
    for (const bytes of [Buffer.alloc(5000, 0x96), Buffer.from('["a",1,{"b":2}]')]) {
      const peer = running.client()
      peer.send(bytes)
      expect(peer.ended).toBe(true)
    }
    expect(running.lines()).toEqual([])
    expect(refused(running, 'invalid_ping')).toBe(2)
  })

  it('a client that says nothing is cut off, and one that was let in is not', async () => {
    const running = await start({}, { handshakeTimeout: 10 })
    const [silent, slow, good] = [running.client(), running.client(), running.client()]
    shakeHands(good)
    for (let second = 0; second < 9; second++) {
      slow.send(Uint8Array.of(second === 0 ? 0x96 : second === 1 ? 0xd9 : 0x7f))
      await running.host.clock.advance(1000)
    }
    expect([silent.closed, slow.closed]).toEqual(['no', 'no'])
    await running.host.clock.advance(4000)
    expect([silent.closed, slow.closed, good.closed]).toEqual(['reset', 'reset', 'no'])
    expect(refused(running, 'handshake_timeout')).toBe(2)
  })

  it('a client that only looks whether we are there leaves no trace', async () => {
    const running = await start()
    const peer = running.client()
    peer.end()
    await running.host.clock.settle()
    expect(peer.closed).toBe('closed')
    expect(running.host.log.messages('warn')).toEqual([])
  })

  it('a stop does not wait for it', async () => {
    const running = await start()
    const peer = running.client()
    const stopped = running.source.stop(new AbortController().signal)
    await running.host.clock.advance(100)
    peer.end()
    await running.host.clock.advance(1000)
    await stopped
    expect(peer.closed).not.toBe('no')
  })
})

describe('<client>', () => {
  it('names that are looked up at start', async () => {
    const host = createFakeHost()
    host.net.lookup = async (name) => (name === 'web.example' ? ['192.0.2.7', '2001:db8::7'] : [])
    const params = {
      security: {
        ...security,
        allowAnonymousSource: false,
        client: [client({ host: 'web.example', sharedKey: 'own' })],
      },
    }
    const running = await startForward(params as never, host)
    const [known, other] = [
      running.client({ address: '2001:db8::7' }),
      running.client({ address: '192.0.2.8' }),
    ]
    expect(shakeHands(known, { sharedKey: 'own' }).data(known.received()).kind).toBe('established')
    const handshake = shakeHands(other, { sharedKey: 'own' })
    expect(() => handshake.data(other.received())).toThrow(
      "anonymous source host '192.0.2.8' denied",
    )
    expect(refused(running, 'anonymous_source')).toBe(1)
  })

  it('a name without an address keeps the source from starting', async () => {
    const host = createFakeHost()
    host.net.lookup = async () => {
      throw new Error('ENOTFOUND')
    }
    const params = { security: { ...security, client: [client({ host: 'nobody.example' })] } }
    await expect(startForward(params as never, host)).rejects.toThrow(
      "host 'nobody.example' cannot be resolved",
    )
    expect(host.net.listening()).toEqual([])
  })
})

describe('what cannot be configured', () => {
  it.each<[string, object, string]>([
    [
      'users asked for, and none named',
      { userAuth: true },
      '<user> sections required if user_auth enabled',
    ],
    [
      'no anonymous clients, and none named',
      { allowAnonymousSource: false },
      '<client> sections required if allow_anonymous_source disabled',
    ],
    [
      'host and network',
      { client: [client({ host: 'a', network: '10.0.0.0/8' })] },
      "both of 'host' and 'network' are specified for client",
    ],
    [
      'neither',
      { client: [client({})] },
      "Either of 'host' and 'network' must be specified for client",
    ],
    [
      'a network that is none',
      { client: [client({ network: '10.0.0.0/99' })] },
      "network '10.0.0.0/99' address format is invalid",
    ],
    ['an empty key', { sharedKey: '' }, 'a shared key must not be empty'],
    ['an empty second key', { additionalSharedKeys: [''] }, 'a shared key must not be empty'],
    [
      'an empty key of a client',
      { client: [client({ network: '10.0.0.0/8', sharedKey: '' })] },
      'a shared key must not be empty',
    ],
  ])('%s', (_name, of, expected) => {
    const make = () => settingsOf(paramsWith({ security: { ...security, ...of } } as never))
    expect(make).toThrow(ConfigError)
    expect(make).toThrow(expected)
  })
})

describe('messages that come again', () => {
  it.each([
    ['the same user: one copy', 'alice', 1],
    ['another user: two messages', 'bob', 2],
  ])('%s', async (_what, second, copies) => {
    const user = ['alice', 'bob'].map((username) => ({ username, password: 'p' }))
    const running = await start({ userAuth: true, user })
    for (const username of ['alice', second]) {
      const peer = running.client()
      const behind = message(1, { chunk: 'c' })
      const ping = new ClientHandshake(
        { selfHostname: 'h', sharedKey: 'k1', username, password: 'p' },
        Buffer.alloc(16, 7),
      ).data(peer.received())
      if (ping.kind !== 'send') throw new Error(ping.kind)
      peer.send(Buffer.concat([ping.bytes, behind]))
      expect(acksIn(peer)).toEqual(['c'])
    }
    expect(running.lines()).toHaveLength(copies)
  })
})

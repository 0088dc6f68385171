import { readFileSync } from 'node:fs'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { type MsgValue, RawString } from '../../../src/core/value.ts'
import {
  ServerHandshake,
  type ServerOutcome,
  type ServerSecurity,
} from '../../../src/forward/handshake-server.ts'
import { sha512Hex } from '../../../src/forward/handshake-wire.ts'
import { parseNetwork } from '../../../src/forward/ip-network.ts'
import { decode } from '../../../src/msgpack/decode.ts'
import { encode } from '../../../src/msgpack/encode.ts'

const nonce = Buffer.from('0123456789abcdef')
const authSalt = Buffer.from('SALTsaltSALTsalt')

const open: ServerSecurity = {
  selfHostname: 'server.example',
  sharedKeys: ['k1'],
  userAuth: false,
  allowAnonymousSource: true,
  users: [],
  clients: [],
}

function handshake(security: Partial<ServerSecurity> = {}, remoteAddress?: string) {
  return new ServerHandshake(
    { ...open, ...security },
    { remoteAddress, keepalive: true, nonce, authSalt },
  )
}

interface Said {
  key?: string
  username?: string
  password?: string
  hostname?: string
  salt?: Uint8Array | string
}

function pingOf(said: Said = {}): MsgValue[] {
  const { key = 'k1', username = '', password = '', hostname = 'client.example' } = said
  const salt = said.salt ?? 'salty'
  const digest = sha512Hex(salt, hostname, nonce, key)
  return [
    'PING',
    hostname,
    salt,
    digest,
    username,
    username === '' ? '' : sha512Hex(authSalt, username, password),
  ]
}

function answerTo(ping: MsgValue, security: Partial<ServerSecurity> = {}, from?: string) {
  return handshake(security, from).data(encode(ping))
}

/** `accepted`, or why not. */
function verdict(outcome: ServerOutcome): string {
  return outcome.kind === 'refused' ? outcome.reason : outcome.kind
}

describe('HELO', () => {
  it('has the nonce, the salt for users, and whether connections are kept', () => {
    expect(decode(handshake().helo)).toEqual([
      'HELO',
      new Map<string, unknown>([
        ['nonce', new Uint8Array(nonce)],
        ['auth', new Uint8Array(authSalt)],
        ['keepalive', true],
      ]),
    ])
    // Both as bin 8 of 16 bytes, as Fluentd 1.19 sends them.
    expect(Buffer.from(handshake().helo).toString('hex')).toContain('a56e6f6e6365c410')
  })
})

describe('PING', () => {
  it('is answered by a PONG that proves that we know the key too', () => {
    const outcome = answerTo(pingOf())
    if (outcome.kind !== 'accepted') throw new Error(verdict(outcome))
    expect(decode(outcome.pong)).toEqual([
      'PONG',
      true,
      '',
      'server.example',
      sha512Hex('salty', 'server.example', nonce, 'k1'),
    ])
  })

  it('refused: PONG says why, and nothing else', () => {
    const outcome = answerTo(pingOf({ key: 'other' }))
    if (outcome.kind !== 'refused') throw new Error(outcome.kind)
    expect(decode(outcome.pong)).toEqual(['PONG', false, 'shared_key mismatch', '', ''])
    expect(outcome).toMatchObject({ refusal: 'shared_key', hostname: 'client.example' })
  })

  const digest = sha512Hex('salty', 'client.example', nonce, 'k1')
  it.each<[string, MsgValue]>([
    ['nil', null],
    ['an integer', 71],
    ['a map', new Map()],
    ['nothing', []],
    ['five elements (CVE-2025-12969)', pingOf().slice(0, 5)],
    ['seven elements', [...pingOf(), '']],
    ['another word', ['PONG', ...pingOf().slice(1)]],
    ['a host name that is no text', ['PING', 1, 'salty', digest, '', '']],
    ['a salt that is no text', ['PING', 'client.example', null, digest, '', '']],
    ['a digest that is no text', ['PING', 'client.example', 'salty', ['x'], '', '']],
    ['a user that is no text', ['PING', 'client.example', 'salty', digest, true, '']],
    ['a password that is no text', ['PING', 'client.example', 'salty', digest, '', 0]],
    ['an event', ['tag', 1_700_000_000, new Map([['a', 1]])]],
    ['deep nesting', ['PING', [[[[[]]]]], '', '', '', '']],
  ])('invalid: %s', (_name, ping) => {
    expect(verdict(answerTo(ping))).toBe('invalid ping message')
  })

  it('invalid: a byte that MessagePack never uses, and what is longer than 4 KiB', () => {
    expect(verdict(handshake().data(Uint8Array.of(0x96, 0xc1)))).toBe('invalid ping message')
    const long = encode(['PING', 'x'.repeat(5000), '', '', '', ''])
    const one = handshake()
    expect(one.data(long.subarray(0, 4000)).kind).toBe('more')
    expect(one.keptBytes).toBe(4000)
    expect(verdict(one.data(long.subarray(4000, 4100)))).toBe('invalid ping message')
    // A declared length alone takes no memory and decides nothing before 4 KiB have come.
    expect(handshake().data(Uint8Array.of(0x96, 0xc6, 0xff, 0xff, 0xff, 0xff)).kind).toBe('more')
  })

  it.each([
    ['empty', ''],
    ['short', digest.slice(0, 127)],
    ['long', `${digest}0`],
    ['one digit wrong', digest.replace(/.$/, (last) => (last === '0' ? '1' : '0'))],
    ['upper case', digest.toUpperCase()],
    ['in other letters', 'é'.repeat(128)],
  ])('a digest that is %s', (_name, wrong) => {
    const ping = ['PING', 'client.example', 'salty', wrong, '', '']
    expect(verdict(answerTo(ping))).toBe('shared_key mismatch')
  })

  it('takes salts of any bytes, as str and as bin', () => {
    const salt = Buffer.from('ff00fe80c1c2c3', 'hex')
    const ping = pingOf({ salt })
    expect(verdict(answerTo(ping))).toBe('accepted')
    expect(verdict(answerTo([ping[0]!, ping[1]!, new RawString(salt), ...ping.slice(3)]))).toBe(
      'accepted',
    )
    const allBin = ping.map((part, i) => (i > 0 ? Buffer.from(part as string) : part))
    expect(verdict(answerTo(allBin))).toBe('accepted')
  })

  it('gives back what came behind it, however it was cut', () => {
    const bytes = Buffer.concat([encode(pingOf()), Buffer.from('rest')])
    for (let cut = 0; cut <= bytes.length; cut++) {
      const one = handshake()
      const first = cut === 0 ? { kind: 'more' as const } : one.data(bytes.subarray(0, cut))
      const outcome = first.kind === 'more' ? one.data(bytes.subarray(cut)) : first
      if (outcome.kind !== 'accepted') throw new Error(`cut at ${cut}: ${outcome.kind}`)
      const behind = first.kind === 'more' ? '' : bytes.subarray(cut).toString()
      expect(Buffer.from(outcome.rest).toString() + behind).toBe('rest')
    }
  })
})

describe('hostile bytes', () => {
  const element = fc.oneof(
    fc.string(),
    fc.uint8Array({ maxLength: 200 }),
    fc.integer(),
    fc.constantFrom<MsgValue>(null, true, 'PING', '', [], new Map()),
  )
  const bytes = fc.oneof(
    fc.uint8Array({ maxLength: 5000 }),
    fc.array(element, { maxLength: 8 }).map((values) => encode(values as MsgValue[])),
    fc
      .tuple(element, element, element, element, element)
      .map((values) => encode(['PING', ...(values as MsgValue[])])),
  )

  it('are never let in, however they are cut, and no more than 4 KiB of them are kept', () => {
    fc.assert(
      fc.property(bytes, fc.nat(5000), (hostile, cut) => {
        const one = handshake({ sharedKeys: ['k1'], userAuth: true })
        for (const piece of [hostile.subarray(0, cut), hostile.subarray(cut)]) {
          const outcome = one.data(piece)
          if (outcome.kind === 'accepted') throw new Error('let in')
          if (outcome.kind === 'refused') return
          expect(one.keptBytes).toBeLessThanOrEqual(4096)
        }
      }),
      { numRuns: 500 },
    )
  })
})

describe('keys', () => {
  it.each([
    ['the first', 'k1', 'accepted'],
    ['the second', 'k2', 'accepted'],
    ['none of them', 'k3', 'shared_key mismatch'],
    ['both', 'k1k2', 'shared_key mismatch'],
  ])('of several: %s', (_name, key, expected) => {
    const outcome = answerTo(pingOf({ key }), { sharedKeys: ['k1', 'k2'] })
    expect(verdict(outcome)).toBe(expected)
    if (outcome.kind !== 'accepted') return
    const digest = (decode(outcome.pong) as MsgValue[])[4]
    expect(digest).toBe(sha512Hex('salty', 'server.example', nonce, key))
  })
})

describe('users', () => {
  const users = [
    { username: 'alice', password: 'wonder' },
    { username: 'bob', password: 'old' },
    { username: 'bob', password: 'new' },
  ]
  it.each<[string, Said, string]>([
    ['right', { username: 'alice', password: 'wonder' }, 'accepted'],
    ['wrong password', { username: 'alice', password: 'x' }, 'username/password mismatch'],
    [
      'another one’s password',
      { username: 'alice', password: 'old' },
      'username/password mismatch',
    ],
    ['unknown', { username: 'nobody', password: '' }, 'username/password mismatch'],
    ['none', {}, 'username/password mismatch'],
    ['one of two passwords', { username: 'bob', password: 'new' }, 'accepted'],
    ['the other', { username: 'bob', password: 'old' }, 'accepted'],
    [
      'wrong key, right user',
      { key: 'x', username: 'alice', password: 'wonder' },
      'shared_key mismatch',
    ],
  ])('%s', (_name, said, expected) => {
    expect(verdict(answerTo(pingOf(said), { userAuth: true, users }))).toBe(expected)
  })

  it('are not looked at while user_auth is off', () => {
    expect(verdict(answerTo(pingOf({ username: 'nobody', password: 'x' }), { users }))).toBe(
      'accepted',
    )
  })
})

describe('clients', () => {
  const client = (network: string, sharedKeys: string[], users: string[] = []) => ({
    contains: (address: string) => parseNetwork(network)!.contains(address),
    sharedKeys,
    users,
  })
  const security: Partial<ServerSecurity> = {
    allowAnonymousSource: false,
    userAuth: true,
    users: [
      { username: 'u1', password: 'p1' },
      { username: 'u2', password: 'p2' },
    ],
    clients: [
      client('10.1.0.0/16', ['ten-one'], ['u2']),
      client('10.0.0.0/8', ['ten']),
      client('2001:db8::/32', ['six']),
    ],
  }
  const u1 = { username: 'u1', password: 'p1' }
  const u2 = { username: 'u2', password: 'p2' }
  it.each<[string, Said, string | undefined, string]>([
    ['own key', { key: 'ten', ...u1 }, '10.2.3.4', 'accepted'],
    ['the first that fits', { key: 'ten-one', ...u2 }, '10.1.3.4', 'accepted'],
    ['not the next', { key: 'ten', ...u2 }, '10.1.3.4', 'shared_key mismatch'],
    ['not its users', { key: 'ten-one', ...u1 }, '10.1.3.4', 'username/password mismatch'],
    ['not everybody’s key', { key: 'k1', ...u1 }, '10.2.3.4', 'shared_key mismatch'],
    ['IPv6', { key: 'six', ...u1 }, '2001:db8::7', 'accepted'],
    ['anonymous', { ...u1 }, '192.0.2.1', "anonymous source host '192.0.2.1' denied"],
    ['a unix socket', { ...u1 }, undefined, "anonymous source host '' denied"],
  ])('%s', (_name, said, from, expected) => {
    expect(verdict(answerTo(pingOf(said), security, from))).toBe(expected)
  })

  it('anonymous ones come with everybody’s key where they are allowed', () => {
    const allowed = { ...security, allowAnonymousSource: true }
    expect(verdict(answerTo(pingOf(u1), allowed, '192.0.2.1'))).toBe('accepted')
  })
})

describe('a real Fluent Bit 5.1.1', () => {
  const fromClient = (name: string) =>
    new Uint8Array(readFileSync(`test/captures/fluent-bit/${name}.c2s.bin`))
  const fromServer = (name: string) =>
    readFileSync(`test/captures/fluent-bit/${name}.s2c.bin`).toString('latin1')

  it.each<[string, string, Partial<ServerSecurity>, string]>([
    ['shared-key', 's3cr3t-key', {}, ''],
    ['shared-key-ack', 's3cr3t-key', {}, ''],
    ['shared-key-bin-helo', 's3cr3t-key', {}, ''],
    ['shared-key-empty', '', {}, ''],
    [
      'shared-key-user-ack',
      's3cr3t-key',
      { userAuth: true, users: [{ username: 'alice', password: 'wonder' }] },
      'SALTsaltSALTsalt',
    ],
  ])('%s is let in, with the PONG that it was given then', (name, key, security, salt) => {
    const one = new ServerHandshake(
      { ...open, ...security, sharedKeys: [key] },
      {
        remoteAddress: '127.0.0.1',
        keepalive: true,
        nonce,
        authSalt: Buffer.from(salt, 'latin1'),
      },
    )
    const outcome = one.data(fromClient(name))
    if (outcome.kind !== 'accepted') throw new Error(verdict(outcome))
    expect(fromServer(name)).toContain(Buffer.from(outcome.pong).toString('latin1'))
    expect(outcome.rest.byteLength).toBeGreaterThan(100)
  })

  it('shared-key-wrong is not', () => {
    const one = handshake({ sharedKeys: ['s3cr3t-key'] })
    expect(verdict(one.data(fromClient('shared-key-wrong')))).toBe('shared_key mismatch')
  })
})

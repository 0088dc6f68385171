import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import type { MsgValue } from '../../../src/core/value.ts'
import { ClientHandshake, type ClientSecurity } from '../../../src/forward/handshake-client.ts'
import { ServerHandshake } from '../../../src/forward/handshake-server.ts'
import { HandshakeError, sha512Hex } from '../../../src/forward/handshake-wire.ts'
import { decode } from '../../../src/msgpack/decode.ts'
import { encode } from '../../../src/msgpack/encode.ts'

const security: ClientSecurity = {
  selfHostname: 'client.example',
  sharedKey: 'k1',
  username: 'alice',
  password: 'wonder',
}
const salt = Buffer.from('00112233445566778899aabbccddeeff', 'hex')
const nonce = Buffer.from('0123456789abcdef')

const client = (of: Partial<ClientSecurity> = {}) =>
  new ClientHandshake({ ...security, ...of }, salt)

function helo(options: Record<string, MsgValue> = { nonce, auth: '', keepalive: true }) {
  return encode(['HELO', new Map(Object.entries(options))])
}

function pong(of: { hostname?: string; key?: string; parts?: MsgValue[] } = {}) {
  const { hostname = 'server.example', key = 'k1' } = of
  const digest = sha512Hex(salt.toString('hex'), hostname, nonce, key)
  return encode(of.parts ?? ['PONG', true, '', hostname, digest])
}

function pingTo(bytes: Uint8Array, of: Partial<ClientSecurity> = {}): MsgValue[] {
  const step = client(of).data(bytes)
  if (step.kind !== 'send') throw new Error(step.kind)
  return decode(step.bytes) as MsgValue[]
}

describe('PING', () => {
  it('proves that we know the key; nobody is named where no users are asked for', () => {
    const hex = salt.toString('hex')
    const digest = sha512Hex(hex, 'client.example', nonce, 'k1')
    expect(pingTo(helo())).toEqual(['PING', 'client.example', hex, digest, '', ''])
  })

  it('names the user where the server sends a salt for it', () => {
    const auth = Buffer.from('ffeeddcc', 'hex')
    const ping = pingTo(helo({ nonce, auth }))
    expect(ping.slice(4)).toEqual(['alice', sha512Hex(auth, 'alice', 'wonder')])
  })

  it.each<[string, MsgValue]>([
    ['an ack', new Map([['ack', 'x']])],
    ['another word', ['PONG', new Map()]],
    ['no options', ['HELO']],
    ['options that are no map', ['HELO', 'x']],
    ['a nonce that is no text', ['HELO', new Map<MsgValue, MsgValue>([['nonce', 5]])]],
    ['more elements', ['HELO', new Map(), 1]],
  ])('is not sent to %s', (_name, value) => {
    expect(() => client().data(encode(value))).toThrow('received invalid helo message')
  })

  it('is not sent where something stands behind HELO', () => {
    expect(() => client().data(Buffer.concat([helo(), pong()]))).toThrow(HandshakeError)
  })
})

describe('PONG', () => {
  function answered(bytes: Uint8Array, of: Partial<ClientSecurity> = {}) {
    const one = client(of)
    expect(one.waitsFor).toBe('HELO')
    one.data(helo())
    expect(one.waitsFor).toBe('PONG')
    return () => one.data(bytes)
  }

  it('right: the connection is established', () => {
    const step = answered(Buffer.concat([pong(), Buffer.from('x')]))()
    expect(step).toMatchObject({ kind: 'established', keepalive: true })
    expect(step.kind === 'established' && Buffer.from(step.rest).toString()).toBe('x')
  })

  it.each<[string, Uint8Array, string]>([
    [
      'refused',
      pong({ parts: ['PONG', false, 'shared_key mismatch', '', ''] }),
      'authentication failed: shared_key mismatch',
    ],
    [
      'refused in words that would forge a log line',
      pong({ parts: ['PONG', false, 'no\n[error]', '', ''] }),
      'authentication failed: no [error]',
    ],
    [
      'accepted by something that is not true',
      pong({ parts: ['PONG', 1, '', 's', 'd'] }),
      'failed',
    ],
    ['of another server', pong({ key: 'k2' }), 'shared key mismatch'],
    ['of no digest', pong({ parts: ['PONG', true, '', 's', ''] }), 'shared key mismatch'],
    ['too short', pong({ parts: ['PONG', true, '', 's'] }), 'invalid format for PONG message'],
    ['of wrong types', pong({ parts: ['PONG', true, '', 1, 2] }), 'invalid format'],
    ['our own name', pong({ hostname: 'client.example' }), 'same hostname'],
    ['malformed', Uint8Array.of(0xc1), '0xc1'],
    [
      'endless',
      Buffer.concat([Uint8Array.of(0x95, 0xdb, 0, 0, 0x20, 0), Buffer.alloc(5000)]),
      '4096',
    ],
  ])('%s: the connection must end', (_name, bytes, message) => {
    expect(answered(bytes)).toThrow(HandshakeError)
    expect(answered(bytes)).toThrow(message)
  })

  it('says with HELO that the connection is for one message only', () => {
    const one = client()
    one.data(helo({ nonce, auth: '', keepalive: false }))
    expect(one.data(pong())).toMatchObject({ kind: 'established', keepalive: false })
  })

  it('comes in pieces', () => {
    const one = client()
    for (const byte of helo().subarray(0, -1))
      expect(one.data(Uint8Array.of(byte)).kind).toBe('more')
    expect(one.data(helo().subarray(-1)).kind).toBe('send')
    for (const byte of pong().subarray(0, -1))
      expect(one.data(Uint8Array.of(byte)).kind).toBe('more')
    expect(one.data(pong().subarray(-1)).kind).toBe('established')
  })
})

describe('both sides together', () => {
  it('agree', () => {
    const server = new ServerHandshake(
      {
        selfHostname: 'server.example',
        sharedKeys: ['old', 'k1'],
        userAuth: true,
        allowAnonymousSource: true,
        users: [{ username: 'alice', password: 'wonder' }],
        clients: [],
      },
      { remoteAddress: '192.0.2.1', keepalive: false, nonce, authSalt: salt },
    )
    const one = client()
    const ping = one.data(server.helo)
    const answer = server.data(ping.kind === 'send' ? ping.bytes : new Uint8Array(0))
    if (answer.kind !== 'accepted') throw new Error(answer.kind)
    expect(one.data(answer.pong)).toMatchObject({ kind: 'established', keepalive: false })
  })

  it('a capture: the server that Fluent Bit talked to is believed by a client with its salt', () => {
    // The salt that Fluent Bit sent is 16 raw bytes; ours is sent in hex, so only HELO and the reading of PONG are compared.
    const bytes = new Uint8Array(
      readFileSync('test/captures/fluent-bit/shared-key-user-ack.s2c.bin'),
    )
    const heloEnd = Buffer.from(bytes).indexOf(Buffer.from('95a4504f4e47', 'hex'))
    const one = client({ sharedKey: 's3cr3t-key' })
    expect(one.data(bytes.subarray(0, heloEnd)).kind).toBe('send')
    expect(() => one.data(bytes.subarray(heloEnd))).toThrow('shared key mismatch')
  })
})

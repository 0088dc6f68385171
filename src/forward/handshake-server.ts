import type { MsgValue } from '../core/value.ts'
import { encode } from '../msgpack/encode.ts'
import { bytesOf, HandshakeError, OneMessage, sameDigest, sha512Hex } from './handshake-wire.ts'

/**
 * The receiver's side of the handshake (FORWARD, "Handshake"), without I/O:
 *
 *   → HELO {nonce, auth, keepalive}   ← PING hostname, salt, digest, user, password digest   → PONG
 *
 * Fails closed: whatever is not exactly right is answered by PONG false, and the connection must
 * end.
 */

export interface SecurityUser {
  readonly username: string
  readonly password: string
}

/** A <client>: whoever comes from these addresses. */
export interface SecurityClient {
  contains(address: string): boolean
  /** One at least. Any of them is right. */
  readonly sharedKeys: readonly string[]
  /** Names of the users that may come from there; empty: all. */
  readonly users: readonly string[]
}

export interface ServerSecurity {
  readonly selfHostname: string
  /**
   * One at least. Any of them is right, so that keys can be changed without a client being refused.
   */
  readonly sharedKeys: readonly string[]
  readonly userAuth: boolean
  readonly allowAnonymousSource: boolean
  readonly users: readonly SecurityUser[]
  /** The first that contains the address counts. */
  readonly clients: readonly SecurityClient[]
}

/** Why a client was refused: values of a metric's label. */
export type HandshakeRefusal = 'invalid_ping' | 'anonymous_source' | 'shared_key' | 'user'

export type ServerOutcome =
  | { readonly kind: 'more' }
  | {
      readonly kind: 'accepted'
      readonly pong: Uint8Array
      readonly rest: Uint8Array
      /** Which client it is, by its host's name and its user: not what the text means, but whether it is the same. */
      readonly client: string
    }
  | {
      readonly kind: 'refused'
      readonly pong: Uint8Array
      readonly refusal: HandshakeRefusal
      /** Fluentd's words, as PONG says them. */
      readonly reason: string
      /** What the client calls itself, where it said so. Not to be trusted. */
      readonly hostname: string | undefined
    }

/** Bytes of a nonce and of a salt. */
export const saltBytes = 16

/** Kept of what a client calls itself. */
const clientChars = 256

interface Ping {
  readonly hostname: Uint8Array
  readonly salt: Uint8Array
  readonly keyDigest: Uint8Array
  readonly username: Uint8Array
  readonly passwordDigest: Uint8Array
}

class Refused extends Error {
  readonly refusal: HandshakeRefusal
  constructor(refusal: HandshakeRefusal, reason: string) {
    super(reason)
    this.refusal = refusal
  }
}

export class ServerHandshake {
  /** To be sent first. */
  readonly helo: Uint8Array
  readonly #security: ServerSecurity
  readonly #remoteAddress: string | undefined
  readonly #nonce: Uint8Array
  readonly #authSalt: Uint8Array
  readonly #message = new OneMessage()

  constructor(
    security: ServerSecurity,
    connection: {
      readonly remoteAddress: string | undefined
      /** HELO's word on whether the connection may be used for more than one message. */
      readonly keepalive: boolean
      /** Fresh random bytes, `saltBytes` of each. */
      readonly nonce: Uint8Array
      readonly authSalt: Uint8Array
    },
  ) {
    this.#security = security
    this.#remoteAddress = connection.remoteAddress
    this.#nonce = connection.nonce
    this.#authSalt = connection.authSalt
    const options = new Map<MsgValue, MsgValue>([
      ['nonce', connection.nonce],
      ['auth', connection.authSalt],
      ['keepalive', connection.keepalive],
    ])
    this.helo = encode(['HELO', options])
  }

  /** Bytes kept of an unfinished PING. */
  get keptBytes(): number {
    return this.#message.keptBytes
  }

  /** `bytes` are borrowed. Not to be called again after another outcome than `more`. */
  data(bytes: Uint8Array): ServerOutcome {
    let ping: Ping | undefined
    try {
      const taken = this.#take(bytes)
      if (taken === undefined) return { kind: 'more' }
      ping = pingOf(taken.value)
      const key = this.#check(ping)
      const client = `${latin1(ping.hostname)} ${latin1(ping.username)}`.slice(0, clientChars)
      return { kind: 'accepted', pong: this.#pong(ping, key), rest: taken.rest, client }
    } catch (error) {
      if (!(error instanceof Refused)) throw error
      return {
        kind: 'refused',
        pong: encode(['PONG', false, error.message, '', '']),
        refusal: error.refusal,
        reason: error.message,
        hostname: ping === undefined ? undefined : Buffer.from(ping.hostname).toString('utf8'),
      }
    }
  }

  #take(bytes: Uint8Array): ReturnType<OneMessage['take']> {
    try {
      return this.#message.take(bytes)
    } catch (error) {
      if (!(error instanceof HandshakeError)) throw error
      throw invalidPing()
    }
  }

  /** The shared key that the client has. Throws Refused. */
  #check(ping: Ping): string {
    const { allowAnonymousSource, clients, sharedKeys, userAuth } = this.#security
    const address = this.#remoteAddress
    const client =
      address === undefined ? undefined : clients.find((known) => known.contains(address))
    if (client === undefined && !allowAnonymousSource) {
      throw new Refused('anonymous_source', `anonymous source host '${address ?? ''}' denied`)
    }
    let right: string | undefined
    // All keys are tried, also behind the right one: how long it takes says nothing.
    for (const key of client?.sharedKeys ?? sharedKeys) {
      const expected = sha512Hex(ping.salt, ping.hostname, this.#nonce, key)
      if (sameDigest(ping.keyDigest, expected)) right = key
    }
    if (right === undefined) throw new Refused('shared_key', 'shared_key mismatch')
    if (userAuth && !this.#knowsUser(ping, client)) {
      throw new Refused('user', 'username/password mismatch')
    }
    return right
  }

  /** A name may stand more than once, with passwords of which any is right. */
  #knowsUser(ping: Ping, client: SecurityClient | undefined): boolean {
    const named = this.#security.users.filter(
      ({ username }) =>
        Buffer.from(username, 'utf8').equals(ping.username) &&
        (client === undefined || client.users.length === 0 || client.users.includes(username)),
    )
    let known = false
    for (const { password } of named) {
      const expected = sha512Hex(this.#authSalt, ping.username, password)
      if (sameDigest(ping.passwordDigest, expected)) known = true
    }
    // For a user that is not there the same work is done: the time it takes tells no names.
    if (named.length === 0) {
      sameDigest(ping.passwordDigest, sha512Hex(this.#authSalt, ping.username, ''))
    }
    return known
  }

  #pong(ping: Ping, key: string): Uint8Array {
    const { selfHostname } = this.#security
    return encode([
      'PONG',
      true,
      '',
      selfHostname,
      sha512Hex(ping.salt, selfHostname, this.#nonce, key),
    ])
  }
}

function latin1(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('latin1')
}

function invalidPing(): Refused {
  return new Refused('invalid_ping', 'invalid ping message')
}

/** Exactly six elements, each a str or bin. Throws Refused. */
function pingOf(value: MsgValue): Ping {
  if (!Array.isArray(value) || value.length !== 6 || value[0] !== 'PING') throw invalidPing()
  const [hostname, salt, keyDigest, username, passwordDigest] = value.slice(1).map(bytesOf)
  if (
    hostname === undefined ||
    salt === undefined ||
    keyDigest === undefined ||
    username === undefined ||
    passwordDigest === undefined
  ) {
    throw invalidPing()
  }
  return { hostname, salt, keyDigest, username, passwordDigest }
}

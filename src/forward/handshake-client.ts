import type { MsgValue } from '../core/value.ts'
import { encode } from '../msgpack/encode.ts'
import { bytesOf, HandshakeError, OneMessage, sameDigest, sha512Hex } from './handshake-wire.ts'

/**
 * The sender's side of the handshake (FORWARD, "Handshake"), without I/O: waits for HELO, sends
 * PING, checks PONG.
 */

export interface ClientSecurity {
  readonly selfHostname: string
  readonly sharedKey: string
  readonly username: string
  readonly password: string
}

export type ClientStep =
  | { readonly kind: 'more' }
  /** PING: to be sent. */
  | { readonly kind: 'send'; readonly bytes: Uint8Array }
  | {
      readonly kind: 'established'
      /** What came behind PONG: a view. */
      readonly rest: Uint8Array
      /** false: the receiver ends the connection after the first message (deny_keepalive). */
      readonly keepalive: boolean
    }

export class ClientHandshake {
  readonly #security: ClientSecurity
  /** Hex digits, as Fluentd's salt: there are receivers that do not take other bytes in a str. */
  readonly #salt: string
  readonly #message = new OneMessage()
  #nonce: Uint8Array | undefined
  #keepalive = true

  /** `salt`: fresh random bytes, 16 of them. */
  constructor(security: ClientSecurity, salt: Uint8Array) {
    this.#security = security
    this.#salt = Buffer.from(salt).toString('hex')
  }

  /** What the handshake waits for. */
  get waitsFor(): 'HELO' | 'PONG' {
    return this.#nonce === undefined ? 'HELO' : 'PONG'
  }

  /**
   * `bytes` are borrowed. Throws HandshakeError: the connection must end, and nothing may be sent
   * on it.
   */
  data(bytes: Uint8Array): ClientStep {
    const taken = this.#message.take(bytes)
    if (taken === undefined) return { kind: 'more' }
    if (this.#nonce !== undefined) {
      this.#checkPong(taken.value, this.#nonce)
      return { kind: 'established', rest: taken.rest, keepalive: this.#keepalive }
    }
    // Nobody answers before he is asked.
    if (taken.rest.byteLength > 0) throw new HandshakeError('bytes behind HELO')
    return { kind: 'send', bytes: this.#ping(taken.value) }
  }

  #ping(helo: MsgValue): Uint8Array {
    if (!Array.isArray(helo) || helo.length !== 2 || helo[0] !== 'HELO') {
      throw new HandshakeError('received invalid helo message')
    }
    const options = helo[1] ?? new Map<MsgValue, MsgValue>()
    if (!(options instanceof Map)) throw new HandshakeError('received invalid helo message')
    const nonce = bytesOf(options.get('nonce') ?? '')
    const authSalt = bytesOf(options.get('auth') ?? '')
    if (nonce === undefined || authSalt === undefined) {
      throw new HandshakeError('received invalid helo message')
    }
    this.#nonce = nonce
    this.#keepalive = options.get('keepalive') !== false
    const { selfHostname, sharedKey, username, password } = this.#security
    const wantsUser = authSalt.byteLength > 0
    return encode([
      'PING',
      selfHostname,
      this.#salt,
      sha512Hex(this.#salt, selfHostname, nonce, sharedKey),
      wantsUser ? username : '',
      wantsUser ? sha512Hex(authSalt, username, password) : '',
    ])
  }

  #checkPong(pong: MsgValue, nonce: Uint8Array): void {
    if (!Array.isArray(pong) || pong.length !== 5 || pong[0] !== 'PONG') {
      throw new HandshakeError('invalid format for PONG message')
    }
    const [, accepted, reason, hostnameValue, digestValue] = pong
    if (accepted !== true) {
      const said = Buffer.from(bytesOf(reason) ?? []).toString('utf8')
      throw new HandshakeError(`authentication failed: ${said.replace(/\p{Cc}/gu, ' ')}`)
    }
    const hostname = bytesOf(hostnameValue)
    const digest = bytesOf(digestValue)
    if (hostname === undefined || digest === undefined) {
      throw new HandshakeError('invalid format for PONG message')
    }
    const { selfHostname, sharedKey } = this.#security
    // Else whoever sends our own PING back to us would be taken for one who knows the key.
    if (Buffer.from(selfHostname, 'utf8').equals(hostname)) {
      throw new HandshakeError(
        'same hostname between input and output: invalid configuration of self_hostname',
      )
    }
    if (!sameDigest(digest, sha512Hex(this.#salt, hostname, nonce, sharedKey))) {
      throw new HandshakeError('shared key mismatch')
    }
  }
}

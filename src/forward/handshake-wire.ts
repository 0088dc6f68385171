import { createHash, timingSafeEqual } from 'node:crypto'
import { type MsgValue, RawString } from '../core/value.ts'
import { Reader } from '../msgpack/decode.ts'
import { MsgpackError, skipValue } from '../msgpack/walk.ts'

/**
 * What both sides of the handshake (FORWARD, "Handshake") need: reading one small message, and its
 * digests.
 */

/** Bytes of the longest HELO, PING or PONG; real ones have a few hundred. */
export const handshakeLimitBytes = 4096

/** An array that holds scalars, or (HELO) a map of them; a little more for what may be added. */
const handshakeDepth = 4

/** What came is no message of the handshake. */
export class HandshakeError extends Error {
  override readonly name = 'HandshakeError'
}

/**
 * Reads one MessagePack value of at most `limitBytes`, however its bytes were cut. What stands
 * behind it is `rest`: it belongs to whoever goes on with the connection.
 */
export class OneMessage {
  readonly #limitBytes: number
  readonly #depth: number
  #kept: Uint8Array = new Uint8Array(0)

  constructor(limitBytes = handshakeLimitBytes, depth = handshakeDepth) {
    this.#limitBytes = limitBytes
    this.#depth = depth
  }

  /** Bytes of the unfinished message. */
  get keptBytes(): number {
    return this.#kept.byteLength
  }

  /**
   * `bytes` are borrowed, and `rest` is a view of them or of a copy. undefined: more are wanted.
   * Throws HandshakeError for what is no MessagePack, too long or too deep. After a value it starts
   * over.
   */
  take(bytes: Uint8Array): { value: MsgValue; rest: Uint8Array } | undefined {
    const joined = this.#kept.byteLength === 0 ? bytes : Buffer.concat([this.#kept, bytes])
    const end = this.#endOf(joined)
    if (end === undefined) {
      this.#kept = new Uint8Array(joined)
      return undefined
    }
    this.#kept = new Uint8Array(0)
    return { value: new Reader(joined, 0, end).value(), rest: joined.subarray(end) }
  }

  #endOf(joined: Uint8Array): number | undefined {
    const within = Math.min(joined.byteLength, this.#limitBytes)
    if (within === 0) return undefined
    try {
      return skipValue(joined, 0, within, this.#depth)
    } catch (error) {
      if (!(error instanceof MsgpackError)) throw error
      if (error.code !== 'truncated') throw new HandshakeError(error.message, { cause: error })
      if (joined.byteLength < this.#limitBytes) return undefined
      throw new HandshakeError(`a message of more than ${this.#limitBytes} bytes`)
    }
  }
}

/** The bytes of a str or bin, whether they are UTF-8 or not; undefined for any other type. */
export function bytesOf(value: MsgValue | undefined): Uint8Array | undefined {
  if (typeof value === 'string') return Buffer.from(value, 'utf8')
  if (value instanceof RawString) return value.bytes
  return value instanceof Uint8Array ? value : undefined
}

/** SHA-512 over the parts end to end, as 128 hex digits. Texts count by their UTF-8 bytes. */
export function sha512Hex(...parts: readonly (Uint8Array | string)[]): string {
  const hash = createHash('sha512')
  for (const part of parts) hash.update(part)
  return hash.digest('hex')
}

/** Compares without telling, by its time, how much of `given` is right. */
export function sameDigest(given: Uint8Array, expectedHex: string): boolean {
  const expected = Buffer.from(expectedHex, 'latin1')
  return given.byteLength === expected.byteLength && timingSafeEqual(given, expected)
}

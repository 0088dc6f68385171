import { foreignSampleBytes } from './limits.ts'

/**
 * What speaks on a connection, by its first bytes. `unknown`: more of them are wanted. No forward
 * message starts with a byte below 0x80 (those are integers), so text shows at once.
 */
export type Protocol = 'msgpack' | 'json' | 'http' | 'tls' | 'text' | 'unknown'

const methods = /^(GET|HEAD|POST|PUT|DELETE|OPTIONS|PATCH|TRACE|CONNECT|PRI) /

/**
 * `ended`: no more bytes will come. The answer depends on the bytes alone, however they were cut.
 */
export function protocolOf(start: Uint8Array, ended: boolean): Protocol {
  const first = start[0]
  if (first === undefined) return 'unknown'
  if (first === 0x7b || first === 0x5b) return 'json'
  if (first === 0x16) {
    // A TLS record of the kind "handshake" has its version next, 3.x. Alone, 0x16 is the integer
    // 22.
    if (start.byteLength === 1) return ended ? 'msgpack' : 'unknown'
    return start[1] === 3 ? 'tls' : 'msgpack'
  }
  const isText = (first >= 0x20 && first < 0x7f) || first === 0x0a || first === 0x0d || first === 9
  if (!isText) return 'msgpack'
  if (start.byteLength < foreignSampleBytes && !ended) return 'unknown'
  return methods.test(Buffer.from(start.subarray(0, foreignSampleBytes)).toString('latin1'))
    ? 'http'
    : 'text'
}

/** What to tell the administrator, as a sentence behind "closed a connection:". */
export const foreignAdvice: Readonly<Record<'http' | 'tls' | 'text', string>> = {
  http: 'HTTP came in on the port of the forward protocol',
  tls: 'a TLS client came in on a port without TLS',
  text: 'plain text came in on the port of the forward protocol',
}

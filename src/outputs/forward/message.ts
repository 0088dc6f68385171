import { hasCodec } from '../../buffer/index.ts'
import { PermanentError } from '../../core/errors.ts'
import type { MsgValue } from '../../core/value.ts'
import { Encoder } from '../../msgpack/encode.ts'

export type Compress = 'text' | 'gzip' | 'zstd'

/** A chunk as it goes over the wire: `[tag, entries, option]`, in pieces that are not joined. */
export interface Message {
  readonly pieces: readonly Uint8Array[]
  /** option.chunk, which the ack repeats; undefined: no ack is asked for. */
  readonly chunk: string | undefined
}

const largestMessageBytes = 0xffff_ffff

/**
 * PackedForward as Fluentd sends it: the entries are a str with a length of 32 bits whatever their
 * size, and the chunk's id is base64 with a line end behind it. Throws PermanentError for what does
 * not fit.
 */
export function messageOf(
  entries: readonly Uint8Array[],
  of: {
    readonly tag: string
    readonly count: number
    readonly compress: Compress
    /** 32 hex digits; undefined: no ack. */
    readonly id: string | undefined
  },
): Message {
  const bytes = entries.reduce((sum, piece) => sum + piece.byteLength, 0)
  if (bytes > largestMessageBytes) {
    throw new PermanentError('chunk_too_large', `a chunk of ${bytes} bytes cannot be forwarded`)
  }
  const head = new Encoder(64)
  head.arrayHeader(3)
  head.string(of.tag)
  head.raw(Uint8Array.of(0xdb, bytes >>> 24, bytes >>> 16, bytes >>> 8, bytes))
  const option = new Map<MsgValue, MsgValue>([
    ['size', of.count],
    ['compressed', of.compress],
  ])
  const chunk =
    of.id === undefined ? undefined : `${Buffer.from(of.id, 'hex').toString('base64')}\n`
  if (chunk !== undefined) option.set('chunk', chunk)
  const tail = new Encoder(64)
  tail.value(option)
  return { pieces: [head.copy(), ...entries, tail.copy()], chunk }
}

/** Whether this Node.js can compress so. */
export function canCompress(compress: Compress): boolean {
  return compress === 'text' || hasCodec(compress)
}

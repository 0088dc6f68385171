import * as zlib from 'node:zlib'
import type { Logger } from '../core/log.ts'
import { type Engine, throughEngine } from './zlib-engine.ts'

export type Codec = 'gzip' | 'zstd'

/** Node has zstd from 22.15 and 23.8 on; older types do not know it. */
const { zstdCompressSync: zstdSync } = zlib as {
  zstdCompressSync?: (bytes: Uint8Array) => Uint8Array
}
const createZstd = (zlib as { createZstdCompress?: () => Engine }).createZstdCompress

export function hasCodec(codec: Codec): boolean {
  return codec === 'gzip' || createZstd !== undefined
}

/** What parameter `compress` of <buffer> comes to; undefined: nothing is compressed. */
export function codecOf(compress: 'text' | Codec): Codec | undefined {
  return compress !== 'text' && hasCodec(compress) ? compress : undefined
}

/** Says that chunks are not compressed although `compress` of <buffer> is written. */
export function sayUncompressed(log: Logger, compress: 'text' | Codec): void {
  if (compress === 'text' || hasCodec(compress)) return
  const message = 'chunks are kept uncompressed while they wait: zstd needs Node.js 22.15 or later'
  log.info(message, { compress })
}

/**
 * Of logs, level 3 makes a few percent more than zlib's usual 6, in half the time.
 */
const gzipOptions: zlib.ZlibOptions = { level: 3, chunkSize: 128 * 1024 }

/** What is so small is compressed at once: that takes less than handing it to another thread. */
export const atOnceBytes = 32 * 1024

/** One gzip member or zstd frame of a few bytes. */
export function compressAtOnce(bytes: Uint8Array, codec: Codec): Uint8Array {
  if (codec === 'gzip') return zlib.gzipSync(bytes, gzipOptions)
  if (zstdSync === undefined) throw new Error('bug: this Node.js has no zstd')
  return zstdSync(bytes)
}

/** One gzip member or zstd frame of all pieces, made off the event loop's thread. */
export async function compressPieces(
  pieces: AsyncIterable<Uint8Array> | Iterable<Uint8Array>,
  codec: Codec,
): Promise<readonly Uint8Array[]> {
  const made: Uint8Array[] = []
  for await (const piece of compressStream(pieces, codec)) made.push(piece)
  return made
}

/** The same, of pieces that come one by one. Rejects as they do. */
export function compressStream(
  pieces: AsyncIterable<Uint8Array> | Iterable<Uint8Array>,
  codec: Codec,
): AsyncGenerator<Uint8Array, void, void> {
  const engine = codec === 'gzip' ? zlib.createGzip(gzipOptions) : zstdStream()
  return throughEngine(engine, pieces)
}

function zstdStream(): Engine {
  if (createZstd === undefined) throw new Error('bug: this Node.js has no zstd')
  return createZstd()
}

import type { Transform } from 'node:stream'
import * as zlib from 'node:zlib'

export type Codec = 'gzip' | 'zstd'

/** Node has zstd from 22.15 and 23.8 on; older types do not know it. */
const createZstd = (zlib as { createZstdCompress?: () => Transform }).createZstdCompress

export function hasCodec(codec: Codec): boolean {
  return codec === 'gzip' || createZstd !== undefined
}

/**
 * Of logs, level 3 makes a few percent more than zlib's usual 6, in half the time.
 */
const gzipOptions: zlib.ZlibOptions = { level: 3, chunkSize: 128 * 1024 }

/** One gzip member or zstd frame of all pieces, made off the event loop's thread. */
export async function compressPieces(
  pieces: readonly Uint8Array[],
  codec: Codec,
): Promise<readonly Uint8Array[]> {
  const stream: Transform = codec === 'gzip' ? zlib.createGzip(gzipOptions) : zstdStream()
  const made: Uint8Array[] = []
  const done = new Promise<void>((resolve, reject) => {
    stream.on('data', (bytes: Uint8Array) => made.push(bytes))
    stream.on('end', resolve)
    stream.on('error', reject)
  })
  for (const piece of pieces) {
    if (!stream.write(piece)) await new Promise((resolve) => stream.once('drain', resolve))
  }
  stream.end()
  await done
  return made
}

function zstdStream(): Transform {
  if (createZstd === undefined) throw new Error('bug: this Node.js has no zstd')
  return createZstd()
}

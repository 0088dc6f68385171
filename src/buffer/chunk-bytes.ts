import type { Chunk } from '../core/output.ts'
import { type Codec, compressPieces, compressStream } from './compress.ts'

/** All at once, or piece by piece: each valid until the next is asked for, and only once. */
export type ChunkBytes = readonly Uint8Array[] | AsyncIterable<Uint8Array>

/** Larger chunks are not read into memory, where that can be avoided: several of 256 MB may be on their way. */
export const streamFromBytes = 4 * 1024 * 1024

/** Rejects as the chunk's `read` does; what is streamed rejects on the way. */
export async function bytesOf(chunk: Chunk): Promise<ChunkBytes> {
  if (chunk.stream === undefined || chunk.sizeBytes < streamFromBytes) return await chunk.read()
  return chunk.stream()
}

/** One gzip member or zstd frame of them. */
export async function compressed(bytes: ChunkBytes, codec: Codec): Promise<ChunkBytes> {
  return isWhole(bytes) ? await compressPieces(bytes, codec) : compressStream(bytes, codec)
}

export function isWhole(bytes: ChunkBytes): bytes is readonly Uint8Array[] {
  return Array.isArray(bytes)
}

/** Pieces that stay as they are, for whoever keeps them longer. */
export async function* ownPieces(bytes: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  for await (const piece of bytes) yield Buffer.from(piece)
}

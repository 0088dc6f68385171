import { PermanentError } from '../core/errors.ts'
import type { Disk, FileHandle } from '../core/host.ts'
import type { Codec } from './compress.ts'
import { DecodeError, decodeExtent } from './decode.ts'

/** Bytes [start, end) of a chunk file. */
export interface Extent {
  readonly start: number
  readonly end: number
}

/** Bytes read at a time. */
const readBytes = 256 * 1024

/**
 * The extents of a chunk file, in pieces that are read into what `blockOf` gives. Throws PermanentError where the file
 * is not what it was: trying again would not help.
 */
export async function* readExtents(
  disk: Disk,
  of: {
    readonly path: string
    readonly extents: readonly Extent[]
    /** Of a compressed file: what comes out of its extents is given. */
    readonly codec?: Codec | undefined
  },
  blockOf: (bytes: number) => Uint8Array,
): AsyncGenerator<Uint8Array> {
  const file = await openChunk(disk, of.path)
  try {
    for (const extent of of.extents) {
      if (of.codec === undefined) yield* readPlain(file, extent, of.path, blockOf)
      else yield* decode(file, extent, of.path, of.codec)
    }
  } finally {
    await file.close()
  }
}

async function* readPlain(
  file: FileHandle,
  { start, end }: Extent,
  path: string,
  blockOf: (bytes: number) => Uint8Array,
): AsyncGenerator<Uint8Array> {
  for (let at = start; at < end; ) {
    const block = blockOf(Math.min(readBytes, end - at))
    const read = await file.read(block, at)
    if (read === 0) throw gone(path, 'it is shorter than it was')
    yield block.subarray(0, read)
    at += read
  }
}

/** Its pieces are nobody else's. */
async function* decode(
  file: FileHandle,
  extent: Extent,
  path: string,
  codec: Codec,
): AsyncGenerator<Uint8Array> {
  try {
    yield* decodeExtent(file, codec, extent)
  } catch (error) {
    if (!(error instanceof DecodeError)) throw error
    throw gone(path, `it cannot be decompressed any more: ${error.message}`)
  }
}

async function openChunk(disk: Disk, path: string): Promise<FileHandle> {
  try {
    return await disk.open(path, { read: true, noFollow: true })
  } catch (error) {
    if ((error as { code?: string }).code !== 'ENOENT') throw error
    throw gone(path, 'it is not there any more')
  }
}

function gone(path: string, why: string): PermanentError {
  return new PermanentError('chunk_gone', `the chunk file ${path}: ${why}`)
}

/** Room for pieces that are kept, all of them. */
export const ownBlocks = (bytes: number): Uint8Array => Buffer.allocUnsafeSlow(bytes)

/** Room for one piece at a time. */
export function oneBlock(): (bytes: number) => Uint8Array {
  let block: Uint8Array | undefined
  return (bytes) => {
    block ??= Buffer.allocUnsafeSlow(Math.max(bytes, 1))
    if (block.byteLength < bytes) block = Buffer.allocUnsafeSlow(bytes)
    return block.subarray(0, bytes)
  }
}

import { posix } from 'node:path'
import { crc32 } from 'node:zlib'
import type { FileHandle } from '../core/host.ts'
import { atOnceBytes, type Codec, compressAtOnce, compressStream } from './compress.ts'
import type { FileStoreShared } from './file-store.ts'
import { metaSuffix } from './file-store-names.ts'
import { type Extent, oneBlock, readExtents } from './file-store-read.ts'
import { encodeRecord, encodeSumsHead, sumsSeed } from './file-store-sums.ts'
import type { EncodedMeta } from './meta.ts'

/** Of files that are not finished: `.<name of the chunk>.new`. */
const unfinishedSuffix = '.new'

/** The name of the chunk whose compressed file was not finished; undefined: another file. */
export function unfinishedChunk(name: string): string | undefined {
  return name.startsWith('.') && name.endsWith(unfinishedSuffix)
    ? name.slice(1, -unfinishedSuffix.length)
    : undefined
}

/**
 * Writes a queued chunk's files beside its staged ones, compressed. Resolves to what is in them; undefined where it would not
 * get smaller: then nothing is there. Rejects as the disk does, and the staged files are as they were.
 */
export async function writeCompressed(
  shared: Pick<FileStoreShared, 'disk' | 'fileMode' | 'fsync'>,
  of: {
    readonly id: string
    readonly codec: Codec
    /** The staged chunk, what of it is good, how much that is, and where it is to go. */
    readonly from: string
    readonly extents: readonly Extent[]
    readonly plainBytes: number
    readonly to: string
    readonly events: number
    readonly meta: EncodedMeta
  },
): Promise<{ readonly bytes: number; readonly sumsAt: number } | undefined> {
  const { disk } = shared
  const unfinished = posix.join(
    posix.dirname(of.to),
    `.${posix.basename(of.to)}${unfinishedSuffix}`,
  )
  const unfinishedMeta = unfinished + metaSuffix
  const there: string[] = []
  const write = async (path: string, pieces: AsyncIterable<Uint8Array>): Promise<void> => {
    there.push(path)
    await writeFile(shared, path, pieces)
  }
  try {
    let bytes = 0
    let crc = 0
    const plain = readExtents(disk, { path: of.from, extents: of.extents }, oneBlock())
    const made =
      of.plainBytes > atOnceBytes ? compressStream(plain, of.codec) : atOnce(plain, of.codec)
    const counted = each(made, (piece) => {
      bytes += piece.byteLength
      crc = crc32(piece, crc)
    })
    await write(unfinished, counted)
    if (bytes >= of.plainBytes) {
      await disk.unlink(unfinished)
      return undefined
    }
    const { bytes: map, countAt, modifiedAt } = of.meta
    const head = Buffer.concat([map, encodeSumsHead(map, [countAt, modifiedAt])])
    const { events } = of
    const record = { start: 0, end: bytes, events, total: events, crc }
    await write(unfinishedMeta, once([head, encodeRecord(record, sumsSeed(of.id))]))
    // The chunk last: where it stands, it is whole, and takes the staged one's place.
    await disk.rename(unfinishedMeta, of.to + metaSuffix)
    there.push(of.to + metaSuffix)
    await disk.rename(unfinished, of.to)
    return { bytes, sumsAt: head.byteLength }
  } catch (error) {
    // A start takes away what cannot be taken away now.
    await Promise.allSettled(there.map((path) => disk.unlink(path)))
    throw error
  }
}

async function* atOnce(plain: AsyncIterable<Uint8Array>, codec: Codec): AsyncGenerator<Uint8Array> {
  const pieces: Uint8Array[] = []
  for await (const piece of plain) pieces.push(Buffer.from(piece))
  yield compressAtOnce(Buffer.concat(pieces), codec)
}

async function writeFile(
  { disk, fileMode, fsync }: Pick<FileStoreShared, 'disk' | 'fileMode' | 'fsync'>,
  path: string,
  pieces: AsyncIterable<Uint8Array>,
): Promise<void> {
  const flags = { write: true, create: true, truncate: true, noFollow: true }
  const file: FileHandle = await disk.open(path, flags, fileMode)
  try {
    for await (const piece of pieces) await file.write(piece)
    if (fsync !== 'none') await file.sync()
  } finally {
    await file.close()
  }
}

async function* each(
  pieces: AsyncIterable<Uint8Array>,
  see: (piece: Uint8Array) => void,
): AsyncGenerator<Uint8Array> {
  for await (const piece of pieces) {
    see(piece)
    yield piece
  }
}

async function* once(pieces: readonly Uint8Array[]): AsyncGenerator<Uint8Array> {
  yield* pieces
}

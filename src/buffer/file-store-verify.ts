import { crc32 } from 'node:zlib'
import type { FileHandle } from '../core/host.ts'
import type { FileStoreShared } from './file-store.ts'
import { metaSuffix } from './file-store-names.ts'
import type { Extent } from './file-store-read.ts'
import { type SumsRange, scanSums } from './file-store-sums.ts'

export interface Verified {
  /** What is as it was written, in order. */
  readonly extents: readonly Extent[]
  readonly lostBytes: number
  readonly lostEvents: number
}

/** Bytes read at a time. */
const blockBytes = 1024 * 1024

/** Reads a chunk file and compares each range with its record. What differs is kept in the backup directory. */
export async function verifyRanges(
  shared: Pick<FileStoreShared, 'disk' | 'backup' | 'log'>,
  of: {
    readonly path: string
    readonly id: string
    readonly sumsAt: number
    readonly committed: { readonly bytes: number }
  },
): Promise<Verified> {
  const meta = Buffer.from(await shared.disk.readFile(of.path + metaSuffix))
  const { ranges } = scanSums(meta, { from: of.sumsAt, id: of.id, sizeBytes: of.committed.bytes })
  const file = await shared.disk.open(of.path, { read: true, noFollow: true })
  const extents: Extent[] = []
  let lostBytes = 0
  let lostEvents = 0
  try {
    for (const range of ranges) {
      if (await isWhole(file, range)) join(extents, range)
      else {
        await keepAside(shared, { ...of, file, range, meta: meta.subarray(0, of.sumsAt) })
        lostBytes += range.end - range.start
        lostEvents += range.events
      }
    }
  } finally {
    await file.close()
  }
  return { extents, lostBytes, lostEvents }
}

function join(extents: Extent[], { start, end }: SumsRange): void {
  const last = extents[extents.length - 1]
  if (last?.end === start) extents[extents.length - 1] = { start: last.start, end }
  else extents.push({ start, end })
}

async function isWhole(file: FileHandle, range: SumsRange): Promise<boolean> {
  if (range.crc === undefined) return false
  let crc = 0
  let bytes = 0
  for await (const piece of readExtent(file, range)) {
    crc = crc32(piece, crc)
    bytes += piece.byteLength
  }
  return bytes === range.end - range.start && crc === range.crc
}

/** The bytes of a range, in one block that is used again: valid until the next is asked for. Ends where the file does. */
export async function* readExtent(
  file: FileHandle,
  { start, end }: Extent,
): AsyncGenerator<Uint8Array> {
  const block = Buffer.allocUnsafeSlow(Math.min(blockBytes, Math.max(1, end - start)))
  for (let at = start; at < end; ) {
    const read = await file.read(block.subarray(0, Math.min(block.length, end - at)), at)
    if (read === 0) return
    yield block.subarray(0, read)
    at += read
  }
}

async function keepAside(
  shared: Pick<FileStoreShared, 'backup' | 'log'>,
  of: { path: string; id: string; file: FileHandle; range: SumsRange; meta: Uint8Array },
): Promise<void> {
  const { start, end, crc } = of.range
  const what = crc === undefined ? 'their record cannot be read' : 'their CRC-32 is another'
  const reason = `bytes ${start} to ${end} of ${of.path} are not as they were written: ${what}`
  const bytes = readExtent(of.file, of.range)
  await shared.backup.keep({ name: `${of.id}.${start}`, reason, bytes, meta: of.meta })
}

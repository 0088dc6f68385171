import type { FileHandle } from '../core/host.ts'
import { MsgpackError, skipValue } from '../msgpack/walk.ts'
import type { ChunkFormat } from './file-store.ts'
import { readExtent } from './file-store-verify.ts'

/** What stands in a chunk file that nobody has sums of. */
export interface Content {
  readonly format: 'msgpack' | 'text'
  /** Up to the end of the last whole value or line. */
  readonly bytes: number
  readonly events: number
}

const firstBlockBytes = 256 * 1024

/**
 * Finds how much of a chunk file of Fluentd's is whole. Text without a single newline is taken as it is: its format has none.
 * Rejects as the disk does.
 */
export async function contentOf(
  file: FileHandle,
  of: { readonly sizeBytes: number; readonly chunkFormat: ChunkFormat },
): Promise<Content> {
  const format = of.chunkFormat === 'auto' ? await guess(file) : of.chunkFormat
  return format === 'msgpack'
    ? await walkValues(file, of.sizeBytes)
    : await findLines(file, of.sizeBytes)
}

/**
 * Packed entries are arrays, records by themselves maps: heads that no UTF-8 text begins with, but for 0xdc to 0xdf, which
 * are rare there.
 */
async function guess(file: FileHandle): Promise<'msgpack' | 'text'> {
  const first = new Uint8Array(1)
  if ((await file.read(first, 0)) === 0) return 'text'
  const head = first[0] as number
  return (head >= 0x80 && head < 0xa0) || (head >= 0xdc && head < 0xe0) ? 'msgpack' : 'text'
}

async function findLines(file: FileHandle, sizeBytes: number): Promise<Content> {
  let at = 0
  let lines = 0
  let end = 0
  for await (const piece of readExtent(file, { start: 0, end: sizeBytes })) {
    for (let next = piece.indexOf(10); next >= 0; next = piece.indexOf(10, next + 1)) {
      lines += 1
      end = at + next + 1
    }
    at += piece.byteLength
  }
  return { format: 'text', bytes: lines === 0 ? at : end, events: lines === 0 ? 1 : lines }
}

/** Values may be of any size: the block grows until one is in it whole. */
async function walkValues(file: FileHandle, sizeBytes: number): Promise<Content> {
  let block = Buffer.allocUnsafeSlow(firstBlockBytes)
  let start = 0
  let events = 0
  while (start < sizeBytes) {
    const filled = await fill(file, block, start, sizeBytes)
    const walked = walk(block.subarray(0, filled))
    start += walked.bytes
    events += walked.events
    if (walked.broken || start >= sizeBytes) break
    if (walked.bytes > 0) continue
    if (start + filled >= sizeBytes || filled < block.length) break
    block = Buffer.allocUnsafeSlow(block.length * 2)
  }
  return { format: 'msgpack', bytes: start, events }
}

async function fill(
  file: FileHandle,
  block: Buffer,
  start: number,
  sizeBytes: number,
): Promise<number> {
  const want = Math.min(block.length, sizeBytes - start)
  let filled = 0
  while (filled < want) {
    const read = await file.read(block.subarray(filled, want), start + filled)
    if (read === 0) break
    filled += read
  }
  return filled
}

function walk(bytes: Uint8Array): { bytes: number; events: number; broken: boolean } {
  let at = 0
  let events = 0
  try {
    while (at < bytes.length) {
      at = skipValue(bytes, at)
      events += 1
    }
  } catch (error) {
    // A value that is cut off may go on in the next block; one that is none is where the whole ones end.
    if (!(error instanceof MsgpackError)) throw error
    return { bytes: at, events, broken: error.code !== 'truncated' }
  }
  return { bytes: at, events, broken: false }
}

import type { FileHandle } from '../core/host.ts'
import type { Extent } from './file-store-read.ts'

/**
 * Zstandard frames of a file (RFC 8878, 3.1), cut into what a decoder can be given at a time: a frame's header with its first
 * block, each further block, the checksum with the last one.
 */
export interface ZstdSegment {
  readonly bytes: Uint8Array
  /** Whether a frame ends with it. */
  readonly last: boolean
  /** The offset behind it. */
  readonly end: number
}

export class ZstdFileError extends Error {
  override readonly name = 'ZstdFileError'
}

const frameMagic = 0xfd2fb528
const skippableMagic = 0x184d2a50
const headLimitBytes = 18
const blockLimitBytes = 128 * 1024
/** Its decoder allocates it. zstd's own levels up to 19 use 8 MiB. */
const windowLimitBytes = 64 * 1024 * 1024

/** Skippable frames are left out. Throws ZstdFileError where there is no frame, or a part of one. */
export async function* zstdSegments(
  file: FileHandle,
  extent: Extent,
): AsyncGenerator<ZstdSegment, void, void> {
  for (let at = extent.start; at < extent.end; ) {
    const head = await readUpTo(file, { start: at, end: extent.end }, headLimitBytes)
    if (head.length < 8) throw new ZstdFileError('the zstd frame is cut off')
    if ((head.readUInt32LE(0) & 0xfffffff0) >>> 0 === skippableMagic) {
      at += 8 + head.readUInt32LE(4)
      if (at > extent.end) throw new ZstdFileError('the zstd frame is cut off')
      continue
    }
    const { headBytes, checksumBytes } = readHead(head)
    let pending: Buffer = head.subarray(0, headBytes)
    at += headBytes
    for (let last = false; !last; ) {
      const blockHead = await readAll(file, { start: at, end: at + 3 }, extent.end)
      const bits = blockHead.readUIntLE(0, 3)
      last = (bits & 1) !== 0
      const type = (bits >> 1) & 3
      const size = bits >> 3
      if (type === 3 || size > blockLimitBytes) throw new ZstdFileError('a zstd block is malformed')
      const end = at + 3 + (type === 1 ? 1 : size) + (last ? checksumBytes : 0)
      const block = await readAll(file, { start: at + 3, end }, extent.end)
      at = end
      yield { bytes: Buffer.concat([pending, blockHead, block]), last, end }
      pending = Buffer.alloc(0)
    }
  }
}

function readHead(head: Buffer): { headBytes: number; checksumBytes: number } {
  if (head.readUInt32LE(0) !== frameMagic) throw new ZstdFileError('no zstd frame starts here')
  const descriptor = head[4] as number
  const singleSegment = (descriptor & 0x20) !== 0
  const dictionaryBytes = [0, 1, 2, 4][descriptor & 3] as number
  const sizeBytes = [singleSegment ? 1 : 0, 2, 4, 8][descriptor >> 6] as number
  const sizeAt = 5 + (singleSegment ? 0 : 1) + dictionaryBytes
  const headBytes = sizeAt + sizeBytes
  if (head.length < headBytes) throw new ZstdFileError('the zstd frame is cut off')
  if (dictionaryBytes > 0) throw new ZstdFileError('the zstd frame needs a dictionary')
  const windowBytes = singleSegment
    ? contentSize(head.subarray(sizeAt, headBytes))
    : windowSize(head[5] as number)
  if (windowBytes > windowLimitBytes) {
    throw new ZstdFileError(`the zstd frame needs a window of ${windowBytes} bytes`)
  }
  return { headBytes, checksumBytes: (descriptor & 0x04) === 0 ? 0 : 4 }
}

function contentSize(bytes: Buffer): number {
  if (bytes.length === 8) return Number(bytes.readBigUInt64LE(0))
  return bytes.readUIntLE(0, bytes.length) + (bytes.length === 2 ? 256 : 0)
}

function windowSize(descriptor: number): number {
  const base = 2 ** (10 + (descriptor >> 3))
  return base + (base / 8) * (descriptor & 7)
}

async function readUpTo(file: FileHandle, extent: Extent, limitBytes: number): Promise<Buffer> {
  const bytes = Buffer.alloc(Math.min(limitBytes, extent.end - extent.start))
  let filled = 0
  while (filled < bytes.length) {
    const read = await file.read(bytes.subarray(filled), extent.start + filled)
    if (read === 0) break
    filled += read
  }
  return bytes.subarray(0, filled)
}

async function readAll(file: FileHandle, extent: Extent, limit: number): Promise<Buffer> {
  const wanted = extent.end - extent.start
  if (extent.end > limit) throw new ZstdFileError('the zstd frame is cut off')
  const bytes = await readUpTo(file, extent, wanted)
  if (bytes.length < wanted) throw new ZstdFileError('the zstd frame is cut off')
  return bytes
}

/**
 * The outside of Zstandard frames (RFC 8878, 3.1), read without decompressing: where each ends, how
 * large its window is, and the most that can come out of it. Native decoders stop silently behind
 * the first of several frames, and allocate the window that a frame declares: both are decided
 * here, before any decoder sees the bytes.
 */
export interface ZstdFrame {
  /** Offset of its first byte, and of the one behind its last. */
  readonly start: number
  readonly end: number
  /** Where each of its blocks ends; the last one without the checksum behind it. */
  readonly blockEnds: readonly number[]
  readonly windowBytes: number
  /** The most that its blocks can hold. */
  readonly maxOutputBytes: number
}

export class ZstdFrameError extends Error {
  override readonly name = 'ZstdFrameError'
}

const frameMagic = 0xfd2fb528
const skippableMagic = 0x184d2a50
const blockLimitBytes = 128 * 1024

/**
 * The frames of `bytes`, skippable ones left out. Throws ZstdFrameError on anything else, and where
 * the bytes end early.
 */
export function zstdFrames(bytes: Uint8Array): ZstdFrame[] {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  const frames: ZstdFrame[] = []
  let at = 0
  while (at < bytes.byteLength) {
    if (bytes.byteLength - at < 8) throw new ZstdFrameError('the zstd frame is cut off')
    const magic = view.getUint32(at, true)
    if ((magic & 0xfffffff0) >>> 0 === skippableMagic) {
      at += 8 + view.getUint32(at + 4, true)
      if (at > bytes.byteLength) throw new ZstdFrameError('the zstd frame is cut off')
      continue
    }
    if (magic !== frameMagic) throw new ZstdFrameError('no zstd frame starts here')
    const frame = readFrame(view, at)
    frames.push(frame)
    at = frame.end
  }
  return frames
}

function readFrame(view: DataView, start: number): ZstdFrame {
  const need = (end: number) => {
    if (end > view.byteLength) throw new ZstdFrameError('the zstd frame is cut off')
  }
  const descriptor = view.getUint8(start + 4)
  if ((descriptor & 0x08) !== 0) throw new ZstdFrameError('a reserved bit of the zstd frame is set')
  const singleSegment = (descriptor & 0x20) !== 0
  const dictionaryBytes = [0, 1, 2, 4][descriptor & 3]!
  const sizeBytes = [singleSegment ? 1 : 0, 2, 4, 8][descriptor >> 6]!
  const dictionaryAt = start + 5 + (singleSegment ? 0 : 1)
  const sizeAt = dictionaryAt + dictionaryBytes
  let at = sizeAt + sizeBytes
  need(at)
  if (!isZero(view, dictionaryAt, sizeAt)) {
    throw new ZstdFrameError('the zstd frame needs a dictionary')
  }
  const windowBytes = singleSegment
    ? contentSize(view, sizeAt, sizeBytes)
    : windowSize(view.getUint8(start + 5))

  const blockLimit = Math.min(blockLimitBytes, windowBytes)
  const blockEnds: number[] = []
  let maxOutputBytes = 0
  for (let last = false; !last; ) {
    need(at + 3)
    const head = view.getUint16(at, true) | (view.getUint8(at + 2) << 16)
    last = (head & 1) !== 0
    const type = (head >> 1) & 3
    const size = head >> 3
    if (type === 3 || size > blockLimit) throw new ZstdFrameError('a zstd block is malformed')
    maxOutputBytes += type === 2 ? blockLimit : size
    at += 3 + (type === 1 ? 1 : size)
    need(at)
    blockEnds.push(at)
  }
  if ((descriptor & 0x04) !== 0) at += 4
  need(at)
  return { start, end: at, blockEnds, windowBytes, maxOutputBytes }
}

function isZero(view: DataView, from: number, to: number): boolean {
  for (let at = from; at < to; at++) {
    if (view.getUint8(at) !== 0) return false
  }
  return true
}

function contentSize(view: DataView, at: number, bytes: number): number {
  if (bytes === 1) return view.getUint8(at)
  if (bytes === 2) return view.getUint16(at, true) + 256
  if (bytes === 4) return view.getUint32(at, true)
  return Number(view.getBigUint64(at, true))
}

function windowSize(descriptor: number): number {
  const base = 2 ** (10 + (descriptor >> 3))
  return base + (base / 8) * (descriptor & 7)
}

import * as zlib from 'node:zlib'
import { Decompress } from 'fzstd'
import type { Clock } from '../core/host.ts'
import type { CompressedStep, Framer, GunzipFault, GunzipVerdict } from '../kernel/types.ts'
import { type ZstdFrame, zstdFrames } from './zstd-frames.ts'

/**
 * Compressed payloads of the forward protocol: gzip and zstd, each several members or frames end to
 * end.
 */
export const codecs = ['gzip', 'zstd'] as const
export type Codec = (typeof codecs)[number]

export const inflateLimits = {
  /**
   * What is inflated at once on the event loop, where the kernel does not do it: an output of at
   * most so many bytes. More goes off it, or in slices.
   */
  syncOutputBytes: 1024 * 1024,
  /** Compressed bytes above which nobody tries to inflate at once. */
  syncInputBytes: 256 * 1024,
  /** Pieces that streamed output comes in. */
  pieceBytes: 128 * 1024,
  /**
   * What a zstd frame may declare as its window (its decoder allocates it). zstd's own levels up to
   * 19 use 8 MiB.
   */
  zstdWindowBytes: 64 * 1024 * 1024,
  /** Work on the event loop between two breaths, where the decoder is ours to run (fzstd). */
  sliceMs: 5,
} as const

/**
 * The payload is not what it is said to be, or too much comes out of it. Its connection does not
 * survive it.
 */
export class InflateError extends Error {
  override readonly name = 'InflateError'
  readonly code: 'unknown_codec' | 'malformed' | 'decompression_size_limit'

  constructor(code: InflateError['code'], message: string, options?: { cause?: unknown }) {
    super(message, options)
    this.code = code
  }
}

export function codecOf(name: string): Codec {
  const codec = codecs.find((known) => known === name)
  if (codec !== undefined) return codec
  throw new InflateError('unknown_codec', `compression ${JSON.stringify(name.slice(0, 64))}`)
}

/**
 * Inflates the payload of the compressed step that `framer` has just given, if little comes out (see
 * inflateLimits): the framer goes on with its entries. False: it may be large, and is not touched.
 * `limitBytes` counts over all members. Throws InflateError.
 */
export function inflateSmall(
  framer: Pick<Framer, 'gunzip' | 'feedEntries'>,
  step: CompressedStep,
  options: { codec: Codec; limitBytes: number },
): boolean {
  const { payload } = step
  const { codec, limitBytes } = options
  if (payload.byteLength > inflateLimits.syncInputBytes) return false
  if (codec === 'gzip') return gunzipSmall(framer.gunzip(step, limitBytes), limitBytes)
  const output = payload.byteLength === 0 ? payload : unzstdSmall(payload, limitBytes)
  if (output !== undefined) framer.feedEntries(output, step, true)
  return output !== undefined
}

/**
 * The output in pieces, for payloads of any size; to be read to its end, or left by `return()`.
 * Throws InflateError, also after pieces were given: to have all or nothing, go through it once
 * without using them.
 */
export function inflateStream(
  codec: Codec | 'deflate',
  payload: Uint8Array,
  options: { limitBytes: number; clock: Pick<Clock, 'monotonicMs' | 'soon'> },
): AsyncGenerator<Uint8Array, void, void> {
  const pieces =
    codec !== 'zstd'
      ? zlibStream(codec, payload)
      : unzstdStream(payload, options.limitBytes, options.clock)
  return limited(pieces, options.limitBytes)
}

async function* limited(
  pieces: AsyncIterable<Uint8Array>,
  limitBytes: number,
): AsyncGenerator<Uint8Array, void, void> {
  let total = 0
  for await (const piece of pieces) {
    total += piece.byteLength
    if (total > limitBytes) throw tooLarge(limitBytes)
    yield piece
  }
}

function tooLarge(limitBytes: number): InflateError {
  return new InflateError(
    'decompression_size_limit',
    `more than ${limitBytes} bytes come out of a compressed message`,
  )
}

function malformed(cause: unknown): InflateError {
  if (cause instanceof InflateError) return cause
  const said = cause instanceof Error ? cause.message : String(cause)
  return new InflateError('malformed', `compressed data is malformed: ${said}`, { cause })
}

// ---- gzip

function gunzipSmall(verdict: GunzipVerdict, limitBytes: number): boolean {
  if (verdict === 'over_limit') throw tooLarge(limitBytes)
  if (verdict === 'done' || verdict === 'large') return verdict === 'done'
  throw new InflateError('malformed', `compressed data is malformed: ${gzipFaults[verdict]}`)
}

const gzipFaults: Record<GunzipFault, string> = {
  truncated: 'it ends too early',
  bad_header: 'no gzip header where one should be',
  bad_block: 'a block that is none',
  bad_code: 'bits that stand for nothing',
  bad_distance: 'a repetition of what was not there',
  bad_check: 'checksum or length is not that of the output',
}

/** zlib takes zero bytes behind the last member for padding. Here nothing follows it. */
function checkConsumed(consumedBytes: number, payload: Uint8Array): void {
  if (consumedBytes < payload.byteLength) {
    throw new InflateError('malformed', 'bytes follow the end of the compressed data')
  }
}

async function* zlibStream(
  codec: 'gzip' | 'deflate',
  payload: Uint8Array,
): AsyncGenerator<Uint8Array, void, void> {
  const create = codec === 'gzip' ? zlib.createGunzip : zlib.createInflate
  const engine = create({ chunkSize: inflateLimits.pieceBytes })
  try {
    engine.end(payload)
    for await (const piece of engine) yield piece as Uint8Array
    checkConsumed(engine.bytesWritten, payload)
  } catch (error) {
    throw malformed(error)
  } finally {
    engine.destroy()
  }
}

// ---- zstd

/** What Node's zlib has from 22.15 and 23.8 on. */
interface NativeZstd {
  zstdDecompressSync?: (bytes: Uint8Array, options: { maxOutputLength: number }) => Buffer
  createZstdDecompress?: (options: { chunkSize: number }) => zlib.Gunzip
}
const native: NativeZstd = zlib as unknown as NativeZstd

function checkedFrames(payload: Uint8Array): ZstdFrame[] {
  try {
    const frames = zstdFrames(payload)
    for (const frame of frames) {
      if (frame.windowBytes > inflateLimits.zstdWindowBytes) {
        throw new InflateError('malformed', `a zstd window of ${frame.windowBytes} bytes`)
      }
    }
    return frames
  } catch (error) {
    throw malformed(error)
  }
}

function unzstdSmall(payload: Uint8Array, limitBytes: number): Uint8Array | undefined {
  const frames = checkedFrames(payload)
  const maxOutputBytes = frames.reduce((sum, frame) => sum + frame.maxOutputBytes, 0)
  if (maxOutputBytes > inflateLimits.syncOutputBytes) return undefined
  const pieces: Uint8Array[] = []
  for (const frame of frames) pieces.push(...frameOutput(payload, frame))
  const sizeBytes = pieces.reduce((sum, piece) => sum + piece.byteLength, 0)
  if (sizeBytes > limitBytes) throw tooLarge(limitBytes)
  return pieces.length === 1 ? pieces[0] : Buffer.concat(pieces, sizeBytes)
}

function frameOutput(payload: Uint8Array, frame: ZstdFrame): Uint8Array[] {
  const bytes = payload.subarray(frame.start, frame.end)
  try {
    if (native.zstdDecompressSync !== undefined) {
      const maxOutputLength = Math.max(1, frame.maxOutputBytes)
      return [native.zstdDecompressSync(bytes, { maxOutputLength })]
    }
    const pieces: Uint8Array[] = []
    new Decompress((piece) => pieces.push(piece)).push(bytes, true)
    return pieces
  } catch (error) {
    throw malformed(error)
  }
}

async function* unzstdStream(
  payload: Uint8Array,
  limitBytes: number,
  clock: Pick<Clock, 'monotonicMs' | 'soon'>,
): AsyncGenerator<Uint8Array, void, void> {
  const frames = checkedFrames(payload)
  for (const frame of frames) {
    if (native.createZstdDecompress !== undefined) yield* nativeFrame(payload, frame)
    else yield* slicedFrame(payload, frame, clock, limitBytes)
  }
}

async function* nativeFrame(
  payload: Uint8Array,
  frame: ZstdFrame,
): AsyncGenerator<Uint8Array, void, void> {
  const engine = native.createZstdDecompress!({ chunkSize: inflateLimits.pieceBytes })
  try {
    engine.end(payload.subarray(frame.start, frame.end))
    for await (const piece of engine) yield piece as Uint8Array
  } catch (error) {
    throw malformed(error)
  } finally {
    engine.destroy()
  }
}

/**
 * fzstd runs on the event loop: one block (at most 128 KiB of output) at a time, with a breath
 * after each slice.
 */
async function* slicedFrame(
  payload: Uint8Array,
  frame: ZstdFrame,
  clock: Pick<Clock, 'monotonicMs' | 'soon'>,
  limitBytes: number,
): AsyncGenerator<Uint8Array, void, void> {
  let pieces: Uint8Array[] = []
  let total = 0
  const decoder = new Decompress((piece) => {
    total += piece.byteLength
    if (total > limitBytes) throw tooLarge(limitBytes)
    if (piece.byteLength > 0) pieces.push(piece)
  })
  let from = frame.start
  let sliceStartMs = clock.monotonicMs()
  for (const [index, blockEnd] of frame.blockEnds.entries()) {
    const last = index === frame.blockEnds.length - 1
    const to = last ? frame.end : blockEnd
    try {
      decoder.push(payload.subarray(from, to), last)
    } catch (error) {
      throw malformed(error)
    }
    from = to
    yield* pieces
    pieces = []
    if (clock.monotonicMs() - sliceStartMs > inflateLimits.sliceMs) {
      await new Promise<void>((resolve) => clock.soon(resolve))
      sliceStartMs = clock.monotonicMs()
    }
  }
}

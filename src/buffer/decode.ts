import * as zlib from 'node:zlib'
import { Decompress } from 'fzstd'
import type { FileHandle } from '../core/host.ts'
import { atOnceBytes, type Codec } from './compress.ts'
import type { Extent } from './file-store-read.ts'
import { readExtent } from './file-store-verify.ts'
import { type Engine, throughEngine } from './zlib-engine.ts'
import { ZstdFileError, type ZstdSegment, zstdSegments } from './zstd-segments.ts'

/**
 * Compressed chunk files: gzip members or zstd frames, any number of them end to end. Fluentd writes one for each time it
 * appends, we one for a whole chunk.
 */

/** Bytes of a file by which its codec is known. */
export const codecMarkBytes = 4

/** No text begins with these, and no MessagePack that a formatter makes: a small number, then what is no record. */
export function codecByMark(bytes: Uint8Array): Codec | undefined {
  const [a, b, c, d] = bytes
  if (a === 0x1f && b === 0x8b && c === 8) return 'gzip'
  return a === 0x28 && b === 0xb5 && c === 0x2f && d === 0xfd ? 'zstd' : undefined
}

/** The bytes are not what they were said to be. */
export class DecodeError extends Error {
  override readonly name = 'DecodeError'
}

/** Bytes that come out of zlib at a time. */
const pieceBytes = 256 * 1024

/** What Node's zlib has from 22.15 and 23.8 on. It stops behind the first of several frames. */
const createNativeZstd = (
  zlib as { createZstdDecompress?: (options: { chunkSize: number }) => zlib.Gunzip }
).createZstdDecompress

/**
 * What comes out of an extent of whole members or frames, in pieces, each valid until the next is asked for. Throws
 * DecodeError, also after pieces were given; rejects as the disk does.
 */
export async function* decodeExtent(
  file: FileHandle,
  codec: Codec,
  extent: Extent,
): AsyncGenerator<Uint8Array, void, void> {
  if (codec === 'gzip') {
    const small = await gunzipAtOnce(file, extent)
    if (small !== undefined) {
      yield small
      return
    }
    const engine = zlib.createGunzip({ chunkSize: pieceBytes })
    yield* run(engine, readExtent(file, extent))
    checkUsed(engine.bytesWritten, extent)
    return
  }
  for await (const frame of framesOf(file, extent)) yield* decodeFrame(frame)
}

/** What comes out of the one member or frame that compress.ts made in memory, in pieces that stay valid. */
export async function* decompress(
  bytes: Uint8Array,
  codec: Codec,
): AsyncGenerator<Uint8Array, void, void> {
  const small = codec === 'gzip' ? gunzipSmall([bytes]) : undefined
  if (small !== undefined) {
    yield small.buffer
    return
  }
  const options = { chunkSize: pieceBytes }
  const engine = codec === 'gzip' ? zlib.createGunzip(options) : createNativeZstd?.(options)
  if (engine === undefined) throw new Error('bug: this Node.js has no zstd')
  yield* throughEngine(engine, [bytes])
}

/** Up to where members or frames can be decoded, for a file that cannot be as a whole. Rejects as the disk does. */
export async function wholeEnd(file: FileHandle, codec: Codec, sizeBytes: number): Promise<number> {
  let end = 0
  try {
    if (codec === 'gzip') {
      while (end < sizeBytes) end = await memberEnd(file, { start: end, end: sizeBytes })
    } else {
      for await (const frame of framesOf(file, { start: 0, end: sizeBytes })) {
        let frameEnd = end
        const told = each(frame, (segment) => {
          frameEnd = segment.end
        })
        for await (const _ of decodeFrame(told));
        end = frameEnd
      }
    }
  } catch (error) {
    if (!(error instanceof DecodeError)) throw error
  }
  return end
}

async function* each<T>(items: AsyncIterable<T>, see: (item: T) => void): AsyncGenerator<T> {
  for await (const item of items) {
    see(item)
    yield item
  }
}

// ---- zlib

function checkUsed(usedBytes: number, { start, end }: Extent): void {
  if (usedBytes < end - start) throw new DecodeError('bytes follow the last gzip member')
}

/** undefined: it is, or gets, too large for that. */
async function gunzipAtOnce(file: FileHandle, extent: Extent): Promise<Uint8Array | undefined> {
  if (extent.end - extent.start > atOnceBytes) return undefined
  const pieces: Uint8Array[] = []
  for await (const piece of readExtent(file, extent)) pieces.push(Buffer.from(piece))
  const made = gunzipSmall(pieces)
  if (made !== undefined) checkUsed(made.engine.bytesWritten, extent)
  return made?.buffer
}

interface Gunzipped {
  readonly buffer: Uint8Array
  readonly engine: { readonly bytesWritten: number }
}

/** Without another thread. undefined: it is, or gets, too large for that. Throws DecodeError. */
function gunzipSmall(pieces: readonly Uint8Array[]): Gunzipped | undefined {
  const bytes = pieces.reduce((sum, piece) => sum + piece.byteLength, 0)
  if (bytes > atOnceBytes) return undefined
  try {
    const options = { maxOutputLength: pieceBytes, info: true }
    return zlib.gunzipSync(Buffer.concat(pieces), options) as unknown as Gunzipped
  } catch (error) {
    if ((error as { code?: string }).code === 'ERR_BUFFER_TOO_LARGE') return undefined
    throw decodeErrorOf(error)
  }
}

/** zlib's own errors are about the bytes. */
function decodeErrorOf(error: unknown): unknown {
  const { code, message } = error as { code?: string; message: string }
  return code !== undefined && /^Z(_|STD)/.test(code) ? new DecodeError(message) : error
}

async function* run(
  engine: Engine,
  pieces: AsyncIterable<Uint8Array>,
): AsyncGenerator<Uint8Array, void, void> {
  try {
    yield* throughEngine(engine, pieces)
  } catch (error) {
    throw decodeErrorOf(error)
  }
}

const headBytes = 10
const trailerBytes = 8
const named = { extra: 0x04, name: 0x08, comment: 0x10, headCheck: 0x02 } as const

/** Behind the gzip member (RFC 1952) that the extent begins with. Throws DecodeError. */
async function memberEnd(file: FileHandle, extent: Extent): Promise<number> {
  const start = await headEnd(file, extent)
  const engine = zlib.createInflateRaw({ chunkSize: pieceBytes })
  let crc = 0
  let bytes = 0
  for await (const piece of run(engine, readExtent(file, { start, end: extent.end }))) {
    crc = zlib.crc32(piece, crc)
    bytes += piece.byteLength
  }
  const at = start + engine.bytesWritten
  const trailer = Buffer.alloc(trailerBytes)
  if (at + trailerBytes > extent.end || (await file.read(trailer, at)) < trailerBytes) {
    throw new DecodeError('the gzip member is cut off')
  }
  if (trailer.readUInt32LE(0) !== crc || trailer.readUInt32LE(4) !== bytes >>> 0) {
    throw new DecodeError('checksum or length is not that of the output')
  }
  return at + trailerBytes
}

/** Names and comments are never written into a chunk: a head that has them is none of one. */
async function headEnd(file: FileHandle, { start, end }: Extent): Promise<number> {
  const head = Buffer.alloc(headBytes)
  if (start + headBytes > end || (await file.read(head, start)) < headBytes) {
    throw new DecodeError('the gzip member is cut off')
  }
  const flags = head[3] as number
  const unusual = named.extra | named.name | named.comment | named.headCheck
  if (codecByMark(head) !== 'gzip' || (flags & unusual) !== 0) {
    throw new DecodeError('no gzip member of a chunk starts here')
  }
  return start + headBytes
}

// ---- zstd

type Frame = AsyncIterable<ZstdSegment>

/** Each has to be read to its end before the next is asked for. */
async function* framesOf(file: FileHandle, extent: Extent): AsyncGenerator<Frame, void, void> {
  const segments = zstdSegments(file, extent)
  const next = async (): Promise<ZstdSegment | undefined> => {
    try {
      const { value, done } = await segments.next()
      return done === true ? undefined : (value as ZstdSegment)
    } catch (error) {
      throw error instanceof ZstdFileError ? new DecodeError(error.message) : error
    }
  }
  async function* frameFrom(first: ZstdSegment): AsyncGenerator<ZstdSegment> {
    let segment: ZstdSegment | undefined = first
    while (segment !== undefined) {
      yield segment
      segment = segment.last ? undefined : await next()
    }
  }
  for (let first = await next(); first !== undefined; first = await next()) yield frameFrom(first)
}

async function* decodeFrame(frame: Frame): AsyncGenerator<Uint8Array, void, void> {
  if (createNativeZstd !== undefined) {
    yield* run(createNativeZstd({ chunkSize: pieceBytes }), bytesOf(frame))
    return
  }
  let pieces: Uint8Array[] = []
  const decoder = new Decompress((piece) => pieces.push(piece))
  for await (const { bytes, last } of frame) {
    try {
      decoder.push(bytes, last)
    } catch (error) {
      throw new DecodeError((error as Error).message)
    }
    yield* pieces.filter((piece) => piece.byteLength > 0)
    pieces = []
  }
}

async function* bytesOf(frame: Frame): AsyncGenerator<Uint8Array> {
  for await (const { bytes } of frame) yield bytes
}

import type { FileHandle } from '../core/host.ts'
import type { Codec } from './compress.ts'
import { type ContentCounter, createCounter, guessFormat } from './content-counter.ts'
import { codecByMark, codecMarkBytes, DecodeError, decodeExtent, wholeEnd } from './decode.ts'
import type { ChunkFormat } from './file-store.ts'
import { readExtent } from './file-store-verify.ts'

/** What stands in a chunk file that nobody has sums of. */
export interface Content {
  readonly format: 'msgpack' | 'text'
  /** By the file's first bytes: `compress` of the configuration may be another by now. */
  readonly codec: Codec | undefined
  /** Of the file: up to the end of the last whole value or line, or of the last whole compressed part. */
  readonly bytes: number
  /** What comes out of these. */
  readonly plainBytes: number
  readonly events: number
}

interface ContentOptions {
  readonly sizeBytes: number
  readonly chunkFormat: ChunkFormat
}

/** Finds how much of a chunk file of Fluentd's is whole. Rejects as the disk does. */
export async function contentOf(file: FileHandle, of: ContentOptions): Promise<Content> {
  const codec = await codecOf(file)
  if (codec !== undefined) return await compressedContent(file, codec, of)
  const counter = new Counting(of.chunkFormat)
  for await (const piece of readExtent(file, { start: 0, end: of.sizeBytes })) counter.push(piece)
  const { bytes, events } = counter.result()
  return { format: counter.format, codec, bytes, plainBytes: bytes, events }
}

/** undefined: the file is not compressed. */
export async function codecOf(file: FileHandle): Promise<Codec | undefined> {
  const mark = new Uint8Array(codecMarkBytes)
  const read = await file.read(mark, 0)
  return codecByMark(mark.subarray(0, read))
}

/** Each compressed part holds whole events: it was appended at once. */
async function compressedContent(
  file: FileHandle,
  codec: Codec,
  of: ContentOptions,
): Promise<Content> {
  const whole = await decodedContent(file, codec, of)
  if (whole !== undefined) return whole
  const sizeBytes = await wholeEnd(file, codec, of.sizeBytes)
  const part = await decodedContent(file, codec, { ...of, sizeBytes })
  if (part === undefined) throw new Error('bug: what was decoded cannot be decoded')
  return part
}

async function decodedContent(
  file: FileHandle,
  codec: Codec,
  { sizeBytes, chunkFormat }: ContentOptions,
): Promise<Content | undefined> {
  const counter = new Counting(chunkFormat)
  let plainBytes = 0
  try {
    for await (const piece of decodeExtent(file, codec, { start: 0, end: sizeBytes })) {
      counter.push(piece)
      plainBytes += piece.byteLength
    }
  } catch (error) {
    if (!(error instanceof DecodeError)) throw error
    return undefined
  }
  const { events } = counter.result()
  return {
    format: counter.format,
    codec,
    bytes: plainBytes === 0 ? 0 : sizeBytes,
    plainBytes,
    events: plainBytes === 0 ? 0 : events,
  }
}

/** Decides by the first byte what there is to count. */
class Counting {
  readonly #chunkFormat: ChunkFormat
  #counter: ContentCounter | undefined

  constructor(chunkFormat: ChunkFormat) {
    this.#chunkFormat = chunkFormat
  }

  get format(): 'msgpack' | 'text' {
    return this.#counter?.format ?? 'text'
  }

  push(piece: Uint8Array): void {
    this.#counter ??= createCounter(
      this.#chunkFormat === 'auto' ? guessFormat(piece[0]) : this.#chunkFormat,
    )
    this.#counter.push(piece)
  }

  result(): { bytes: number; events: number } {
    return this.#counter?.result() ?? { bytes: 0, events: 0 }
  }
}

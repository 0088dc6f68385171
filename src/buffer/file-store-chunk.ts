import { posix } from 'node:path'
import type { ChunkMetadata } from '../core/output.ts'
import type { Codec } from './compress.ts'
import type { FileStoreShared } from './file-store.ts'
import { writeCompressed } from './file-store-compress.ts'
import { metaSuffix } from './file-store-names.ts'
import { type Extent, oneBlock, ownBlocks, readExtents } from './file-store-read.ts'
import { encodeSumsHead } from './file-store-sums.ts'
import { verifyRanges } from './file-store-verify.ts'
import { ChunkWriter, type Committed, syncDirectory, syncPair } from './file-store-writer.ts'
import { type EncodedMeta, encodeMeta } from './meta.ts'
import type { ChunkChange, StoredChunk } from './store.ts'

export interface ChunkState {
  readonly id: string
  readonly metadata: ChunkMetadata
  readonly createdMs: number
  readonly modifiedMs: number
  readonly path: string
  readonly committed: Committed
  /** Bytes of the .meta file before the first record; undefined: a chunk of Fluentd's, without records. */
  readonly sumsAt: number | undefined
  readonly queued: boolean
  /** Where the file is compressed: how, and what comes out of it. */
  readonly compressed?: Compressed | undefined
}

export interface Compressed {
  readonly codec: Codec
  readonly plainBytes: number
}

/** A chunk and its two files. See file-store.ts for what is in them. */
export class FileChunk implements StoredChunk {
  readonly id: string
  readonly metadata: ChunkMetadata
  readonly createdMs: number
  modifiedMs: number
  sizeBytes: number
  count: number
  readonly #shared: FileStoreShared
  readonly #writer: ChunkWriter
  /** What of the file is delivered; undefined: all that is committed. */
  #extents: readonly Extent[] | undefined
  /** Whether an earlier run wrote it, and nobody has compared its sums since. */
  #unverified: boolean
  /** Whether this process made the file, with the rights it has now. */
  readonly #madeHere: boolean
  #queued: boolean
  #compressed: Compressed | undefined
  #sealed: Promise<void> | undefined
  #removal: Promise<void> | undefined
  changed: (change: ChunkChange) => void = () => undefined

  private constructor(shared: FileStoreShared, state: ChunkState) {
    const { committed } = state
    this.id = state.id
    this.metadata = state.metadata
    this.createdMs = state.createdMs
    this.modifiedMs = state.modifiedMs
    this.sizeBytes = state.compressed?.plainBytes ?? committed.bytes
    this.count = committed.events
    this.#shared = shared
    this.#unverified = state.sumsAt !== undefined
    this.#madeHere = state.sumsAt === undefined && !state.queued
    this.#queued = state.queued
    this.#compressed = state.compressed
    this.#writer = new ChunkWriter(shared, {
      ...state,
      head: () => this.#head(),
      refused: ({ bytes, count }) => this.#lose(bytes, count, 'not_stored'),
    })
    shared.live.add(this)
  }

  /** A new chunk. Its files are made when it is first committed. */
  static create(
    shared: FileStoreShared,
    of: {
      readonly id: string
      readonly metadata: ChunkMetadata
      readonly changed?: ((change: ChunkChange) => void) | undefined
    },
  ): FileChunk {
    const nowMs = shared.clock.wallMs()
    const name = shared.names.nameOf('staged', of.id, of.metadata)
    const chunk = new FileChunk(shared, {
      id: of.id,
      metadata: of.metadata,
      createdMs: nowMs,
      modifiedMs: nowMs,
      path: posix.join(shared.directory, name),
      committed: { bytes: 0, events: 0, records: 0 },
      sumsAt: undefined,
      queued: false,
    })
    if (of.changed !== undefined) chunk.changed = of.changed
    return chunk
  }

  /** One that an earlier run left. */
  static recovered(shared: FileStoreShared, state: ChunkState): FileChunk {
    return new FileChunk(shared, state)
  }

  /** Where its events are: changes when it is queued. */
  get path(): string {
    return this.#writer.path
  }

  append(bytes: Uint8Array, count: number): void {
    this.#writer.append(bytes, count)
    this.sizeBytes += bytes.byteLength
    this.count += count
    this.modifiedMs = this.#shared.clock.wallMs()
  }

  commit(): Promise<void> | undefined {
    return this.#writer.commit()
  }

  get heldBytes(): number {
    const { bytes } = this.#writer.committed
    return this.#compressed === undefined || this.sizeBytes === 0 ? this.sizeBytes : bytes
  }

  #lose(bytes: number, events: number, reason: ChunkChange['reason']): void {
    const before = this.heldBytes
    this.sizeBytes -= bytes
    this.count -= events
    this.changed({ bytes: this.heldBytes - before, events: -events, reason })
  }

  #encodedMeta(count: number, plainBytes?: number): EncodedMeta {
    return encodeMeta({
      metadata: this.metadata,
      id: this.id,
      count,
      createdSeconds: Math.floor(this.createdMs / 1000),
      modifiedSeconds: Math.floor(this.modifiedMs / 1000),
      plainBytes,
    })
  }

  #head(): Uint8Array {
    const { bytes, countAt, modifiedAt } = this.#encodedMeta(0)
    return Buffer.concat([bytes, encodeSumsHead(bytes, [countAt, modifiedAt])])
  }

  seal(): Promise<void> {
    this.#sealed ??= this.#seal()
    return this.#sealed
  }

  async #seal(): Promise<void> {
    await this.#writer.quiet()
    if (this.#queued || this.#removal !== undefined) return
    this.#queued = true
    if (this.#writer.sumsAt === undefined) return
    try {
      const { codec } = this.#shared
      if (codec === undefined || !(await this.#compress(codec))) await this.#finish()
    } catch (error) {
      // Its events can be read where they are; another start would find the chunk staged, or both of its files.
      this.#shared.log.warn('a chunk could not be renamed when it was queued', {
        path: this.path,
        error,
      })
    }
  }

  async #finish(): Promise<void> {
    const { disk, fsync, names } = this.#shared
    const writer = this.#writer
    try {
      await writer.withFiles(async (pair) => {
        const { bytes, countAt, modifiedAt } = this.#encodedMeta(writer.committed.events)
        await pair.meta.write(bytes.subarray(countAt, modifiedAt + 4), countAt)
        if (fsync !== 'none') await syncPair(pair)
      })
    } finally {
      await writer.close()
    }
    const staged = writer.path
    const directory = posix.dirname(staged)
    const path = posix.join(directory, names.nameOf('queued', this.id, this.metadata))
    await disk.rename(staged, path)
    writer.path = path
    await disk.rename(staged + metaSuffix, path + metaSuffix)
    if (fsync !== 'none') await syncDirectory(this.#shared, directory)
  }

  /** False: it is to be queued as it is, because that is smaller, or because there is no room for another file. */
  async #compress(codec: Codec): Promise<boolean> {
    const shared = this.#shared
    const writer = this.#writer
    const from = writer.path
    const { fileBytes } = writer
    const to = posix.join(
      posix.dirname(from),
      shared.names.nameOf('queued', this.id, this.metadata),
    )
    try {
      // The sums of what is compressed are not kept.
      await this.prepare()
      const plainBytes = this.sizeBytes
      if (plainBytes === 0) return false
      const made = await writeCompressed(shared, {
        id: this.id,
        codec,
        from,
        extents: this.#extents ?? [{ start: 0, end: writer.committed.bytes }],
        plainBytes,
        to,
        events: this.count,
        meta: this.#encodedMeta(this.count, plainBytes),
      })
      if (made === undefined) return false
      await writer.close()
      writer.path = to
      writer.sumsAt = made.sumsAt
      writer.committed = { bytes: made.bytes, events: this.count, records: 1 }
      this.#extents = undefined
      this.#compressed = { codec, plainBytes }
      this.changed({ bytes: made.bytes - plainBytes, events: 0, reason: 'compressed' })
    } catch (error) {
      shared.log.warn('a chunk could not be compressed, and stays as it is', { path: from, error })
      return false
    }
    await this.#giveUp(from, fileBytes)
    await removeFile(shared, from + metaSuffix)
    if (shared.fsync !== 'none') await syncDirectory(shared, posix.dirname(to))
    return true
  }

  /** Compares a chunk of an earlier run with its sums, and leaves out what is not as it was written. */
  async prepare(): Promise<void> {
    if (!this.#unverified) return
    const { path, sumsAt, committed } = this.#writer
    const found = await verifyRanges(this.#shared, {
      path,
      id: this.id,
      sumsAt: sumsAt as number,
      committed,
    })
    this.#unverified = false
    if (found.lostBytes === 0) return
    // Of a compressed chunk nothing can be read then.
    if (this.#compressed !== undefined) this.#lose(this.sizeBytes, this.count, 'damaged')
    else this.#lose(found.lostBytes, found.lostEvents, 'damaged')
    this.#extents = this.#compressed === undefined ? found.extents : []
  }

  async read(): Promise<readonly Uint8Array[]> {
    const pieces: Uint8Array[] = []
    for await (const piece of this.#pieces(ownBlocks)) pieces.push(piece)
    return pieces
  }

  stream(): AsyncIterable<Uint8Array> {
    return this.#pieces(oneBlock())
  }

  async *#pieces(blockOf: (bytes: number) => Uint8Array): AsyncGenerator<Uint8Array> {
    await this.#writer.quiet()
    const { path, committed } = this.#writer
    const extents = this.#extents ?? [{ start: 0, end: committed.bytes }]
    if (committed.bytes === 0) return
    const of = { path, extents, codec: this.#compressed?.codec }
    yield* readExtents(this.#shared.disk, of, blockOf)
  }

  remove(): Promise<void> {
    this.#removal ??= this.#remove()
    return this.#removal
  }

  async #remove(): Promise<void> {
    const writer = this.#writer
    await writer.quiet()
    await this.#sealed
    await writer.close()
    if (writer.sumsAt !== undefined || writer.committed.bytes > 0) {
      await this.#giveUp(writer.path, writer.fileBytes)
      await removeFile(this.#shared, writer.path + metaSuffix)
    }
    this.#shared.live.delete(this)
  }

  /** The file is no chunk's any more: another one's later, or removed. */
  async #giveUp(path: string, sizeBytes: number): Promise<void> {
    const { spares } = this.#shared
    if (this.#madeHere && (await spares?.keep(path, sizeBytes)) === true) return
    await removeFile(this.#shared, path)
  }

  /** Everything is written, and the files are closed; the chunk stays for the next run. An empty one goes. */
  async rest(): Promise<void> {
    // How a removal ends is told to whoever asked for it.
    if (this.#removal !== undefined) return await this.#removal.catch(() => undefined)
    const writer = this.#writer
    await writer.quiet()
    await this.#sealed
    if (writer.committed.bytes === 0) return await this.remove()
    if (!this.#queued) await this.#settle()
    await writer.close()
  }

  /** For another program, or a power failure, that comes next. */
  async #settle(): Promise<void> {
    const writer = this.#writer
    try {
      if (this.#shared.fsync !== 'none') await writer.withFiles(syncPair)
      else if (writer.isRagged) await writer.withFiles(async () => undefined)
    } catch (error) {
      const what = 'a chunk could not be forced onto the disk, or cut to its size'
      this.#shared.log.warn(what, { path: this.path, error })
    }
  }
}

export async function removeFile(
  shared: Pick<FileStoreShared, 'disk'>,
  path: string,
): Promise<void> {
  try {
    await shared.disk.unlink(path)
  } catch (error) {
    if ((error as { code?: string }).code !== 'ENOENT') throw error
  }
}

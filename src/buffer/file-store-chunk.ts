import { posix } from 'node:path'
import { crc32 } from 'node:zlib'
import type { ChunkMetadata } from '../core/output.ts'
import type { FileStoreShared } from './file-store.ts'
import type { OpenPair } from './file-store-files.ts'
import { WriteGroup } from './file-store-group.ts'
import { metaSuffix } from './file-store-names.ts'
import { type Extent, oneBlock, ownBlocks, readExtents } from './file-store-read.ts'
import { encodeRecord, encodeSumsHead, recordBytes, sumsSeed } from './file-store-sums.ts'
import { verifyRanges } from './file-store-verify.ts'
import { encodeMeta } from './meta.ts'
import type { ChunkChange, StoredChunk } from './store.ts'

/** How much of a chunk is on disk and safe. */
export interface Committed {
  bytes: number
  events: number
  records: number
}

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
  readonly #committed: Committed
  #path: string
  #sumsAt: number | undefined
  /** What of the file is delivered; undefined: all that is committed. */
  #extents: readonly Extent[] | undefined
  /** Whether an earlier run wrote it, and nobody has compared its sums since. */
  #unverified: boolean
  #queued: boolean
  /** Whether bytes may stand behind the last commit, because cutting them off failed. */
  #ragged = false
  #group: WriteGroup | undefined
  #writing: WriteGroup | undefined
  #writer: Promise<void> | undefined
  #sealed: Promise<void> | undefined
  #removal: Promise<void> | undefined
  changed: (change: ChunkChange) => void = () => undefined

  private constructor(shared: FileStoreShared, state: ChunkState, unverified: boolean) {
    this.id = state.id
    this.metadata = state.metadata
    this.createdMs = state.createdMs
    this.modifiedMs = state.modifiedMs
    this.sizeBytes = state.committed.bytes
    this.count = state.committed.events
    this.#shared = shared
    this.#committed = state.committed
    this.#path = state.path
    this.#sumsAt = state.sumsAt
    this.#unverified = unverified && state.sumsAt !== undefined
    this.#queued = state.queued
    shared.live.add(this)
  }

  /** A new chunk. Its files are made when it is first committed. */
  static create(
    shared: FileStoreShared,
    of: {
      id: string
      metadata: ChunkMetadata
      changed?: ((change: ChunkChange) => void) | undefined
    },
  ): FileChunk {
    const nowMs = shared.clock.wallMs()
    const name = shared.names.nameOf('staged', of.id, of.metadata)
    const chunk = new FileChunk(
      shared,
      {
        id: of.id,
        metadata: of.metadata,
        createdMs: nowMs,
        modifiedMs: nowMs,
        path: posix.join(shared.directory, name),
        committed: { bytes: 0, events: 0, records: 0 },
        sumsAt: undefined,
        queued: false,
      },
      false,
    )
    if (of.changed !== undefined) chunk.changed = of.changed
    return chunk
  }

  /** One that an earlier run left. */
  static recovered(shared: FileStoreShared, state: ChunkState): FileChunk {
    return new FileChunk(shared, state, true)
  }

  /** Where its events are: changes when it is queued. */
  get path(): string {
    return this.#path
  }

  append(bytes: Uint8Array, count: number): void {
    this.#group ??= new WriteGroup(this.#shared.pool)
    this.#group.add(bytes, count)
    this.sizeBytes += bytes.byteLength
    this.count += count
    this.modifiedMs = this.#shared.clock.wallMs()
  }

  commit(): Promise<void> | undefined {
    if (this.#group === undefined) return this.#writing?.settled
    const { settled } = this.#group
    this.#write()
    return settled
  }

  /** Writes what waits, from the end of this round of the event loop on. */
  #write(): void {
    this.#writer ??= new Promise<void>((resolve) => {
      this.#shared.clock.soon(() => {
        void this.#writeGroups().then(resolve)
      })
    })
  }

  async #writeGroups(): Promise<void> {
    for (let group = this.#group; group !== undefined; group = this.#group) {
      this.#group = undefined
      this.#writing = group
      try {
        await this.#writeGroup(group)
        this.#shared.worked()
        group.succeed()
      } catch (error) {
        this.sizeBytes -= group.bytes
        this.count -= group.count
        this.changed({ bytes: -group.bytes, events: -group.count, reason: 'not_stored' })
        this.#shared.failed(error)
        group.fail(new Error('events could not be written to the buffer', { cause: error }))
      }
      group.release()
    }
    this.#writing = undefined
    this.#writer = undefined
  }

  async #writeGroup(group: WriteGroup): Promise<void> {
    const { files, fsync } = this.#shared
    const committed = this.#committed
    const pair = await files.take(this, () => this.#open())
    try {
      const pieces = group.pieces()
      let crc = 0
      for (const piece of pieces) crc = crc32(piece, crc)
      const end = committed.bytes + group.bytes
      const total = committed.events + group.count
      const { bytes: start } = committed
      const range = { start, end, events: group.count, total, crc }
      const record = encodeRecord(range, sumsSeed(this.id))
      try {
        await bothOf(pair.chunk.writev(pieces, start), pair.meta.write(record, this.#recordAt()))
        if (fsync === 'ack') await this.#sync(pair)
      } catch (error) {
        await this.#cut(pair)
        throw error
      }
      committed.bytes = end
      committed.events = total
      committed.records += 1
    } finally {
      files.give(this)
    }
  }

  #recordAt(): number {
    return (this.#sumsAt as number) + this.#committed.records * recordBytes
  }

  async #open(): Promise<OpenPair> {
    const { disk, fileMode, directory, fsync } = this.#shared
    const first = this.#sumsAt === undefined
    const flags = {
      write: true,
      noFollow: true,
      ...(first ? { create: true, truncate: true } : {}),
    }
    const meta = await disk.open(this.#path + metaSuffix, flags, fileMode)
    try {
      const head = first ? this.#head() : undefined
      if (head !== undefined) await meta.write(head, 0)
      const chunk = await disk.open(this.#path, flags, fileMode)
      if (first && fsync === 'ack') await this.#syncDirectory(directory)
      this.#sumsAt ??= head?.byteLength
      return { chunk, meta }
    } catch (error) {
      await meta.close()
      throw error
    }
  }

  #encodedMeta(count: number) {
    return encodeMeta({
      metadata: this.metadata,
      id: this.id,
      count,
      createdSeconds: Math.floor(this.createdMs / 1000),
      modifiedSeconds: Math.floor(this.modifiedMs / 1000),
    })
  }

  #head(): Uint8Array {
    const { bytes, countAt, modifiedAt } = this.#encodedMeta(0)
    return Buffer.concat([bytes, encodeSumsHead(bytes, [countAt, modifiedAt])])
  }

  /** Takes back what a failed write has left behind the last commit. */
  async #cut(pair: OpenPair): Promise<void> {
    try {
      await bothOf(pair.chunk.truncate(this.#committed.bytes), pair.meta.truncate(this.#recordAt()))
      this.#ragged = false
    } catch {
      // The next write begins at the same place, and recovery would cut here: it is tried again when the chunk is sealed.
      this.#ragged = true
    }
  }

  #sync(pair: OpenPair): Promise<void> {
    return bothOf(pair.chunk.sync(), pair.meta.sync())
  }

  async #syncDirectory(directory: string): Promise<void> {
    const handle = await this.#shared.disk.open(directory, { read: true })
    try {
      await handle.sync()
    } finally {
      await handle.close()
    }
  }

  seal(): Promise<void> {
    if (this.#group !== undefined) this.#write()
    this.#sealed ??= this.#seal()
    return this.#sealed
  }

  async #seal(): Promise<void> {
    const { log } = this.#shared
    await this.#quiet()
    if (this.#queued || this.#removal !== undefined) return
    this.#queued = true
    if (this.#sumsAt === undefined) return
    try {
      await this.#finish()
    } catch (error) {
      // Its events are where they were, and can be read there; another start would find the chunk staged.
      log.warn('a chunk could not be renamed when it was queued', { path: this.#path, error })
    }
  }

  /** Settles when nothing is being written. */
  async #quiet(): Promise<void> {
    while (this.#writer !== undefined) await this.#writer
  }

  async #finish(): Promise<void> {
    const { disk, files, fsync, names, directory } = this.#shared
    const pair = await files.take(this, () => this.#open())
    try {
      if (this.#ragged) await this.#cut(pair)
      const { bytes, countAt, modifiedAt } = this.#encodedMeta(this.#committed.events)
      await pair.meta.write(bytes.subarray(countAt, modifiedAt + 4), countAt)
      if (fsync !== 'none') await this.#sync(pair)
    } finally {
      files.give(this)
      await files.close(this)
    }
    const name = names.nameOf('queued', this.id, this.metadata)
    const path = posix.join(posix.dirname(this.#path), name)
    const old = this.#path
    await disk.rename(old, path)
    this.#path = path
    await disk.rename(old + metaSuffix, path + metaSuffix)
    if (fsync !== 'none') await this.#syncDirectory(directory)
  }

  /** Compares a chunk of an earlier run with its sums, and leaves out what is not as it was written. */
  async prepare(): Promise<void> {
    if (!this.#unverified) return
    await this.#quiet()
    const found = await verifyRanges(this.#shared, {
      path: this.#path,
      id: this.id,
      sumsAt: this.#sumsAt as number,
      committed: this.#committed,
    })
    this.#unverified = false
    if (found.lostBytes === 0) return
    this.#extents = found.extents
    this.sizeBytes -= found.lostBytes
    this.count -= found.lostEvents
    this.changed({ bytes: -found.lostBytes, events: -found.lostEvents, reason: 'damaged' })
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
    if (this.#group !== undefined) this.#write()
    await this.#quiet()
    const { bytes } = this.#committed
    const extents = this.#extents ?? [{ start: 0, end: bytes }]
    if (bytes > 0) yield* readExtents(this.#shared.disk, { path: this.#path, extents }, blockOf)
  }

  remove(): Promise<void> {
    this.#removal ??= this.#remove()
    return this.#removal
  }

  async #remove(): Promise<void> {
    await this.#quiet()
    await this.#sealed
    await this.#shared.files.close(this)
    if (this.#sumsAt === undefined && this.#committed.bytes === 0) {
      this.#shared.live.delete(this)
      return
    }
    await removeFile(this.#shared, this.#path)
    await removeFile(this.#shared, this.#path + metaSuffix)
    this.#shared.live.delete(this)
  }

  /** Everything is written, and the files are closed; the chunk stays for the next run. An empty one goes. */
  async rest(): Promise<void> {
    // How a removal ends is told to whoever asked for it.
    if (this.#removal !== undefined) return await this.#removal.catch(() => undefined)
    if (this.#group !== undefined) this.#write()
    await this.#quiet()
    await this.#sealed
    if (this.#committed.bytes === 0) await this.remove()
    else if (this.#shared.fsync !== 'none' && !this.#queued) await this.#syncStaged()
    await this.#shared.files.close(this)
  }

  async #syncStaged(): Promise<void> {
    const { files, log } = this.#shared
    try {
      const pair = await files.take(this, () => this.#open())
      await this.#sync(pair)
    } catch (error) {
      log.warn('a chunk could not be forced onto the disk', { path: this.#path, error })
    } finally {
      files.give(this)
    }
  }
}

/** Both are done, however they ended, before the first error is thrown. */
async function bothOf(one: Promise<void>, other: Promise<void>): Promise<void> {
  const results = await Promise.allSettled([one, other])
  const failed = results.find((result) => result.status === 'rejected')
  if (failed !== undefined) throw failed.reason
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

import { posix } from 'node:path'
import type { FileHandle } from '../core/host.ts'
import type { FileStoreShared } from './file-store.ts'
import type { OpenPair } from './file-store-files.ts'
import { WriteGroup } from './file-store-group.ts'
import { metaSuffix } from './file-store-names.ts'
import { encodeRecord, recordBytes, type SumsRecord, sumsSeed } from './file-store-sums.ts'

/** How much of a chunk is on disk and safe. */
export interface Committed {
  bytes: number
  events: number
  records: number
}

/** More is always written by another thread: it takes milliseconds, however fast the disk is. */
const nowBytes = 4 * 1024 * 1024

const leftover = 'what does not belong to the chunk cannot be cut off from its file'

/** Writes what is appended to one chunk: its events, and a record for each commit. See file-store.ts. */
export class ChunkWriter {
  committed: Committed
  /** Bytes of the .meta file before the first record; undefined: not written yet, or a chunk of Fluentd's. */
  sumsAt: number | undefined
  /** Of the chunk file. */
  path: string
  readonly #shared: FileStoreShared
  readonly #seed: number
  readonly #head: () => Uint8Array
  readonly #refused: (group: WriteGroup) => void
  #group: WriteGroup | undefined
  #writing: WriteGroup | undefined
  #running: Promise<void> | undefined
  /** Whether bytes may stand behind the last commit, because cutting them off failed. */
  #ragged = false
  /** Up to where the file may hold bytes of an older chunk, which had it before. */
  #oldBytes = 0

  constructor(
    shared: FileStoreShared,
    of: {
      readonly id: string
      readonly path: string
      readonly committed: Committed
      readonly sumsAt: number | undefined
      /** What stands in the .meta file before the records. */
      head(): Uint8Array
      /** What was appended since the last commit could not be written, and is not in the chunk. */
      refused(group: WriteGroup): void
    },
  ) {
    this.#shared = shared
    this.#seed = sumsSeed(of.id)
    this.path = of.path
    this.committed = of.committed
    this.sumsAt = of.sumsAt
    this.#head = of.head
    this.#refused = of.refused
  }

  append(bytes: Uint8Array, count: number): void {
    this.#group ??= new WriteGroup(this.#shared)
    if (!this.#writeDirect(this.#group, bytes, count)) this.#group.add(bytes, count)
  }

  /** Writes without a copy, where that may be waited for; the record follows when it is committed. */
  #writeDirect(group: WriteGroup, bytes: Uint8Array, count: number): boolean {
    if (!group.isDirect || this.#running !== undefined) return false
    const pair = this.#pairNow(bytes.byteLength)
    if (pair === undefined) return false
    const { clock, speed } = this.#shared
    const startMs = clock.monotonicMs()
    try {
      pair.chunk.writevNow?.([bytes], this.committed.bytes + group.writtenBytes)
    } catch {
      // Written once more the other way, where an error is dealt with.
      return false
    }
    speed.took(clock.monotonicMs() - startMs)
    group.wrote(bytes, count)
    return true
  }

  /** The files, if so many bytes may be written to them without leaving this round of the event loop. */
  #pairNow(bytes: number): OpenPair | undefined {
    const { files, fsync, speed } = this.#shared
    if (bytes > nowBytes || fsync === 'ack' || !speed.fast || this.#ragged) return undefined
    const pair = files.peek(this)
    return pair?.chunk.writevNow === undefined || pair.meta.writevNow === undefined
      ? undefined
      : pair
  }

  /** Settles when what was appended is written; undefined: it is. */
  commit(): Promise<void> | undefined {
    const group = this.#group
    if (group === undefined) return this.#writing?.settled
    if (this.#running === undefined && this.#tryNow(group)) return undefined
    this.#running ??= this.#start()
    return group.settled
  }

  /** Settles when nothing is being written, and nothing waits to be. */
  async quiet(): Promise<void> {
    void this.commit()
    while (this.#running !== undefined) await this.#running
  }

  #tryNow(group: WriteGroup): boolean {
    const pair = this.#pairNow(group.bytes - group.writtenBytes)
    if (pair === undefined) return false
    const { clock, speed } = this.#shared
    const startMs = clock.monotonicMs()
    try {
      const record = this.#recordOf(group)
      if (!group.isDirect) {
        pair.chunk.writevNow?.(group.pieces(), record.start + group.writtenBytes)
      }
      pair.meta.writevNow?.([encodeRecord(record, this.#seed)], this.#recordAt())
      this.#advance(record)
    } catch {
      // Written once more the other way, where an error is dealt with.
      return false
    }
    speed.took(clock.monotonicMs() - startMs)
    this.#group = undefined
    this.#shared.worked()
    group.succeed()
    group.release()
    return true
  }

  /** From the end of this round of the event loop on, so that what is appended in it goes together. */
  #start(): Promise<void> {
    return new Promise((resolve) => {
      this.#shared.clock.soon(() => {
        void this.#writeGroups().then(resolve)
      })
    })
  }

  async #writeGroups(): Promise<void> {
    for (let group = this.#group; group !== undefined; group = this.#group) {
      // What came while the files were opened, or the one before was written, keeps nothing waiting behind it.
      if (this.#tryNow(group)) break
      this.#group = undefined
      this.#writing = group
      try {
        await this.#write(group)
        this.#shared.worked()
        group.succeed()
      } catch (error) {
        this.#refused(group)
        this.#shared.failed(error)
        group.fail(new Error('events could not be written to the buffer', { cause: error }))
      }
      group.release()
    }
    this.#writing = undefined
    this.#running = undefined
  }

  async #write(group: WriteGroup): Promise<void> {
    const { files, fsync } = this.#shared
    const pair = await files.take(this, () => this.#open())
    try {
      // A process that is killed now may leave a record, and of its events a part: old bytes behind them must not pass for the rest.
      if (this.#ragged) await this.#cut(pair)
      if (this.#ragged) throw new Error(leftover)
      const record = this.#recordOf(group)
      try {
        const written = pair.chunk.writev(group.pieces(), record.start + group.writtenBytes)
        if (this.#hasOldBytes) await written
        await bothOf(written, pair.meta.write(encodeRecord(record, this.#seed), this.#recordAt()))
        if (fsync === 'ack') await syncPair(pair)
      } catch (error) {
        await this.#cut(pair)
        throw error
      }
      this.#advance(record)
    } finally {
      files.give(this)
    }
  }

  #recordOf(group: WriteGroup): SumsRecord {
    const { bytes: start, events } = this.committed
    return {
      start,
      end: start + group.bytes,
      events: group.count,
      total: events + group.count,
      crc: group.crc(),
    }
  }

  #advance(record: SumsRecord): void {
    this.committed.bytes = record.end
    this.committed.events = record.total
    this.committed.records += 1
  }

  #recordAt(): number {
    return (this.sumsAt as number) + this.committed.records * recordBytes
  }

  async #open(): Promise<OpenPair> {
    const { disk, fileMode, fsync } = this.#shared
    const first = this.sumsAt === undefined
    const flags = { write: true, noFollow: true, create: first, truncate: first }
    const meta = await disk.open(this.path + metaSuffix, flags, fileMode)
    try {
      const head = first ? this.#head() : undefined
      if (head !== undefined) await meta.write(head, 0)
      const chunk =
        (first ? await this.#openSpare() : undefined) ??
        (await disk.open(this.path, flags, fileMode))
      if (first && fsync === 'ack') await syncDirectory(this.#shared, posix.dirname(this.path))
      this.sumsAt ??= head?.byteLength
      return { chunk, meta }
    } catch (error) {
      await meta.close()
      throw error
    }
  }

  /** A spare file under the chunk's name; undefined: there is none. */
  async #openSpare(): Promise<FileHandle | undefined> {
    const { disk, spares } = this.#shared
    const spare = spares?.take()
    if (spare === undefined) return undefined
    try {
      await disk.rename(spare.path, this.path)
      const handle = await disk.open(this.path, { write: true, noFollow: true })
      this.#oldBytes = spare.sizeBytes
      return handle
    } catch {
      // As if there were none: the chunk's own file is made, and emptied.
      await disk.unlink(spare.path).catch(() => undefined)
      return undefined
    }
  }

  get #hasOldBytes(): boolean {
    return this.#oldBytes > this.committed.bytes
  }

  /** Of the chunk file, however many of them are the chunk's. */
  get fileBytes(): number {
    return Math.max(this.#oldBytes, this.committed.bytes)
  }

  /** Cuts off what stands behind the last commit: of a failed write, or of an older chunk. */
  async #cut(pair: OpenPair): Promise<void> {
    try {
      await bothOf(pair.chunk.truncate(this.committed.bytes), pair.meta.truncate(this.#recordAt()))
      this.#ragged = false
      this.#oldBytes = 0
    } catch {
      // Recovery would cut here. It is tried again before anything else is written, and when the chunk is sealed.
      this.#ragged = true
    }
  }

  /** Whether bytes that are not the chunk's may stand in its file. */
  get isRagged(): boolean {
    return this.#ragged || this.#hasOldBytes
  }

  /** Runs something on the chunk's files, with nothing behind the last commit in them. Rejects where that cannot be had. */
  async withFiles(run: (pair: OpenPair) => Promise<void>): Promise<void> {
    const { files } = this.#shared
    const pair = await files.take(this, () => this.#open())
    try {
      if (this.isRagged) await this.#cut(pair)
      if (this.isRagged) throw new Error(leftover)
      await run(pair)
    } finally {
      files.give(this)
    }
  }

  close(): Promise<void> {
    return this.#shared.files.close(this)
  }
}

export function syncPair(pair: OpenPair): Promise<void> {
  return bothOf(pair.chunk.sync(), pair.meta.sync())
}

/** Makes names in a directory safe: of files that were made or renamed. */
export async function syncDirectory(
  { disk }: Pick<FileStoreShared, 'disk'>,
  directory: string,
): Promise<void> {
  const handle = await disk.open(directory, { read: true })
  try {
    await handle.sync()
  } finally {
    await handle.close()
  }
}

/** Both are done, however they ended, before the first error is thrown. */
async function bothOf(one: Promise<void>, other: Promise<void>): Promise<void> {
  const results = await Promise.allSettled([one, other])
  const failed = results.find((result) => result.status === 'rejected')
  if (failed !== undefined) throw failed.reason
}

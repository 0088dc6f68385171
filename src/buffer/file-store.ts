import { posix } from 'node:path'
import type { DiskLock } from '../core/disk-lock.ts'
import type { Clock, Disk, Random } from '../core/host.ts'
import type { Logger } from '../core/log.ts'
import { createChunkIds } from './chunk-ids.ts'
import type { Codec } from './compress.ts'
import { createBackup } from './file-store-backup.ts'
import { FileChunk } from './file-store-chunk.ts'
import { OpenFiles } from './file-store-files.ts'
import type { Crc32 } from './file-store-group.ts'
import { lockPlace } from './file-store-lock.ts'
import type { BufferPlace, ChunkNames } from './file-store-names.ts'
import { createSpareFiles, removeLeftSpares, type SpareFiles } from './file-store-spares.ts'
import { poolOf } from './memory-store.ts'
import { recoverArrivals, recoverChunks } from './recovery.ts'
import type { SlabPool } from './slab-pool.ts'
import type { ChunkStore } from './store.ts'
import { createWriteSpeed, type WriteSpeed } from './write-speed.ts'

/**
 * Chunks in files.
 *
 * LAYOUT. Fluentd's, so that its tools and people know it, and either can take over what the other left:
 *
 *   <directory>/buffer.b<32 hex>.log        a staged chunk: what the sink's formatter made of its events, end to end
 *   <directory>/buffer.b<32 hex>.log.meta   beside it
 *   <directory>/buffer.q<32 hex>.log, .log.meta   the same when it is queued: nothing in it changes any more
 *
 * file_single calls the chunk `fsb.<tag>.b<32 hex>.buf`; the .meta beside it, which Fluentd does not have there, keeps what the
 * name cannot say. A .meta file holds
 *
 *   c1 00 | u32 length | map                          Fluentd's part (meta.ts); it reads no further
 *   "SLC1" | u32 CRC-32 of the above, with the numbers `s` and `m` taken as 0
 *   any number of records of 28 bytes, one for each commit:
 *     u48 end | u48 total | u32 length | u32 events | u32 crc | u32 own
 *
 * A record says that the chunk file's bytes [end - length, end) are `events` whole events, that
 * `total` events stand up to `end`, and that the range's CRC-32 is `crc`; `own` is the CRC-32 of the record's first 24 bytes, begun with that of the chunk's id. All numbers big-endian.
 *
 * INVARIANTS.
 *  1. Before a chunk file is written to, its map and "SLC1" are written. Each commit is one write of its events at the
 *     end of the last commit and one write of its record; it settles when both are done. So whatever was acknowledged is whole
 *     in the file, and covered by a record, whenever the process is killed.
 *  2. Only bytes behind the last commit are ever cut off, and only records behind the last commit's. A write that
 *     fails (ENOSPC, EIO) is cut off at once, and refused to its caller; the next one begins at the same place.
 *  3. `s` in the map is 0 while the chunk is staged by us, and the last record's `total` when it is queued. Fluentd writes it
 *     at each commit of its own: a chunk with another `s` was continued by Fluentd, whose events no record covers.
 *  4. Where `compress` says so, the queued files are written anew: `.<name>.new` and `.<name>.new.meta`, the chunk as one gzip
 *     member or zstd frame, with one record over it, its size before in the map (`z`). The .meta file gets its name first, then
 *     the chunk; then the staged files are removed. Where there is no room for that, the chunk is queued as it is.
 *  5. A chunk is removed before its .meta file: a .meta file without a chunk means nothing.
 *  6. A file buffer without `fsync` keeps the files of delivered chunks for a while, as `.sluice-<prefix><suffix>.<32 hex>.spare`, and gives
 *     them to new chunks: then a staged chunk's file may hold old bytes behind the last commit. They are cut off before it is queued, and when the
 *     process ends. Until then no record is written before all of its events are: a process that is killed leaves none over old bytes.
 *     (Not for file_single, where a chunk without its .meta file is one of Fluentd's, and not with `fsync`: after a power failure a
 *     record may be there without its events.)
 *
 * What is in files survives the process (kill -9, a crash) without fsync: the operating system has it. A power failure
 * is another matter: parameter `fsync`.
 *
 * RECOVERY (recovery.ts). Spare files, and those that end in `.new`, are removed. A chunk that is staged and queued was being compressed: if the queued
 * one is whole, the staged one goes, else the other way round. Chunk files of ours are cut behind the last record whose range they hold. Before they are
 * delivered, each range is compared with its CRC; what differs is left out, counted as dropped (`damaged`), and kept in the
 * backup directory with the reason. Chunk files without records, or with others' in between, are Fluentd's: they are cut
 * behind the last whole line or MessagePack value, and what was cut is kept in the backup directory. A .meta file that cannot
 * be read makes its chunk unreadable: nobody knows for which tag it was; it moves to the backup directory.
 */
export interface FileStoreOptions {
  readonly outside: { readonly clock: Clock; readonly disk: Disk; readonly random: Random }
  readonly log: Logger
  readonly crc32: Crc32
  /** Looked up when the store is opened: what is at the path decides what it means. */
  locate(): Promise<BufferPlace>
  namesAt(place: BufferPlace): ChunkNames
  readonly fsync: FsyncPolicy
  readonly fileMode: number
  readonly directoryMode: number
  /** Where unreadable chunks go: `root_dir` of <system>, or else the buffer's directory; undefined: nowhere. */
  readonly backup: BackupSettings | undefined
  /** Whether a new chunk may get the file of a delivered one. */
  readonly reusesFiles?: boolean
  /** How queued chunks are compressed; undefined: not at all. */
  readonly codec?: Codec | undefined
  /** What chunks hold that Fluentd left. */
  readonly chunkFormat: ChunkFormat
  /** 'buffer:/path' */
  readonly claims: readonly string[]
}

/** `auto`: their first bytes tell. */
export type ChunkFormat = 'msgpack' | 'text' | 'auto'

/** When events are forced onto the medium: never by us, when a chunk is queued, before each commit settles. */
export type FsyncPolicy = 'none' | 'seal' | 'ack'

export interface BackupSettings {
  readonly rootDirectory: string | undefined
  readonly workerId: number
  readonly pluginId: string
}

/** What chunks of one store share. */
export interface FileStoreShared {
  readonly clock: Clock
  readonly disk: Disk
  readonly log: Logger
  readonly pool: SlabPool
  readonly crc32: Crc32
  readonly files: OpenFiles
  readonly speed: WriteSpeed
  readonly directory: string
  readonly names: ChunkNames
  readonly fsync: FsyncPolicy
  readonly fileMode: number
  readonly codec: Codec | undefined
  readonly backup: ReturnType<typeof createBackup>
  /** undefined: no chunk gets the file of another one. */
  readonly spares: SpareFiles | undefined
  /** Chunks that hold events which are not yet, or no longer, on their way to a sink. */
  readonly live: Set<FileChunk>
  /** A write failed, or worked: said once each time it changes. */
  failed(error: unknown): void
  worked(): void
}

/** Chunks whose files are open for writing at the same time. */
const openChunksLimit = 256

export function createFileStore(options: FileStoreOptions): ChunkStore {
  const nextId = createChunkIds(options.outside.random)
  let shared: FileStoreShared | undefined
  let lock: DiskLock | undefined
  let closed = false
  let looking: Promise<unknown> = Promise.resolve()
  return {
    persistent: true,
    claims: options.claims,
    async open(damaged) {
      const place = await options.locate()
      const { disk } = options.outside
      await disk.mkdir(place.directory, options.directoryMode)
      lock = await lockPlace({ disk, log: options.log }, place)
      try {
        await removeLeftSpares({ disk, log: options.log }, place)
        shared = sharedOf(options, place)
        return await recoverChunks({
          shared,
          directories: place.alsoDirectory === undefined ? [] : [place.alsoDirectory],
          chunkFormat: options.chunkFormat,
          damaged: damaged ?? (() => undefined),
        })
      } catch (error) {
        await lock.release()
        throw error
      }
    },
    arrivals() {
      // One after the other: what one is about to take, the next would not know yet.
      const looked = looking.then(async () =>
        shared === undefined || closed
          ? []
          : await recoverArrivals({ shared, chunkFormat: options.chunkFormat }),
      )
      looking = looked.catch(() => undefined)
      return looked
    },
    create(metadata, changed) {
      if (shared === undefined) throw new Error('bug: the store is not open')
      return FileChunk.create(shared, { id: nextId(), metadata, changed })
    },
    async close() {
      if (shared === undefined) return
      closed = true
      await looking
      await shared.spares?.close()
      // All of them come to rest, whatever the disk says to one.
      const rested = await Promise.allSettled([...shared.live].map((chunk) => chunk.rest()))
      await shared.files.closeAll()
      await lock?.release()
      const failed = rested.find((result) => result.status === 'rejected')
      if (failed !== undefined) throw failed.reason
    },
  }
}

function sharedOf(options: FileStoreOptions, place: BufferPlace): FileStoreShared {
  const { clock, disk } = options.outside
  const { log } = options
  const reuses = options.reusesFiles === true && options.fsync === 'none'
  const spares = reuses ? createSpareFiles(options.outside, place) : undefined
  let failing = false
  return {
    clock,
    disk,
    log,
    pool: poolOf(options.outside),
    crc32: options.crc32,
    files: new OpenFiles(openChunksLimit),
    speed: createWriteSpeed(clock),
    directory: place.directory,
    names: options.namesAt(place),
    fsync: options.fsync,
    fileMode: options.fileMode,
    codec: options.codec,
    backup: createBackup({
      disk,
      log,
      directory: options.backup && backupDirectory(options.backup, place.directory),
      fileMode: options.fileMode,
      directoryMode: options.directoryMode,
    }),
    spares,
    live: new Set(),
    failed(error) {
      void spares?.clear()
      if (failing) return
      failing = true
      log.error('the buffer cannot be written: events are refused until it can', {
        path: place.directory,
        error,
      })
    },
    worked() {
      if (!failing) return
      failing = false
      log.info('the buffer can be written again', { path: place.directory })
    },
  }
}

/** As Fluentd, whose directory without `root_dir` is one that everybody can write to (/tmp/fluent): ours is the buffer's. */
function backupDirectory(settings: BackupSettings, bufferDirectory: string): string {
  const id = settings.pluginId.replace(/[ "/\\:;|*<>?]/g, '_')
  return posix.join(
    settings.rootDirectory ?? bufferDirectory,
    'backup',
    `worker${settings.workerId}`,
    id === '.' || id === '..' ? '_' : id,
  )
}

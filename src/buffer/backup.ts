import { posix } from 'node:path'
import type { PluginContext } from '../config/define.ts'
import type { FileHandle } from '../core/host.ts'
import type { Chunk } from '../core/output.ts'
import { bytesOf, type ChunkBytes, isWhole } from './chunk-bytes.ts'
import type { Refusal } from './division.ts'

/**
 * The backup directory: chunks that are given up are kept there, to be looked at and sent again (`sluice buffer`).
 *
 *   <root>/backup/worker<N>/<plugin id>/<chunk id>.log        the chunk's bytes, as the sink's formatter made them
 *   <root>/backup/worker<N>/<plugin id>/<chunk id>.log.json   why, when, whose: BackupNote. Written last.
 *
 * Paths and names are Fluentd's, which writes the first file only. <root> is root_dir of <system>, or the directory of the
 * output's file buffer, or `/tmp/fluent` as Fluentd has it, where only we can read the files.
 */
export interface BackupNote {
  readonly version: 1
  /** The output's id and type. */
  readonly output: string
  readonly type: string
  readonly chunk: string
  readonly events: number
  readonly bytes: number
  /** Of the end, and the chunk's beginning: ISO 8601. */
  readonly time: string
  readonly created: string
  readonly code: string
  readonly reason: string
  /** Seconds since 1970, the slice's start; null where the chunk has none. The same for tag and fields. */
  readonly timekey: number | null
  readonly tag: string | null
  readonly variables: Readonly<Record<string, unknown>> | null
  /** Where only some of a larger chunk's events were refused: which, in order. */
  readonly refused?: readonly Refusal[]
}

export interface Backup {
  /**
   * Keeps a chunk. Resolves to its path; undefined where backups are switched off (disable_chunk_backup). What is there of
   * the same id, an earlier run's that ended in between, is written again. Rejects as the disk does.
   */
  keep(chunk: Chunk, why: BackupReason): Promise<string | undefined>
}

export interface BackupReason {
  readonly code: string
  readonly reason: string
  readonly refused?: readonly Refusal[] | undefined
  /** The chunk's own file, where it has one. */
  readonly path?: string | undefined
}

export const defaultBackupRoot = '/tmp/fluent'
export const noteSuffix = '.json'

const defaultFileMode = 0o644
const defaultDirectoryMode = 0o755

export function createBackups(context: PluginContext, options: { disabled: boolean }): Backup {
  const { host, system, id, type } = context
  const { disk, clock } = host

  async function write(path: string, mode: number, bytes: ChunkBytes): Promise<void> {
    let file: FileHandle | undefined
    try {
      const flags = { write: true, create: true, truncate: true, noFollow: true }
      file = await disk.open(path, flags, mode)
      if (isWhole(bytes)) await file.writev(bytes)
      else for await (const piece of bytes) await file.write(piece)
      await file.sync()
    } finally {
      await file?.close()
    }
  }

  function noteOf(chunk: Chunk, why: BackupReason): BackupNote {
    const { timekey, tag, variables } = chunk.metadata
    return {
      version: 1,
      output: id,
      type,
      chunk: chunk.id,
      events: chunk.count,
      bytes: chunk.sizeBytes,
      time: new Date(clock.wallMs()).toISOString(),
      created: new Date(chunk.createdMs).toISOString(),
      code: why.code,
      reason: why.reason,
      timekey: timekey ?? null,
      tag: tag ?? null,
      variables: variables ?? null,
      ...(why.refused === undefined ? {} : { refused: why.refused }),
    }
  }

  return {
    async keep(chunk, why) {
      if (options.disabled) return undefined
      const root = system.rootDir ?? (why.path && posix.dirname(why.path))
      // Everybody can look into the directory that stands in for a root_dir.
      const shared = root === undefined
      const directory = backupDirectory(root ?? defaultBackupRoot, { ...system, id })
      const path = posix.join(directory, `${chunk.id}.log`)
      const mode = shared ? 0o600 : (system.filePermission ?? defaultFileMode)
      await disk.mkdir(directory, shared ? 0o700 : (system.dirPermission ?? defaultDirectoryMode))
      await write(path, mode, await bytesOf(chunk))
      const note = `${JSON.stringify(noteOf(chunk, why), null, 2)}\n`
      await write(path + noteSuffix, mode, [Buffer.from(note)])
      return path
    },
  }
}

/** `<root>/backup/worker0/<id>`. What cannot stand in a name becomes `_`, as in Fluentd. */
export function backupDirectory(root: string, of: { workerId: number; id: string }): string {
  const id = of.id.replace(/[ "/\\:;|*<>?]/g, '_')
  const name = id === '.' || id === '..' ? '_' : id
  return posix.join(root, 'backup', `worker${of.workerId}`, name)
}

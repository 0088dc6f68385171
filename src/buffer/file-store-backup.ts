import { posix } from 'node:path'
import type { Disk } from '../core/host.ts'
import type { Logger } from '../core/log.ts'

/** What is kept of a chunk that cannot be delivered. */
export interface BackupPart {
  /** Of the file, without its end: the chunk's id, and where in it the bytes were. */
  readonly name: string
  readonly reason: string
  readonly bytes: AsyncIterable<Uint8Array>
  /** Of its .meta file, where that can be read: for which tag the events were. */
  readonly meta?: Uint8Array | undefined
}

export interface Backup {
  /**
   * Keeps the bytes as `<name>.log`, with `<name>.log.meta` and `<name>.log.reason`. Resolves to the path; undefined where
   * backups are switched off. What was kept already is not kept twice. Rejects as the disk does.
   */
  keep(part: BackupPart): Promise<string | undefined>
}

export function createBackup(options: {
  readonly disk: Disk
  readonly log: Logger
  /** undefined: nothing is kept. */
  readonly directory: string | undefined
  readonly fileMode: number
  readonly directoryMode: number
}): Backup {
  const { disk, log, directory, fileMode, directoryMode } = options

  async function write(path: string, bytes: AsyncIterable<Uint8Array>): Promise<void> {
    const flags = { write: true, create: true, truncate: true, noFollow: true }
    const file = await disk.open(path, flags, fileMode)
    try {
      for await (const piece of bytes) await file.write(piece)
      await file.sync()
    } finally {
      await file.close()
    }
  }

  return {
    async keep({ name, reason, bytes, meta }) {
      if (directory === undefined) {
        log.warn('disable_chunk_backup is true: a damaged chunk is thrown away', { name, reason })
        return undefined
      }
      const path = posix.join(directory, `${name}.log`)
      // Written last: where it stands, the rest is whole.
      if ((await disk.stat(`${path}.reason`)) !== undefined) return path
      await disk.mkdir(directory, directoryMode)
      await write(path, bytes)
      if (meta !== undefined) await write(`${path}.meta`, once(meta))
      await write(`${path}.reason`, once(Buffer.from(`${reason}\n`)))
      log.error('what cannot be read of a chunk is kept aside', { path, reason })
      return path
    },
  }
}

async function* once(bytes: Uint8Array): AsyncIterable<Uint8Array> {
  yield bytes
}

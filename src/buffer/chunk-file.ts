import { posix } from 'node:path'
import type { Disk, FileHandle, OpenFlags } from '../core/host.ts'

/**
 * Writes chunks to files, for outputs that do: whole or not at all. A write that fails half-way (a full disk) is taken
 * back, so that the retry leaves no torn line and no repeated one behind.
 */
export interface ChunkFiles {
  /** Adds the pieces at the file's end; makes it, and its directory, if need be. One at a time for each file. */
  append(path: string, pieces: readonly Uint8Array[], options: { noFollow: boolean }): Promise<void>
  /** Writes the first file of `nameOf(0)`, `nameOf(1)` … that does not exist yet. Returns its path. */
  create(nameOf: (index: number) => string, pieces: readonly Uint8Array[]): Promise<string>
}

/** Indexes tried one by one before the directory is read to find the first free one. */
const triedIndexes = 4

export function createChunkFiles(options: {
  readonly disk: Disk
  readonly fileMode: number
  readonly directoryMode: number
  /** Whether nobody else appends to our files: only then can a failed write be cut off again. */
  readonly alone: boolean
}): ChunkFiles {
  const { disk, fileMode, directoryMode, alone } = options
  /** The last append of each file that has one under way. */
  const busy = new Map<string, Promise<void>>()

  async function open(path: string, flags: OpenFlags): Promise<FileHandle> {
    try {
      return await disk.open(path, flags, fileMode)
    } catch (error) {
      if (codeOf(error) !== 'ENOENT') throw error
      await disk.mkdir(posix.dirname(path), directoryMode)
      return await disk.open(path, flags, fileMode)
    }
  }

  async function appendNow(
    path: string,
    pieces: readonly Uint8Array[],
    noFollow: boolean,
  ): Promise<void> {
    const file = await open(path, { append: true, create: true, noFollow })
    try {
      const before = await file.stat()
      try {
        await file.writev(pieces)
      } catch (error) {
        if (alone && before.kind === 'file') await file.truncate(before.sizeBytes)
        throw error
      }
    } finally {
      await file.close()
    }
  }

  async function tryCreate(path: string, pieces: readonly Uint8Array[]): Promise<boolean> {
    let file: FileHandle
    try {
      file = await open(path, { write: true, create: true, exclusive: true })
    } catch (error) {
      if (codeOf(error) === 'EEXIST') return false
      throw error
    }
    try {
      await file.writev(pieces)
    } catch (error) {
      await file.close()
      await disk.unlink(path)
      throw error
    }
    await file.close()
    return true
  }

  async function taken(path: string): Promise<(path: string) => boolean> {
    const names = new Set(await disk.readdir(posix.dirname(path)))
    return (other) => names.has(posix.basename(other))
  }

  return {
    append(path, pieces, { noFollow }) {
      const before = busy.get(path) ?? Promise.resolve()
      // How the one before ended is its caller's business.
      const mine = before.then(
        () => appendNow(path, pieces, noFollow),
        () => appendNow(path, pieces, noFollow),
      )
      busy.set(path, mine)
      return mine.finally(() => {
        if (busy.get(path) === mine) busy.delete(path)
      })
    },
    async create(nameOf, pieces) {
      let isTaken = (_path: string) => false
      for (let index = 0; ; index += 1) {
        const path = nameOf(index)
        if (index === triedIndexes) isTaken = await taken(path)
        if (!isTaken(path) && (await tryCreate(path, pieces))) return path
      }
    },
  }
}

function codeOf(error: unknown): string | undefined {
  return (error as { code?: string }).code
}

import { posix } from 'node:path'
import type { Disk, FileHandle, OpenFlags } from '../core/host.ts'
import { type ChunkBytes, isWhole } from './chunk-bytes.ts'
import { ofTakenName } from './safe-path.ts'

/**
 * Writes chunks to files, for outputs that do: whole or not at all. A write that fails half-way (a full disk) is taken
 * back, so that the retry leaves no torn line and no repeated one behind.
 */
export interface ChunkFiles {
  /**
   * Adds the pieces at the file's end; makes it, and its directory, if need be. One at a time for each file. `noFollow`: the
   * path is made of tags and fields: rejects with PermanentError where something else has the name.
   */
  append(path: string, bytes: ChunkBytes, options: { noFollow: boolean }): Promise<void>
  /** Writes the first file of `nameOf(0)`, `nameOf(1)` … that does not exist yet. Returns its path. */
  create(nameOf: (index: number) => string, bytes: ChunkBytes): Promise<string>
  /** At the end: once more cuts off what could not be cut off when its write failed. Rejects as the disk does. */
  cutTorn(): Promise<void>
}

/** Files of which is remembered that they were looked at, or that they end in something to be cut off. */
const knownFilesLimit = 4096

/** How far back the last whole line's end is looked for. */
const tornLineLimitBytes = 16 * 1024 * 1024

/** Bytes read at a time for it. */
const lookBackBytes = 64 * 1024

const lineFeed = 0x0a

/** Indexes tried one by one before the directory is read to find the first free one. */
const triedIndexes = 4

export function createChunkFiles(options: {
  readonly disk: Disk
  readonly fileMode: number
  readonly directoryMode: number
  /** Whether nobody else appends to our files: only then can a failed write be cut off again. */
  readonly alone: boolean
  /** Whether every chunk is whole lines: only then can be seen where the last one ended that was written whole. */
  readonly lines?: boolean
}): ChunkFiles {
  const { disk, fileMode, directoryMode, alone } = options
  /** The last append of each file that has one under way. */
  const busy = new Map<string, Promise<void>>()
  /** Where each file's last whole chunk ends, if what is behind it could not be cut off; undefined: nothing is. */
  const known = new Map<string, number | undefined>()

  async function open(path: string, flags: OpenFlags): Promise<FileHandle> {
    try {
      return await disk.open(path, flags, fileMode)
    } catch (error) {
      if (codeOf(error) !== 'ENOENT') throw error
      await disk.mkdir(posix.dirname(path), directoryMode)
      return await disk.open(path, flags, fileMode)
    }
  }

  async function appendNow(path: string, bytes: ChunkBytes, noFollow: boolean): Promise<void> {
    const flags = { append: true, create: true, noFollow }
    const file = await open(path, flags).catch((error: unknown) => {
      throw noFollow ? ofTakenName(error, path) : error
    })
    try {
      const before = await file.stat()
      const cuts = alone && before.kind === 'file'
      const sizeBytes = cuts ? await wholeBytes(path, before.sizeBytes, noFollow) : 0
      if (cuts && sizeBytes < before.sizeBytes) await file.truncate(sizeBytes)
      remember(path, undefined)
      try {
        await writeAll(file, bytes)
      } catch (error) {
        if (cuts) {
          remember(path, sizeBytes)
          await file.truncate(sizeBytes)
          remember(path, undefined)
        }
        throw error
      }
    } finally {
      await file.close()
    }
  }

  /**
   * How much of the file is whole. The first time we see it, an earlier process may have been killed in the middle of a line: the
   * chunk that the line is of was not delivered, so it is coming again.
   */
  async function wholeBytes(path: string, sizeBytes: number, noFollow: boolean): Promise<number> {
    if (known.has(path)) return Math.min(known.get(path) ?? sizeBytes, sizeBytes)
    if (options.lines !== true || sizeBytes === 0) return sizeBytes
    const file = await disk.open(path, { read: true, noFollow })
    try {
      return await wholeLinesBytes(file, sizeBytes)
    } finally {
      await file.close()
    }
  }

  function remember(path: string, wholeEnd: number | undefined): void {
    known.delete(path)
    known.set(path, wholeEnd)
    if (known.size <= knownFilesLimit) return
    for (const [oldest, end] of known) {
      // What still has to be cut is not forgotten.
      if (end !== undefined) continue
      known.delete(oldest)
      return
    }
  }

  async function tryCreate(path: string, bytes: ChunkBytes): Promise<boolean> {
    let file: FileHandle
    try {
      file = await open(path, { write: true, create: true, exclusive: true })
    } catch (error) {
      if (codeOf(error) === 'EEXIST') return false
      throw error
    }
    try {
      await writeAll(file, bytes)
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
    append(path, bytes, { noFollow }) {
      const before = busy.get(path) ?? Promise.resolve()
      // How the one before ended is its caller's business.
      const mine = before.then(
        () => appendNow(path, bytes, noFollow),
        () => appendNow(path, bytes, noFollow),
      )
      busy.set(path, mine)
      return mine.finally(() => {
        if (busy.get(path) === mine) busy.delete(path)
      })
    },
    async cutTorn() {
      for (const [path, end] of known) {
        if (end === undefined || busy.has(path)) continue
        const file = await disk.open(path, { write: true, noFollow: true })
        try {
          await file.truncate(end)
          remember(path, undefined)
        } finally {
          await file.close()
        }
      }
    },
    async create(nameOf, bytes) {
      let isTaken = (_path: string) => false
      for (let index = 0; ; index += 1) {
        const path = nameOf(index)
        if (index === triedIndexes) isTaken = await taken(path)
        if (!isTaken(path) && (await tryCreate(path, bytes))) return path
      }
    },
  }
}

async function writeAll(file: FileHandle, bytes: ChunkBytes): Promise<void> {
  if (isWhole(bytes)) await file.writev(bytes)
  else for await (const piece of bytes) await file.write(piece)
}

/** Up to the end of the last whole line; all of it where there is none near the end: then it is no file of lines. */
async function wholeLinesBytes(file: FileHandle, sizeBytes: number): Promise<number> {
  const block = new Uint8Array(lookBackBytes)
  for (let end = sizeBytes; end > 0 && sizeBytes - end < tornLineLimitBytes; ) {
    const start = Math.max(0, end - lookBackBytes)
    const count = await file.read(block.subarray(0, end - start), start)
    const last = block.lastIndexOf(lineFeed, count - 1)
    if (last >= 0) return start + last + 1
    if (start === 0) return sizeBytes > tornLineLimitBytes ? sizeBytes : 0
    end = start
  }
  return sizeBytes
}

function codeOf(error: unknown): string | undefined {
  return (error as { code?: string }).code
}

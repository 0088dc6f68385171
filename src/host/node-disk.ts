import {
  type BigIntStats,
  constants,
  lstatSync,
  readdirSync,
  readFileSync,
  type Stats,
  watch,
  writevSync,
} from 'node:fs'
import * as fs from 'node:fs/promises'
import { dirname } from 'node:path'
import type { Disk, FileHandle, FileStat, FileTarget, OpenFlags } from '../core/host.ts'
import { createDiskLocks } from './disk-locks.ts'

/** Pieces handed to one writev call: the operating system's IOV_MAX is 1024 on Linux. */
const maxPieces = 1024

export function createNodeDisk(): Disk {
  return {
    async open(path, flags, mode) {
      return wrapHandle(await fs.open(path, openFlags(flags), mode))
    },
    readFile: (path) => fs.readFile(path),
    readFileSync: (path) => readFileSync(path),
    async mkdir(path, mode) {
      await fs.mkdir(path, { recursive: true, ...(mode === undefined ? {} : { mode }) })
    },
    readdir: (path) => fs.readdir(path),
    readdirSync: (path) => readdirSync(path),
    rename: (from, to) => fs.rename(from, to),
    unlink: (path) => fs.unlink(path),
    rmdir: (path) => fs.rmdir(path),
    symlink: (target, path) => fs.symlink(target, path),
    readlink: (path) => fs.readlink(path),
    chmod: (path, mode) => fs.chmod(path, mode),
    async stat(path) {
      try {
        return fileStat(await fs.lstat(path))
      } catch (error) {
        if (isMissing(error)) return undefined
        throw error
      }
    },
    statSync(path) {
      try {
        const stats = lstatSync(path, { throwIfNoEntry: false })
        return stats === undefined ? undefined : fileStat(stats)
      } catch (error) {
        if (isMissing(error)) return undefined
        throw error
      }
    },
    realpath: (path) => fs.realpath(path),
    async target(path) {
      try {
        return fileTarget(await fs.stat(path, { bigint: true }))
      } catch (error) {
        if (isMissing(error)) return undefined
        throw error
      }
    },
    watch(path, changed) {
      const watcher = watch(path, { persistent: false }, changed)
      // What becomes of the file is seen by looking at it.
      watcher.on('error', changed)
      return watcher
    },
    writable,
    lock: createDiskLocks(process.pid),
  }
}

function openFlags(flags: OpenFlags): number {
  const write = flags.write === true || flags.append === true
  let bits = write
    ? flags.read === true
      ? constants.O_RDWR
      : constants.O_WRONLY
    : constants.O_RDONLY
  if (flags.append === true) bits |= constants.O_APPEND
  if (flags.create === true) bits |= constants.O_CREAT
  if (flags.exclusive === true) bits |= constants.O_EXCL
  if (flags.truncate === true) bits |= constants.O_TRUNC
  if (flags.noFollow === true) bits |= constants.O_NOFOLLOW
  if (flags.nonBlocking === true) bits |= constants.O_NONBLOCK
  return bits
}

function wrapHandle(handle: fs.FileHandle): FileHandle {
  return {
    async write(bytes, position) {
      let done = 0
      while (done < bytes.byteLength) {
        const at = position === undefined ? null : position + done
        const { bytesWritten } = await handle.write(bytes, done, bytes.byteLength - done, at)
        done += bytesWritten
      }
    },
    async writev(pieces, position) {
      let rest = pieces.filter((piece) => piece.byteLength > 0)
      let at = position
      while (rest.length > 0) {
        const { bytesWritten } = await handle.writev(rest.slice(0, maxPieces), at)
        rest = behind(rest, bytesWritten)
        if (at !== undefined) at += bytesWritten
      }
    },
    writevNow(pieces, position) {
      let rest = pieces.filter((piece) => piece.byteLength > 0)
      let at = position
      while (rest.length > 0) {
        const written = writevSync(handle.fd, rest.slice(0, maxPieces), at)
        rest = behind(rest, written)
        at += written
      }
    },
    async read(into, position) {
      const { bytesRead } = await handle.read(into, 0, into.byteLength, position)
      return bytesRead
    },
    async stat() {
      return fileStat(await handle.stat())
    },
    async target() {
      return fileTarget(await handle.stat({ bigint: true }))
    },
    truncate: (sizeBytes) => handle.truncate(sizeBytes),
    sync: () => handle.datasync(),
    close: () => handle.close(),
  }
}

/** What is left of the pieces after their first `bytes` bytes. */
function behind(pieces: Uint8Array[], bytes: number): Uint8Array[] {
  let skip = bytes
  let index = 0
  while (index < pieces.length && skip >= pieces[index]!.byteLength) {
    skip -= pieces[index]!.byteLength
    index += 1
  }
  const rest = pieces.slice(index)
  if (skip > 0) rest[0] = rest[0]!.subarray(skip)
  return rest
}

function fileStat(stats: Stats): FileStat {
  return {
    kind: stats.isFile()
      ? 'file'
      : stats.isDirectory()
        ? 'directory'
        : stats.isSymbolicLink()
          ? 'symlink'
          : 'other',
    sizeBytes: stats.size,
    modifiedMs: stats.mtimeMs,
    inode: stats.ino,
    device: stats.dev,
  }
}

function fileTarget(stats: BigIntStats): FileTarget {
  return {
    kind: stats.isFile() ? 'file' : stats.isDirectory() ? 'directory' : 'other',
    sizeBytes: Number(stats.size),
    modifiedMs: Number(stats.mtimeMs),
    inode: stats.ino,
  }
}

function isMissing(error: unknown): boolean {
  const code = (error as NodeJS.ErrnoException).code
  return code === 'ENOENT' || code === 'ENOTDIR'
}

async function writable(path: string): Promise<boolean> {
  let place = path
  for (;;) {
    try {
      const stats = await fs.stat(place)
      // A parent that is no directory cannot get a file in it.
      if (place !== path && !stats.isDirectory()) return false
      const bits = stats.isDirectory() ? constants.W_OK | constants.X_OK : constants.W_OK
      return await fs.access(place, bits).then(
        () => true,
        () => false,
      )
    } catch (error) {
      if (!isMissing(error)) return false
    }
    const parent = dirname(place)
    if (parent === place) return false
    place = parent
  }
}

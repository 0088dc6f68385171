import type { DiskLock } from './disk-lock.ts'

/**
 * Errors of Disk are Node's own: an Error with `code` ('ENOENT', 'ENOSPC' ...). Paths are as the
 * operating system takes them.
 */
export interface Disk {
  open(path: string, flags: OpenFlags, mode?: number): Promise<FileHandle>
  readFile(path: string): Promise<Uint8Array>
  /** The same, at start, while there is nothing else to do (configuration files, certificates). */
  readFileSync(path: string): Uint8Array
  /** Creates missing parents too. */
  mkdir(path: string, mode?: number): Promise<void>
  readdir(path: string): Promise<string[]>
  readdirSync(path: string): string[]
  rename(from: string, to: string): Promise<void>
  unlink(path: string): Promise<void>
  rmdir(path: string): Promise<void>
  symlink(target: string, path: string): Promise<void>
  readlink(path: string): Promise<string>
  chmod(path: string, mode: number): Promise<void>
  /** undefined if there is no such file. Does not follow a final symbolic link. */
  stat(path: string): Promise<FileStat | undefined>
  statSync(path: string): FileStat | undefined
  /** The path with all links resolved; rejects with ENOENT. */
  realpath(path: string): Promise<string>
  /**
   * What the path leads to, all links followed; undefined: nothing is there. Rejects with EACCES and the like.
   */
  target(path: string): Promise<FileTarget | undefined>
  /**
   * Calls `changed` after the file at the path was written to, cut, moved or removed, as the system
   * tells of it: perhaps once for several changes, perhaps without any, perhaps (network file
   * systems) never. Throws (ENOENT, ENOSPC: no watches left) if it cannot.
   */
  watch(path: string, changed: () => void): FileWatch
  /**
   * Whether a file could be created or written at the path (its nearest existing parent decides).
   * For --dry-run.
   */
  writable(path: string): Promise<boolean>
  /**
   * Holds a path in a directory that is there for this process alone (as often as it likes), until it is released or the
   * process ends, however it does. Rejects with LockedError if another process has it; otherwise where the file system cannot.
   */
  lock?(path: string): Promise<DiskLock>
}

export interface OpenFlags {
  readonly read?: boolean
  readonly write?: boolean
  readonly append?: boolean
  readonly create?: boolean
  /** Fail with EEXIST if it is there. */
  readonly exclusive?: boolean
  readonly truncate?: boolean
  /** Fail with ELOOP if the last part of the path is a symbolic link. */
  readonly noFollow?: boolean
  /** Do not wait for the other side of a named pipe. */
  readonly nonBlocking?: boolean
}

/** A file as those see it who follow one: with its whole identity (inodes may have 64 bits). */
export interface FileTarget {
  readonly kind: 'file' | 'directory' | 'other'
  readonly sizeBytes: number
  readonly modifiedMs: number
  readonly inode: bigint
}

export interface FileWatch {
  close(): void
}

export interface FileStat {
  readonly kind: 'file' | 'directory' | 'symlink' | 'other'
  readonly sizeBytes: number
  readonly modifiedMs: number
  readonly inode: number
  readonly device: number
}

export interface FileHandle {
  /**
   * Writes all of it (loops over short writes); at `position` or, for append or `undefined`, where
   * the file stands.
   */
  write(bytes: Uint8Array, position?: number): Promise<void>
  /**
   * Several pieces in one system call where that can be done; all of them, side by side. `position`
   * as for `write`.
   */
  writev(pieces: readonly Uint8Array[], position?: number): Promise<void>
  /**
   * As writev, and done when it returns; throws as writev rejects. For files whose writes only go to the operating system's
   * memory, which is cheaper to wait for than to be told of. A disk that has it not is written to by writev.
   */
  writevNow?(pieces: readonly Uint8Array[], position: number): void
  read(into: Uint8Array, position: number): Promise<number>
  stat(): Promise<FileStat>
  /** As Disk.target, of the file that is open. */
  target(): Promise<FileTarget>
  truncate(sizeBytes: number): Promise<void>
  /** Data on the medium (fdatasync). */
  sync(): Promise<void>
  close(): Promise<void>
}

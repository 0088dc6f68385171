import { posix } from 'node:path'
import type { Disk, FileHandle } from '../../core/host.ts'

/**
 * How far files were read, in Fluentd's form: a line a file, `path TAB position TAB inode LF`, both numbers as 16
 * hexadecimal digits that are written over in place. A file that is not followed any more has the position
 * ffffffffffffffff; its line goes at the next compaction.
 */

const unwatchedDigits = 'ffffffffffffffff'
const digits = 16
const linePattern = /^([^\t]+)\t([0-9a-fA-F]+)\t([0-9a-fA-F]+)/

/** Where one file is read from, and which file that is. */
export interface PositionEntry {
  /** 0n: nothing is known yet. */
  readonly inode: bigint
  /** Bytes that were read, and whose events were taken. */
  readonly position: number
  set(inode: bigint, position: number): void
}

/** Of a file whose position is not kept. */
export class MemoryEntry implements PositionEntry {
  inode: bigint
  position: number

  constructor(inode = 0n, position = 0) {
    this.inode = inode
    this.position = position
  }

  set(inode: bigint, position: number): void {
    this.inode = inode
    this.position = position
  }
}

class FileEntry implements PositionEntry {
  readonly path: string
  readonly #changed: (entry: FileEntry) => void
  inode: bigint
  position: number
  /** Where its line begins; undefined: it has none yet. */
  offset: number | undefined
  unwatched = false

  constructor(path: string, changed: (entry: FileEntry) => void, inode = 0n, position = 0) {
    this.path = path
    this.#changed = changed
    this.inode = inode
    this.position = position
  }

  set(inode: bigint, position: number): void {
    if (this.inode === inode && this.position === position) return
    this.inode = inode
    this.position = position
    this.#changed(this)
  }

  get numbers(): string {
    const position = this.unwatched ? unwatchedDigits : hex(BigInt(this.position))
    return `${position}\t${hex(this.inode)}`
  }

  get line(): Buffer {
    return Buffer.from(`${this.path}\t${this.numbers}\n`)
  }
}

function hex(value: bigint): string {
  return value.toString(16).padStart(digits, '0')
}

export interface PositionFileOptions {
  readonly path: string
  readonly disk: Disk
  readonly fileMode: number
  readonly dirMode: number
  /** Entries are known by inode, not by path. */
  readonly byInode: boolean
  warn(message: string, fields: Record<string, unknown>): void
}

/** Paths and inodes that there are now; lines of others go at the start. */
export interface KnownFiles {
  readonly paths: ReadonlySet<string>
  readonly inodes: ReadonlySet<bigint>
}

export class PositionFile {
  readonly #options: PositionFileOptions
  readonly #entries = new Map<string | bigint, FileEntry>()
  readonly #dirty = new Set<FileEntry>()
  #handle: FileHandle
  #sizeBytes = 0
  /** Writes happen one after the other. */
  #last: Promise<void> = Promise.resolve()
  #writing = false

  private constructor(options: PositionFileOptions, handle: FileHandle) {
    this.#options = options
    this.#handle = handle
  }

  /** Reads the file, which it makes if it is not there, and takes out what is not in `known`. Rejects if it cannot. */
  static async open(options: PositionFileOptions, known: KnownFiles): Promise<PositionFile> {
    const { disk, path, fileMode, dirMode } = options
    await disk.mkdir(posix.dirname(path), dirMode)
    const handle = await disk.open(path, { read: true, write: true, create: true }, fileMode)
    const file = new PositionFile(options, handle)
    try {
      await file.#load(known)
    } catch (error) {
      await file.#handle.close()
      throw error
    }
    return file
  }

  async #load(known: KnownFiles): Promise<void> {
    const before = await this.#options.disk.readFile(this.#options.path)
    for (const line of Buffer.from(before).toString('latin1').split('\n')) {
      if (line !== '') this.#read(line, known)
    }
    await this.#rewrite(before)
  }

  #read(line: string, known: KnownFiles): void {
    const parts = linePattern.exec(line)
    const position = BigInt(`0x${parts?.[2] ?? 0}`)
    const inode = BigInt(`0x${parts?.[3] ?? 0}`)
    const unwatched = hex(position) === unwatchedDigits
    if (parts === null || (!unwatched && position > BigInt(Number.MAX_SAFE_INTEGER))) {
      this.#options.warn('Unparsable line in pos_file', { line: line.slice(0, 1024) })
      return
    }
    const path = Buffer.from(parts[1] as string, 'latin1').toString('utf8')
    const { byInode } = this.#options
    const key = byInode ? inode : path
    if (unwatched || !(byInode ? known.inodes.has(inode) : known.paths.has(path))) return
    if (this.#entries.has(key)) {
      this.#options.warn('a file stands twice in pos_file: the latter counts', { path })
    }
    this.#entries.set(key, new FileEntry(path, this.#changed, inode, Number(position)))
  }

  /** The entry of a file; a new one has inode 0. */
  entry(path: string, inode: bigint): PositionEntry {
    const key = this.#options.byInode ? inode : path
    const known = this.#entries.get(key)
    if (known !== undefined) return known
    const made = new FileEntry(path, this.#changed)
    this.#entries.set(key, made)
    this.#changed(made)
    return made
  }

  has(inode: bigint): boolean {
    return this.#entries.has(inode)
  }

  /** The file is not followed any more. What its entry is set to afterwards is not written. */
  unwatch(key: string | bigint): void {
    const entry = this.#entries.get(key)
    if (entry === undefined) return
    this.#entries.delete(key)
    entry.unwatched = true
    this.#changed(entry)
  }

  /** As unwatch, of all whose inodes are not among these. */
  unwatchOthers(inodes: ReadonlySet<bigint>): void {
    for (const key of [...this.#entries.keys()]) {
      if (!inodes.has(key as bigint)) this.unwatch(key)
    }
  }

  /** Takes lines out that are not needed any more. */
  compact(): Promise<void> {
    return this.#inTurn(() => this.#rewrite(undefined))
  }

  /** What could not be written before is tried again. Settles when all is written, or could not be. */
  flush(): Promise<void> {
    if (this.#dirty.size > 0) this.#write()
    return this.#last
  }

  async close(): Promise<void> {
    await this.flush()
    await this.#handle.close()
  }

  readonly #changed = (entry: FileEntry): void => {
    this.#dirty.add(entry)
    this.#write()
  }

  #write(): void {
    if (this.#writing) return
    this.#writing = true
    void this.#inTurn(async () => {
      try {
        while (this.#dirty.size > 0) await this.#writeDirty()
      } finally {
        this.#writing = false
      }
    })
  }

  async #writeDirty(): Promise<void> {
    for (const entry of [...this.#dirty]) {
      // What changes while it is written, is written again.
      this.#dirty.delete(entry)
      try {
        await this.#writeOne(entry)
      } catch (error) {
        this.#dirty.add(entry)
        throw error
      }
    }
  }

  async #writeOne(entry: FileEntry): Promise<void> {
    if (entry.offset === undefined) {
      if (entry.unwatched) return
      const line = entry.line
      await this.#put(line, this.#sizeBytes)
      entry.offset = this.#sizeBytes
      this.#sizeBytes += line.length
      return
    }
    const at = entry.offset + Buffer.byteLength(entry.path) + 1
    await this.#put(Buffer.from(entry.numbers), at)
  }

  /** A few bytes to the system's memory: to wait for that costs less than to be told of it. */
  async #put(bytes: Buffer, at: number): Promise<void> {
    if (this.#handle.writevNow === undefined) await this.#handle.write(bytes, at)
    else this.#handle.writevNow([bytes], at)
  }

  #inTurn(run: () => Promise<void>): Promise<void> {
    this.#last = this.#last.then(run).catch((error: unknown) => {
      this.#options.warn('the positions could not be written; it is tried again', {
        path: this.#options.path,
        error,
      })
    })
    return this.#last
  }

  /**
   * Puts a file with the live entries alone in the place of the old one, at once: a process that ends meanwhile leaves
   * the one or the other. `before`: what the file holds, if known.
   */
  async #rewrite(before: Uint8Array | undefined): Promise<void> {
    const { disk, path, fileMode, warn } = this.#options
    const entries = [...this.#entries.values()]
    const lines = entries.map((entry) => entry.line)
    const content = Buffer.concat(lines)
    if (before === undefined || !content.equals(before)) {
      // Where the name is a link, it stays one.
      const real = await disk.realpath(path)
      const temporary = `${real}.new`
      try {
        const handle = await disk.open(
          temporary,
          { read: true, write: true, create: true, truncate: true },
          fileMode,
        )
        await this.#replace(handle, content, () => disk.rename(temporary, real))
      } catch (error) {
        warn('the pos_file is rewritten in place', { path, error })
        await this.#handle.write(content, 0)
        await this.#handle.truncate(content.length)
      }
    }
    this.#place(entries, lines)
  }

  async #replace(handle: FileHandle, content: Buffer, rename: () => Promise<void>): Promise<void> {
    try {
      await handle.write(content, 0)
      await handle.sync()
      await rename()
    } catch (error) {
      await handle.close()
      throw error
    }
    const old = this.#handle
    this.#handle = handle
    await old.close()
  }

  /** What changed while it was written differs from the line there, and is still marked as dirty. */
  #place(entries: readonly FileEntry[], lines: readonly Buffer[]): void {
    // Lines of files that are not followed any more are gone.
    for (const entry of [...this.#dirty]) if (entry.unwatched) this.#dirty.delete(entry)
    let at = 0
    for (const [index, entry] of entries.entries()) {
      entry.offset = at
      at += lines[index]!.length
      if (entry.unwatched) this.#dirty.add(entry)
    }
    this.#sizeBytes = at
  }
}

import { posix } from 'node:path'
import type {
  Disk,
  FileHandle,
  FileStat,
  FileTarget,
  FileWatch,
  OpenFlags,
} from '../../src/core/host.ts'

interface Node {
  kind: 'file' | 'directory' | 'symlink'
  bytes: Uint8Array
  sizeBytes: number
  target: string
  mode: number
  modifiedMs: number
  readonly inode: number
}

/** The operations that a fault can be put into. */
export type DiskOperation =
  | Exclude<keyof Disk, 'readFileSync' | 'readdirSync' | 'statSync' | 'watch'>
  | `handle.${keyof FileHandle}`

export interface MemoryDisk extends Disk {
  /**
   * Called before each asynchronous operation; throw (see diskError) to make it fail. For a write, return how many of its
   * bytes are written before it fails: a full disk, or a crash.
   */
  fault: ((operation: DiskOperation, path: string, bytes?: number) => TornWrite | void) | undefined
  /** At most so many bytes are in all files; then ENOSPC. */
  capacityBytes: number
  /** What the files hold, by path, as text. */
  texts(): Record<string, string>
  /** Writes a file as another process would. */
  put(path: string, content: string | Uint8Array, mode?: number): void
  /** Appends to a file, which may be new, as another process would. */
  append(path: string, content: string | Uint8Array): void
  /** Cuts a file to nothing, as another process would. */
  cut(path: string): void
  /** Moves a file, as another process would. */
  move(from: string, to: string): void
  remove(path: string): void
  /** Whether watches tell of changes; false: as on a network file system. */
  tells: boolean
  /** Paths that are watched. */
  readonly watched: readonly string[]
  bytesOf(path: string): Uint8Array
  modeOf(path: string): number
  /** Every path there is, sorted; directories end in '/'. */
  paths(): string[]
}

export interface TornWrite {
  readonly keepBytes: number
  readonly error: Error
}

export function diskError(code: string, path: string): Error {
  return Object.assign(new Error(`${code}: ${path}`), { code })
}

/**
 * A file system in memory with the root '/', an owner who may do everything, and times from
 * `wallMs`.
 */
export function createMemoryDisk(options: { wallMs?: () => number } = {}): MemoryDisk {
  return new FakeDisk(options.wallMs ?? (() => 0))
}

class FakeDisk implements MemoryDisk {
  fault: MemoryDisk['fault']
  capacityBytes = Number.POSITIVE_INFINITY
  tells = true
  readonly #watches = new Set<{ readonly path: string; node: Node; changed: () => void }>()
  readonly #nodes = new Map<string, Node>()
  readonly #wallMs: () => number
  #inodes = 0

  constructor(wallMs: () => number) {
    this.#wallMs = wallMs
    this.#add('/', 'directory', 0o755)
  }

  #add(path: string, kind: Node['kind'], mode: number): Node {
    this.#inodes += 1
    const node: Node = {
      kind,
      bytes: new Uint8Array(0),
      sizeBytes: 0,
      target: '',
      mode,
      modifiedMs: this.#wallMs(),
      inode: this.#inodes,
    }
    this.#nodes.set(path, node)
    return node
  }

  /** The path with links resolved, except the last part unless `follow`. */
  #resolve(path: string, follow = true, depth = 0): string {
    if (depth > 40) throw diskError('ELOOP', path)
    let place = '/'
    const parts = posix.resolve('/', path).split('/').filter(Boolean)
    for (const [index, part] of parts.entries()) {
      place = posix.join(place, part)
      const node = this.#nodes.get(place)
      const last = index === parts.length - 1
      if (node?.kind === 'symlink' && (follow || !last)) {
        const target = posix.resolve(posix.dirname(place), node.target)
        return this.#resolve(posix.join(target, ...parts.slice(index + 1)), follow, depth + 1)
      }
      if (node?.kind === 'file' && !last) throw diskError('ENOTDIR', path)
    }
    return place
  }

  #get(path: string, follow = true): Node {
    const node = this.#nodes.get(this.#resolve(path, follow))
    if (node === undefined) throw diskError('ENOENT', path)
    return node
  }

  #requireParent(path: string): void {
    const parent = this.#nodes.get(posix.dirname(path))
    if (parent === undefined) throw diskError('ENOENT', path)
    if (parent.kind !== 'directory') throw diskError('ENOTDIR', path)
  }

  #stat(node: Node): FileStat {
    return {
      kind: node.kind,
      sizeBytes: node.sizeBytes,
      modifiedMs: node.modifiedMs,
      inode: node.inode,
      device: 1,
    }
  }

  #children(path: string): string[] {
    const prefix = path === '/' ? '/' : `${path}/`
    return [...this.#nodes.keys()].filter(
      (name) => name !== '/' && name.startsWith(prefix) && !name.slice(prefix.length).includes('/'),
    )
  }

  /** Changes a node's size, with room that doubles, under the capacity. */
  resize(node: Node, sizeBytes: number, path: string): void {
    const grown = sizeBytes - node.sizeBytes
    if (grown > 0) {
      let used = 0
      for (const other of this.#nodes.values()) used += other.sizeBytes
      if (used + grown > this.capacityBytes) throw diskError('ENOSPC', path)
    }
    if (sizeBytes > node.bytes.byteLength) {
      const bytes = new Uint8Array(Math.max(sizeBytes, node.bytes.byteLength * 2))
      bytes.set(node.bytes.subarray(0, node.sizeBytes))
      node.bytes = bytes
    } else if (grown < 0) {
      node.bytes.fill(0, sizeBytes, node.sizeBytes)
    }
    node.sizeBytes = sizeBytes
    node.modifiedMs = this.#wallMs()
    this.#tell(node)
  }

  /** Watches are told in a turn of their own, as the system does. */
  #tell(node: Node | undefined): void {
    if (!this.tells) return
    for (const watch of this.#watches) {
      if (watch.node === node) queueMicrotask(watch.changed)
    }
  }

  async open(path: string, flags: OpenFlags, mode = 0o666): Promise<FileHandle> {
    this.fault?.('open', path)
    const place = this.#resolve(path, flags.noFollow !== true && flags.exclusive !== true)
    let node = this.#nodes.get(place)
    if (node !== undefined && flags.exclusive === true) throw diskError('EEXIST', path)
    if (node?.kind === 'symlink') throw diskError('ELOOP', path)
    if (node?.kind === 'directory' && (flags.write || flags.append)) throw diskError('EISDIR', path)
    if (node === undefined) {
      if (flags.create !== true) throw diskError('ENOENT', path)
      this.#requireParent(place)
      node = this.#add(place, 'file', mode & ~0o022)
    }
    if (flags.truncate === true) this.resize(node, 0, path)
    return this.#handle(node, path, flags)
  }

  #handle(node: Node, path: string, flags: OpenFlags): FileHandle {
    let at = 0
    let closed = false
    const check = (operation: keyof FileHandle, bytes?: number) => {
      if (closed) throw diskError('EBADF', path)
      return this.fault?.(`handle.${operation}`, path, bytes) ?? undefined
    }
    const putAll = (
      operation: 'write' | 'writev' | 'writevNow',
      pieces: readonly Uint8Array[],
      at?: number,
    ) => {
      const total = pieces.reduce((sum, piece) => sum + piece.byteLength, 0)
      const torn = check(operation, total)
      let left = torn?.keepBytes ?? total
      let start = at
      for (const piece of pieces) {
        const part = piece.subarray(0, left)
        put(part, start)
        if (start !== undefined) start += part.byteLength
        left -= part.byteLength
      }
      if (torn !== undefined) throw torn.error
    }
    const put = (bytes: Uint8Array, position: number | undefined) => {
      const start = flags.append === true ? node.sizeBytes : (position ?? at)
      if (start + bytes.byteLength > node.sizeBytes) {
        this.resize(node, start + bytes.byteLength, path)
      }
      node.bytes.set(bytes, start)
      this.#tell(node)
      if (position === undefined) at = start + bytes.byteLength
    }
    return {
      write: async (bytes, position) => putAll('write', [bytes], position),
      writev: async (pieces, position) => putAll('writev', pieces, position),
      writevNow: (pieces, position) => putAll('writevNow', pieces, position),
      read: async (into, position) => {
        check('read')
        const bytes = node.bytes.subarray(
          position,
          Math.max(position, Math.min(node.sizeBytes, position + into.byteLength)),
        )
        into.set(bytes)
        return bytes.byteLength
      },
      stat: async () => {
        check('stat')
        return this.#stat(node)
      },
      target: async () => {
        check('target')
        return this.#target(node)
      },
      truncate: async (sizeBytes) => {
        check('truncate')
        this.resize(node, sizeBytes, path)
      },
      sync: async () => void check('sync'),
      close: async () => {
        check('close')
        closed = true
      },
    }
  }

  async readFile(path: string): Promise<Uint8Array> {
    this.fault?.('readFile', path)
    return this.readFileSync(path)
  }

  readFileSync(path: string): Uint8Array {
    const node = this.#get(path)
    if (node.kind === 'directory') throw diskError('EISDIR', path)
    return node.bytes.slice(0, node.sizeBytes)
  }

  async mkdir(path: string, mode = 0o777): Promise<void> {
    this.fault?.('mkdir', path)
    this.#mkdirs(this.#resolve(path), mode)
  }

  #mkdirs(path: string, mode: number): void {
    const there = this.#nodes.get(path)
    if (there?.kind === 'directory') return
    if (there !== undefined) throw diskError('EEXIST', path)
    this.#mkdirs(posix.dirname(path), mode)
    this.#add(path, 'directory', mode & ~0o022)
  }

  async readdir(path: string): Promise<string[]> {
    this.fault?.('readdir', path)
    return this.readdirSync(path)
  }

  readdirSync(path: string): string[] {
    if (this.#get(path).kind !== 'directory') throw diskError('ENOTDIR', path)
    return this.#children(this.#resolve(path))
      .map((name) => posix.basename(name))
      .sort()
  }

  async rename(from: string, to: string): Promise<void> {
    this.fault?.('rename', from)
    const source = this.#resolve(from, false)
    const target = this.#resolve(to, false)
    const node = this.#get(source, false)
    this.#requireParent(target)
    for (const name of [...this.#nodes.keys()]) {
      if (!name.startsWith(`${source}/`)) continue
      this.#nodes.set(target + name.slice(source.length), this.#nodes.get(name)!)
      this.#nodes.delete(name)
    }
    this.#nodes.delete(source)
    this.#nodes.set(target, node)
    this.#tell(node)
  }

  async unlink(path: string): Promise<void> {
    this.fault?.('unlink', path)
    if (this.#get(path, false).kind === 'directory') throw diskError('EISDIR', path)
    const node = this.#get(path, false)
    this.#nodes.delete(this.#resolve(path, false))
    this.#tell(node)
  }

  async rmdir(path: string): Promise<void> {
    this.fault?.('rmdir', path)
    if (this.#get(path).kind !== 'directory') throw diskError('ENOTDIR', path)
    const place = this.#resolve(path)
    if (this.#children(place).length > 0) throw diskError('ENOTEMPTY', path)
    this.#nodes.delete(place)
  }

  async symlink(target: string, path: string): Promise<void> {
    this.fault?.('symlink', path)
    const place = this.#resolve(path, false)
    if (this.#nodes.has(place)) throw diskError('EEXIST', path)
    this.#requireParent(place)
    this.#add(place, 'symlink', 0o777).target = target
  }

  async readlink(path: string): Promise<string> {
    this.fault?.('readlink', path)
    const node = this.#get(path, false)
    if (node.kind !== 'symlink') throw diskError('EINVAL', path)
    return node.target
  }

  async chmod(path: string, mode: number): Promise<void> {
    this.fault?.('chmod', path)
    this.#get(path).mode = mode
  }

  async stat(path: string): Promise<FileStat | undefined> {
    this.fault?.('stat', path)
    return this.statSync(path)
  }

  statSync(path: string): FileStat | undefined {
    try {
      return this.#stat(this.#get(path, false))
    } catch (error) {
      const { code } = error as { code?: string }
      if (code === 'ENOENT' || code === 'ENOTDIR') return undefined
      throw error
    }
  }

  async realpath(path: string): Promise<string> {
    this.fault?.('realpath', path)
    this.#get(path)
    return this.#resolve(path)
  }

  async target(path: string): Promise<FileTarget | undefined> {
    this.fault?.('target', path)
    try {
      return this.#target(this.#get(path))
    } catch (error) {
      const { code } = error as { code?: string }
      if (code === 'ENOENT' || code === 'ENOTDIR') return undefined
      throw error
    }
  }

  #target(node: Node): FileTarget {
    const kind = node.kind === 'symlink' ? 'other' : node.kind
    return {
      kind,
      sizeBytes: node.sizeBytes,
      modifiedMs: node.modifiedMs,
      inode: BigInt(node.inode),
    }
  }

  watch(path: string, changed: () => void): FileWatch {
    const watch = { path, node: this.#get(path), changed }
    this.#watches.add(watch)
    return { close: () => void this.#watches.delete(watch) }
  }

  get watched(): readonly string[] {
    return [...this.#watches].map(({ path }) => path)
  }

  async writable(path: string): Promise<boolean> {
    try {
      this.fault?.('writable', path)
      this.#resolve(path)
      return true
    } catch {
      // The question is whether it would work: an error is the answer no.
      return false
    }
  }

  texts(): Record<string, string> {
    const texts: Record<string, string> = {}
    for (const [path, node] of this.#nodes) {
      if (node.kind === 'file') texts[path] = Buffer.from(this.readFileSync(path)).toString()
    }
    return texts
  }

  put(path: string, content: string | Uint8Array, mode = 0o644): void {
    const place = this.#resolve(path)
    this.#mkdirs(posix.dirname(place), 0o755)
    const node = this.#nodes.get(place) ?? this.#add(place, 'file', mode)
    const bytes = typeof content === 'string' ? Buffer.from(content) : content
    this.resize(node, 0, path)
    this.resize(node, bytes.byteLength, path)
    node.bytes.set(bytes)
  }

  append(path: string, content: string | Uint8Array): void {
    const place = this.#resolve(path)
    this.#mkdirs(posix.dirname(place), 0o755)
    const node = this.#nodes.get(place) ?? this.#add(place, 'file', 0o644)
    const bytes = typeof content === 'string' ? Buffer.from(content) : content
    const start = node.sizeBytes
    this.resize(node, start + bytes.byteLength, path)
    node.bytes.set(bytes, start)
  }

  cut(path: string): void {
    this.resize(this.#get(path), 0, path)
  }

  move(from: string, to: string): void {
    const node = this.#get(from, false)
    this.#nodes.delete(this.#resolve(from, false))
    this.#nodes.set(this.#resolve(to, false), node)
    this.#tell(node)
  }

  remove(path: string): void {
    const node = this.#get(path, false)
    this.#nodes.delete(this.#resolve(path, false))
    this.#tell(node)
  }

  bytesOf(path: string): Uint8Array {
    return this.readFileSync(path)
  }

  modeOf(path: string): number {
    return this.#get(path).mode
  }

  paths(): string[] {
    return [...this.#nodes]
      .map(([path, node]) => (node.kind === 'directory' && path !== '/' ? `${path}/` : path))
      .sort()
  }
}

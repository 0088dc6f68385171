import { type DiskLock, LockedError } from '../../src/core/disk-lock.ts'
import type { Clock, Disk, FileHandle } from '../../src/core/host.ts'
import { diskError, type MemoryDisk } from '../support/memory-disk.ts'
import type { Chance } from './chance.ts'

/** What can go wrong with one process's use of a disk. */
export interface DiskFaults {
  /** Operations of a hundred that fail, at random. */
  failPercent: number
  /** The operation, counted from 1, that fails; 0: none. */
  failAt: number
  /** Operations of a hundred that take long. */
  slowPercent: number
}

export interface ProcessDisk extends Disk {
  readonly faults: DiskFaults
  /** Operations so far. */
  readonly operations: number
  /** Faults that were met. */
  readonly met: number
  /** Files that could not be removed. */
  readonly notRemoved: number
  readonly openHandles: number
  /** Paths that the process holds. */
  readonly locked: readonly string[]
  /** Paths of operations under way. */
  readonly pending: readonly string[]
  /**
   * The process dies: of what is being written, any part may be there; nothing that is under way ever settles, and
   * nothing more happens. What was done stays, as after kill -9.
   */
  kill(): void
}

/** A process's view of the disk: operations take time, overlap, fail half-way, and end with the process. */
export function createProcessDisk(disk: MemoryDisk, clock: Clock, chance: Chance): ProcessDisk {
  return new OneProcess(disk, clock, chance)
}

/** Who holds what on a disk: its processes, one after the other. */
const locks = new WeakMap<MemoryDisk, Map<string, OneProcess>>()

const never = new Promise<never>(() => undefined)

class OneProcess implements ProcessDisk {
  readonly faults: DiskFaults = { failPercent: 0, failAt: 0, slowPercent: 0 }
  operations = 0
  met = 0
  notRemoved = 0
  openHandles = 0
  readonly #disk: MemoryDisk
  readonly #clock: Clock
  readonly #chance: Chance
  /** What a kill does to the operations that are under way. */
  readonly #underWay = new Map<() => Promise<unknown>, string>()
  #dead = false
  /** Whether it can write at once, as to a disk that is fast. */
  readonly #writesNow: boolean

  constructor(disk: MemoryDisk, clock: Clock, chance: Chance) {
    this.#disk = disk
    this.#clock = clock
    this.#chance = chance
    this.#writesNow = chance.often(50)
  }

  get pending(): readonly string[] {
    return [...this.#underWay.values()]
  }

  get #locks(): Map<string, OneProcess> {
    const held = locks.get(this.#disk) ?? new Map<string, OneProcess>()
    locks.set(this.#disk, held)
    return held
  }

  get locked(): readonly string[] {
    return [...this.#locks].filter(([, owner]) => owner === this).map(([path]) => path)
  }

  /** A process has a path once here: two buffers of one process must not meet either. */
  async lock(path: string): Promise<DiskLock> {
    await this.#run(path, async () => undefined)
    const held = this.#locks
    if (held.has(path)) throw new LockedError(path, undefined)
    held.set(path, this)
    return {
      release: async () => {
        if (held.get(path) === this) held.delete(path)
      },
    }
  }

  kill(): void {
    this.#dead = true
    for (const path of this.locked) this.#locks.delete(path)
    for (const torn of this.#underWay.keys()) void torn().catch(() => undefined)
    this.#underWay.clear()
  }

  /** Another operation begins: whether it fails. */
  #failsNow(): boolean {
    this.operations += 1
    return this.operations === this.faults.failAt || this.#chance.often(this.faults.failPercent)
  }

  /** `torn`: the operation done in part; absent: it is done or it is not. */
  async #run<T>(path: string, whole: () => Promise<T>, torn?: () => Promise<unknown>): Promise<T> {
    if (this.#dead) return never
    const fails = this.#failsNow()
    const slowMs = this.#chance.often(this.faults.slowPercent) ? 1 + this.#chance.below(60) : 0
    const onKill = async () => {
      if (this.#chance.often(30)) await whole()
      else if (this.#chance.often(60)) await torn?.()
    }
    this.#underWay.set(onKill, path)
    await new Promise<void>((resolve) => {
      if (slowMs > 0) this.#clock.after(slowMs, resolve)
      else this.#clock.soon(resolve)
    })
    if (this.#dead) return never
    this.#underWay.delete(onKill)
    if (!fails) return whole()
    this.met += 1
    if (torn !== undefined && this.#chance.often(60)) await torn()
    throw diskError(this.#chance.pick('EIO', 'ENOSPC'), path)
  }

  #handle(path: string, file: FileHandle): FileHandle {
    this.openHandles += 1
    let closed = false
    const part = (bytes: Uint8Array) => bytes.subarray(0, this.#chance.below(bytes.length + 1))
    return {
      write: (bytes, position) =>
        this.#run(
          path,
          () => file.write(bytes, position),
          () => file.write(part(bytes), position),
        ),
      writev: (pieces, position) =>
        this.#run(
          path,
          () => file.writev(pieces, position),
          () => file.writev([part(Buffer.concat(pieces))], position),
        ),
      ...(this.#writesNow && {
        writevNow: (pieces: readonly Uint8Array[], position: number) => {
          // What goes on without a process is told so, as if another thread had to do it: that never ends.
          if (this.#dead) throw diskError('EIO', path)
          const fails = this.#failsNow()
          if (!fails) return file.writevNow?.(pieces, position)
          this.met += 1
          file.writevNow?.([part(Buffer.concat(pieces))], position)
          throw diskError(this.#chance.pick('EIO', 'ENOSPC'), path)
        },
      }),
      read: (into, position) => this.#run(path, () => file.read(into, position)),
      stat: () => this.#run(path, () => file.stat()),
      target: () => this.#run(path, () => file.target()),
      truncate: (sizeBytes) => this.#run(path, () => file.truncate(sizeBytes)),
      sync: () => this.#run(path, () => file.sync()),
      close: async () => {
        if (this.#dead) return never
        // Whatever close says, the descriptor is gone afterwards.
        if (!closed) this.openHandles -= 1
        closed = true
        await file.close()
      },
    }
  }

  async open(path: string, flags: Parameters<Disk['open']>[1], mode?: number): Promise<FileHandle> {
    const file = await this.#run(path, () => this.#disk.open(path, flags, mode))
    return this.#handle(path, file)
  }

  readFile(path: string): Promise<Uint8Array> {
    return this.#run(path, () => this.#disk.readFile(path))
  }

  mkdir(path: string, mode?: number): Promise<void> {
    return this.#run(path, () => this.#disk.mkdir(path, mode))
  }

  readdir(path: string): Promise<string[]> {
    return this.#run(path, () => this.#disk.readdir(path))
  }

  rename(from: string, to: string): Promise<void> {
    return this.#run(from, () => this.#disk.rename(from, to))
  }

  async unlink(path: string): Promise<void> {
    try {
      await this.#run(path, () => this.#disk.unlink(path))
    } catch (error) {
      this.notRemoved += 1
      throw error
    }
  }

  rmdir(path: string): Promise<void> {
    return this.#run(path, () => this.#disk.rmdir(path))
  }

  symlink(target: string, path: string): Promise<void> {
    return this.#run(path, () => this.#disk.symlink(target, path))
  }

  readlink(path: string): Promise<string> {
    return this.#run(path, () => this.#disk.readlink(path))
  }

  chmod(path: string, mode: number): Promise<void> {
    return this.#run(path, () => this.#disk.chmod(path, mode))
  }

  stat(path: string): ReturnType<Disk['stat']> {
    return this.#run(path, () => this.#disk.stat(path))
  }

  target(path: string): ReturnType<Disk['target']> {
    return this.#run(path, () => this.#disk.target(path))
  }

  watch(path: string, changed: () => void): ReturnType<Disk['watch']> {
    return this.#disk.watch(path, changed)
  }

  realpath(path: string): Promise<string> {
    return this.#run(path, () => this.#disk.realpath(path))
  }

  writable(path: string): Promise<boolean> {
    return this.#disk.writable(path)
  }

  readFileSync(path: string): Uint8Array {
    return this.#disk.readFileSync(path)
  }

  readdirSync(path: string): string[] {
    return this.#disk.readdirSync(path)
  }

  statSync(path: string): ReturnType<Disk['statSync']> {
    return this.#disk.statSync(path)
  }
}

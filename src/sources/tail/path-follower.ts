import type { FileHandle, FileTarget, Timer } from '../../core/host.ts'
import type { FileTail } from './file-tail.ts'
import { MemoryEntry, type PositionEntry } from './position-file.ts'
import type { RotatedFile } from './rotated-away.ts'

/** What followers ask of their source. */
export interface FollowerWorld {
  readonly followInodes: boolean
  readonly openOnEveryUpdate: boolean
  readonly rotateWaitMs: number
  after(delayMs: number, run: () => void): Timer
  /** What the path leads to; undefined: nothing that can be followed. */
  look(path: string): Promise<FileTarget | undefined>
  /** undefined: it is not there, or may not be read (which is said). */
  open(path: string): Promise<FileHandle | undefined>
  /** The file that the path led to when it was last read, if it was rotated away while nobody looked. */
  rotatedAway(path: string, last: PositionEntry): Promise<RotatedFile | undefined>
  /** Another follower reads the file already. */
  isFollowed(inode: bigint): boolean
  entry(path: string, inode: bigint): PositionEntry
  tail(options: {
    path: string
    inode: bigint
    entry: PositionEntry
    handle: FileHandle | undefined
  }): FileTail
  /** Takes effect where the system is asked to tell of changes. */
  watch(path: string): void
  sayRotation(path: string, waits: boolean): void
  sayLost(path: string): void
}

/** A file that the path does not lead to any more: read from until its time is over. */
interface Leaving {
  timer: Timer
  ending: boolean
}

/** A file that was not read to its end when its time was over, is looked at again. */
const lingerMs = 1000

/** Files that wait to be read, because those before them are not read to the end yet. */
const mostWaiting = 64

/**
 * Follows one path. When the path leads to another file, the one before is read to its end first, and for `rotate_wait`
 * afterwards; the next one is opened at once, so that it is not missed when the path leads on.
 */
export class PathFollower {
  readonly path: string
  readonly #world: FollowerWorld
  /** Where the first file is begun, if nothing is known of it. */
  readonly #fromHead: boolean
  #first = true
  #current: FileTail | undefined
  /** The path does not lead to the newest file any more. */
  #left = false
  readonly #waiting: FileTail[] = []
  readonly #leaving = new Map<FileTail, Leaving>()
  #looking = false
  #lookAgain = false
  #stopped = false
  #over = false
  #retired: (() => void) | undefined

  constructor(path: string, options: { fromHead: boolean; world: FollowerWorld }) {
    this.path = path
    this.#fromHead = options.fromHead
    this.#world = options.world
  }

  get current(): FileTail | undefined {
    return this.#current
  }

  get tails(): readonly FileTail[] {
    const current = this.#current === undefined ? [] : [this.#current]
    return [...current, ...this.#waiting, ...this.#leaving.keys()]
  }

  /** Sees what the path leads to now, and what is new in it. */
  async look(): Promise<void> {
    if (this.#looking) {
      this.#lookAgain = true
      return
    }
    this.#looking = true
    try {
      do {
        this.#lookAgain = false
        const target = await this.#world.look(this.path)
        if (this.#stopped) break
        await this.#see(target)
        for (const tail of this.#leaving.keys()) tail.wake()
      } while (this.#lookAgain)
    } finally {
      this.#looking = false
    }
  }

  async #see(target: FileTarget | undefined): Promise<void> {
    const newest = this.#waiting.at(-1) ?? this.#current
    if (target === undefined) {
      this.#first = false
      if (newest !== undefined && !this.#left) this.#leave(newest)
      return
    }
    if (newest === undefined || newest.inode !== target.inode) {
      await this.#another(target, newest)
      return
    }
    // Back again under its name.
    this.#left = false
    // What was read may be more than what was seen: it grew meanwhile.
    if (target.sizeBytes < Math.max(newest.seenBytes, newest.entry.position)) {
      this.#world.sayRotation(this.path, false)
      newest.cut()
    } else if (newest === this.#current && target.sizeBytes !== newest.readUntil) {
      newest.wake()
    }
    newest.seenBytes = target.sizeBytes
  }

  /** The path leads nowhere. */
  #leave(newest: FileTail): void {
    this.#left = true
    this.#world.sayRotation(this.path, true)
    if (newest === this.#current) newest.wake()
  }

  async #another(target: FileTarget, newest: FileTail | undefined): Promise<void> {
    const world = this.#world
    if (this.#takeBack(target.inode)) return
    if (world.followInodes && world.isFollowed(target.inode)) return
    if (this.#waiting.length >= mostWaiting) {
      world.sayLost(this.path)
      return
    }
    const handle = world.openOnEveryUpdate ? undefined : await world.open(this.path)
    if (handle === undefined && !world.openOnEveryUpdate) return
    // The path may lead elsewhere since it was looked at: what is open counts.
    const opened = (await handle?.target()) ?? target
    if (this.#stopped || opened.inode === newest?.inode) {
      await handle?.close()
      return
    }
    if (newest !== undefined && !this.#left) world.sayRotation(this.path, true)
    this.#left = false
    const position = this.#startOf(opened)
    if (this.#first && handle !== undefined) await this.#resume(opened.inode)
    this.#first = false
    if (this.#stopped) {
      await handle?.close()
      return
    }
    const tail = this.#tailOf(opened, { position, handle })
    world.watch(this.path)
    if (this.#current === undefined || world.openOnEveryUpdate) this.#begin(tail)
    else {
      this.#waiting.push(tail)
      this.#current.wake()
    }
  }

  #tailOf(
    target: FileTarget,
    from: { position: number; handle: FileHandle | undefined },
  ): FileTail {
    const tail = this.#world.tail({
      path: this.path,
      inode: target.inode,
      entry: new MemoryEntry(target.inode, from.position),
      handle: from.handle,
    })
    tail.seenBytes = target.sizeBytes
    tail.onEnd = () => this.#onEnd(tail)
    return tail
  }

  /** What was left of the file that was here when we last ran is read first. */
  async #resume(inode: bigint): Promise<void> {
    const last = this.#world.entry(this.path, inode)
    if (this.#world.followInodes || last.inode === 0n || last.inode === inode) return
    const { position } = last
    const found = await this.#world.rotatedAway(this.path, last)
    if (found === undefined) return
    if (this.#stopped) await found.handle.close()
    else this.#begin(this.#tailOf(found.target, { position, handle: found.handle }))
  }

  /** A file that was moved away is there again. */
  #takeBack(inode: bigint): boolean {
    for (const [tail, leaving] of this.#leaving) {
      if (tail.inode !== inode) continue
      // One that is being closed is opened again when that is done.
      if (leaving.ending) return true
      leaving.timer.cancel()
      this.#leaving.delete(tail)
      this.#left = false
      if (this.#current === undefined) this.#begin(tail)
      else this.#waiting.push(tail)
      return true
    }
    return false
  }

  /** A file that nothing is known of is read from its head, except the first one, without read_from_head. */
  #startOf(target: FileTarget): number {
    const { position, inode } = this.#world.entry(this.path, target.inode)
    if (inode === target.inode) return target.sizeBytes < position ? 0 : position
    if (inode !== 0n || !this.#first || this.#fromHead) return 0
    return target.sizeBytes
  }

  #begin(tail: FileTail): void {
    // Only one that is opened for each reading is still there: the path leads to the next one already.
    void this.#current?.close()
    this.#current = tail
    tail.moveTo(this.#world.entry(this.path, tail.inode))
    tail.wake()
  }

  #onEnd(tail: FileTail): void {
    if (tail !== this.#current || this.#stopped) return
    if (this.#waiting.length === 0 && !this.#left) return
    this.#current = undefined
    // By path there is one entry, which is the next file's now.
    if (!this.#world.followInodes) {
      tail.entry = new MemoryEntry(tail.inode, tail.entry.position)
    }
    this.#letGo(tail)
    const next = this.#waiting.shift()
    if (next !== undefined) this.#begin(next)
  }

  /** What is still written to it for a while is read too. */
  #letGo(tail: FileTail, afterMs = this.#world.rotateWaitMs): void {
    const timer = this.#world.after(afterMs, () => void this.#end(tail))
    this.#leaving.set(tail, { timer, ending: false })
  }

  /** Not before all of it was taken. */
  async #end(tail: FileTail): Promise<void> {
    const leaving = this.#leaving.get(tail)
    if (leaving === undefined) return
    leaving.ending = true
    tail.wake()
    await tail.settled()
    if (!tail.atEnd && !this.#over) {
      this.#letGo(tail, lingerMs)
      return
    }
    await tail.finish({ flush: true, signal: new AbortController().signal })
    this.#leaving.delete(tail)
    if (this.tails.length === 0) this.#retired?.()
  }

  /**
   * The path is not to be followed any more: what is open is read to its end, and for `rotate_wait`. `done` is called
   * after that.
   */
  retire(done: () => void): void {
    this.#stopped = true
    this.#retired = done
    for (const tail of [this.#current, ...this.#waiting.splice(0)]) {
      if (tail !== undefined) this.#letGo(tail)
    }
    this.#current = undefined
    if (this.#leaving.size === 0) done()
  }

  /** Reads what there is now, and closes all. */
  async stop(signal: AbortSignal): Promise<void> {
    this.#stopped = true
    this.#over = true
    for (const { timer } of this.#leaving.values()) timer.cancel()
    for (const tail of [...this.#leaving.keys()]) await tail.finish({ flush: true, signal })
    if (this.#current !== undefined) await this.#current.finish({ flush: true, signal })
    for (const tail of this.#waiting) {
      const drained = this.#current === undefined || this.#current.atEnd
      if (drained && !signal.aborted) {
        tail.moveTo(this.#world.entry(this.path, tail.inode))
        await tail.finish({ flush: true, signal })
      } else await tail.close()
      this.#current = tail
    }
  }
}

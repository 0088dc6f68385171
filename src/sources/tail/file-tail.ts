import type { Clock, FileHandle, Timer } from '../../core/host.ts'
import type { Blocks } from './blocks.ts'
import type { Events } from './events.ts'
import type { LineReader } from './line-reader.ts'
import type { Multiline } from './multiline.ts'
import type { PositionEntry } from './position-file.ts'
import type { FileQuotas } from './quota.ts'

/** What all files of one source share. */
export interface TailShared {
  readonly clock: Clock
  readonly blocks: Blocks
  readonly events: Events
  readonly readLinesLimit: number
  /** undefined: events of several lines end with the next one's beginning only. */
  readonly flushIntervalMs: number | undefined
  /** Hands on the events held; what a consumer gives. */
  emit(path: string): Promise<void> | undefined
  /** A batch was not taken; it is read and handed on again. */
  sayRefused(path: string, error: unknown): void
  sayFailed(path: string, error: unknown): void
  readonly counts: { throttled: number; bytes: number; opened: number; closed: number }
}

/** After a batch was refused, or a read failed, it is tried again. */
const retryMs = 1000

type Outcome = 'more' | 'end' | 'throttled' | 'refused' | 'closed'

/**
 * One file that is read, from a position on, to its end, again and again as it grows. What it was renamed to does not
 * matter: the file stays open. Its position moves only behind events that were taken; where they were not, they are read
 * again.
 */
export class FileTail {
  readonly inode: bigint
  /** Size when last looked at. */
  seenBytes = 0
  entry: PositionEntry
  path: string
  readonly #shared: TailShared
  readonly #lines: LineReader
  readonly #multiline: Multiline | undefined
  readonly #quotas: FileQuotas
  readonly #open: () => Promise<FileHandle | undefined>
  readonly #keepOpen: boolean
  #handle: FileHandle | undefined
  #cut = false
  #again = false
  #running: Promise<void> | undefined
  #outcome: Outcome = 'more'
  #timer: Timer | undefined
  #flushAtMs: number | undefined
  #closed = false
  /** Called whenever it has read all there is. */
  onEnd: () => void = () => undefined

  constructor(options: {
    path: string
    inode: bigint
    entry: PositionEntry
    handle: FileHandle | undefined
    /** Opens the file anew, where it is not kept open. */
    open: () => Promise<FileHandle | undefined>
    keepOpen: boolean
    lines: LineReader
    multiline: Multiline | undefined
    quotas: FileQuotas
    shared: TailShared
  }) {
    this.path = options.path
    this.inode = options.inode
    this.entry = options.entry
    this.#handle = options.handle
    this.#open = options.open
    this.#keepOpen = options.keepOpen
    this.#lines = options.lines
    this.#multiline = options.multiline
    this.#quotas = options.quotas
    this.#shared = options.shared
    this.#lines.goTo(this.entry.position)
  }

  /** All that was there when it was last read is in events that were taken. */
  get atEnd(): boolean {
    return this.#outcome === 'end' && this.#running === undefined
  }

  /** Bytes up to which it was read: its events may not be taken yet. */
  get readUntil(): number {
    return this.#lines.readAt
  }

  /** The position of another file, or of this one once it is another's entry. */
  moveTo(entry: PositionEntry): void {
    entry.set(this.inode, this.entry.position)
    this.entry = entry
  }

  /** The file was cut: it is read from its head. */
  cut(): void {
    this.#cut = true
    this.wake()
  }

  /** There may be something to read. */
  wake(): void {
    if (this.#closed) return
    this.#again = true
    this.#running ??= this.#run()
  }

  /** Reads what there is, hands on what is held of an event of several lines, and closes. */
  async finish(options: { flush: boolean; signal: AbortSignal }): Promise<void> {
    this.#timer?.cancel()
    const aborted = new Promise<void>((resolve) => {
      if (options.signal.aborted) resolve()
      else options.signal.addEventListener('abort', () => resolve(), { once: true })
    })
    if (!this.#closed && !options.signal.aborted) {
      this.wake()
      await Promise.race([this.settled(), aborted])
      if (options.flush && this.#multiline?.heldFrom !== undefined && this.atEnd) {
        this.#flushAtMs = Number.NEGATIVE_INFINITY
        this.wake()
        await Promise.race([this.settled(), aborted])
      }
    }
    await this.close()
  }

  /** Until it has read all there is, or was refused. */
  async settled(): Promise<void> {
    while (this.#running !== undefined) await this.#running
  }

  async close(): Promise<void> {
    this.#closed = true
    this.#timer?.cancel()
    const handle = this.#handle
    this.#handle = undefined
    if (handle === undefined) return
    this.#shared.counts.closed += 1
    await handle.close()
  }

  async #run(): Promise<void> {
    this.#timer?.cancel()
    try {
      while (this.#again && !this.#closed) {
        this.#again = false
        this.#outcome = await this.#readOn()
      }
    } catch (error) {
      this.#outcome = 'refused'
      if (!this.#closed) this.#shared.sayFailed(this.path, error)
    }
    this.#running = undefined
    if (this.#closed) return
    this.#lookAgain()
    if (this.#outcome === 'end') this.onEnd()
  }

  #lookAgain(): void {
    const { clock } = this.#shared
    const waitMs = this.#waitMs(clock.monotonicMs())
    if (waitMs === undefined) return
    this.#timer = clock.after(waitMs, () => this.wake())
  }

  #waitMs(nowMs: number): number | undefined {
    if (this.#outcome === 'refused') return retryMs
    if (this.#outcome === 'throttled') {
      const { bytes, lines } = this.#quotas
      return Math.max(
        bytes.left(nowMs) > 0 ? 0 : bytes.waitMs(nowMs),
        lines.left(nowMs) > 0 ? 0 : lines.waitMs(nowMs),
      )
    }
    return this.#flushAtMs === undefined ? undefined : Math.max(0, this.#flushAtMs - nowMs)
  }

  async #readOn(): Promise<Outcome> {
    const handle = this.#handle ?? (await this.#open())
    // It is not there, which whoever follows the path finds out.
    if (handle === undefined) return 'end'
    try {
      for (;;) {
        if (this.#cut) this.#startOver()
        const outcome = await this.#step(handle)
        if (outcome !== 'more') return outcome
      }
    } finally {
      if (!this.#keepOpen) await handle.close()
    }
  }

  #startOver(): void {
    this.#cut = false
    this.entry.set(this.inode, 0)
    this.#lines.goTo(0)
    this.#flushAtMs = undefined
  }

  async #step(handle: FileHandle): Promise<Outcome> {
    const { clock, counts, blocks } = this.#shared
    const nowMs = clock.monotonicMs()
    const bytesLeft = this.#quotas.bytes.left(nowMs)
    const linesLeft = this.#quotas.lines.left(nowMs)
    if (bytesLeft === 0 || linesLeft === 0) {
      counts.throttled += 1
      return 'throttled'
    }
    const taken = blocks.take()
    const block = taken instanceof Buffer ? taken : await taken
    let read: { taken: Promise<void> | undefined; outcome: Outcome } | undefined
    try {
      const place = this.#lines.place(block)
      const held = this.#lines.heldBytes
      const room = place.subarray(held, Math.min(place.length, held + bytesLeft))
      const length = await handle.read(room, this.#lines.readAt)
      if (this.#closed) return 'closed'
      if (this.#cut) return 'more'
      if (length > 0) read = this.#take(place, { held, length, room: room.length }, linesLeft)
    } finally {
      blocks.giveBack(block)
    }
    if (read === undefined) return await this.#endOfFile(nowMs)
    return (await this.#settle(read.taken)) ?? read.outcome
  }

  /**
   * Makes events of what was read, and hands them on, batch for batch, as long as they are taken at once: where one waits,
   * the rest is read again. A read that did not fill its room met the file's end.
   */
  #take(
    place: Buffer,
    read: { held: number; length: number; room: number },
    linesLeft: number,
  ): { taken: Promise<void> | undefined; outcome: Outcome } {
    const { events, counts, clock } = this.#shared
    events.of.path = this.path
    const readFrom = this.#lines.readAt
    const length = read.held + read.length
    const nowMs = clock.monotonicMs()
    let taken: Promise<void> | undefined
    let lines = 0
    let next: number | undefined = 0
    while (next !== undefined && lines < linesLeft && taken === undefined) {
      const limit = Math.min(this.#shared.readLinesLimit, linesLeft - lines)
      const batch = this.#lines.take(place, { from: next, length }, limit)
      next = batch.next
      lines += batch.lines
      this.#holdUntil(batch.lines, nowMs)
      if (events.count > 0) taken = this.#shared.emit(this.path)
      if (taken === undefined) this.entry.set(this.inode, this.#lines.doneUntil)
    }
    const bytes = Math.max(0, this.#lines.readAt - readFrom)
    counts.bytes += bytes
    this.#quotas.bytes.use(bytes, nowMs)
    this.#quotas.lines.use(lines, nowMs)
    const isEnd = next === undefined && read.length < read.room
    return { taken, outcome: isEnd ? 'end' : 'more' }
  }

  /** An event of several lines that is not whole may be so when nothing follows. */
  #holdUntil(lines: number, nowMs: number): void {
    const { flushIntervalMs } = this.#shared
    if (lines === 0 || this.#multiline === undefined || flushIntervalMs === undefined) return
    this.#flushAtMs = this.#multiline.heldFrom === undefined ? undefined : nowMs + flushIntervalMs
  }

  async #endOfFile(nowMs: number): Promise<Outcome> {
    if (this.#flushAtMs === undefined || nowMs < this.#flushAtMs) return 'end'
    this.#flushAtMs = undefined
    const { events } = this.#shared
    events.of.path = this.path
    this.#multiline?.flush(events)
    const taken = events.count === 0 ? undefined : this.#shared.emit(this.path)
    return (await this.#settle(taken)) ?? 'end'
  }

  /** The position moves when the events are taken. undefined: they are. */
  async #settle(pending: Promise<void> | undefined): Promise<Outcome | undefined> {
    const { inode } = this
    const doneUntil = this.#lines.doneUntil
    try {
      if (pending !== undefined) await pending
      if (this.#closed) return 'closed'
    } catch (error) {
      if (this.#closed) return 'closed'
      this.#lines.goTo(this.entry.position)
      this.#flushAtMs = undefined
      this.#shared.sayRefused(this.path, error)
      return this.#cut ? 'more' : 'refused'
    }
    if (!this.#cut) this.entry.set(inode, doneUntil)
    return undefined
  }
}

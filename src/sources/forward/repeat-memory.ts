import type { Clock } from '../../core/host.ts'
import { rememberedOverheadBytes } from './limits.ts'
import { Passage } from './passage.ts'

/** What one message is known by when it comes again. */
export interface Remembered {
  /** Client, tag and chunk of the message. */
  readonly key: string
  /** Of its events' bytes: how many, and their CRC-32. */
  readonly bytes: number
  readonly crc: number
}

export interface RepeatLimits {
  readonly entries: number
  readonly totalBytes: number
  readonly ageMs: number
}

interface Entry {
  readonly key: string
  readonly bytes: number
  readonly crc: number
  readonly atMs: number
  readonly passage: Passage
  forgotten: boolean
}

/**
 * Messages of the last while, to know one that a client sends again because it got no ack. A chunk
 * id alone does not tell: simple clients count from 1 at each start. So the events must be the same
 * too: CRC-32 and length, which the processor does at several bytes a cycle, of a message that has
 * the same sender, tag and id already.
 *
 * A client that got its ack and sends the same again on the same connection means it: some make the
 * id of the events themselves. Repeats come on a new connection, or before the ack.
 */
export class RepeatMemory {
  readonly #clock: Clock
  readonly #limits: RepeatLimits
  readonly #entries = new Map<string, Entry>()
  /** Goes over them from the oldest on, as they are forgotten: beginning anew it would pass all those each time. */
  #oldest = this.#entries.values()
  /** What it has come to. */
  #next: Entry | undefined
  #bytes = 0
  /** Told of messages when they are safe. */
  onSafe: ((messages: readonly Remembered[]) => void) | undefined

  constructor(clock: Clock, limits: RepeatLimits) {
    this.#clock = clock
    this.#limits = limits
  }

  get size(): number {
    return this.#entries.size
  }

  /** For messages that set out together on the connection. */
  passage(owner: object): Passage {
    return new Passage(owner, this.onSafe)
  }

  /** How the same message fares, or fared, that came before; undefined: none did. */
  find(message: Remembered, owner: object): Passage | undefined {
    const entry = this.#entries.get(message.key)
    if (entry === undefined || entry.crc !== message.crc || entry.bytes !== message.bytes) {
      return undefined
    }
    const { passage, atMs } = entry
    if (passage.failed || (passage.safe && passage.isOf(owner))) return undefined
    return this.#clock.monotonicMs() - atMs > this.#limits.ageMs ? undefined : passage
  }

  add(message: Remembered, passage: Passage): void {
    passage.add(message)
    this.#put(message, passage, this.#clock.monotonicMs())
  }

  /** One that an earlier run had made safe, `ageMs` ago. Oldest first. */
  restore(message: Remembered, ageMs: number): void {
    const passage = new Passage(this)
    passage.makeSafe()
    this.#put(message, passage, this.#clock.monotonicMs() - ageMs)
  }

  #put({ key, bytes, crc }: Remembered, passage: Passage, atMs: number): void {
    const before = this.#entries.get(key)
    if (before !== undefined) this.#forget(before)
    this.#entries.set(key, { key, bytes, crc, atMs, passage, forgotten: false })
    this.#bytes += costOf(key)
    this.#forgetOld(this.#clock.monotonicMs())
  }

  #forget(entry: Entry): void {
    entry.forgotten = true
    this.#entries.delete(entry.key)
    this.#bytes -= costOf(entry.key)
  }

  #forgetOld(nowMs: number): void {
    const { entries, totalBytes, ageMs } = this.#limits
    for (let entry = this.#first(); entry !== undefined; entry = this.#first()) {
      const isOver = this.#entries.size > entries || this.#bytes > totalBytes
      if (!isOver && nowMs - entry.atMs <= ageMs) return
      this.#forget(entry)
    }
  }

  /** The one that has been here longest. */
  #first(): Entry | undefined {
    while (this.#next === undefined || this.#next.forgotten) {
      const { value, done } = this.#oldest.next()
      this.#next = value
      if (done !== true) continue
      // An iterator that has come to the end does not see what is added afterwards.
      this.#oldest = this.#entries.values()
      if (this.#entries.size === 0) return undefined
    }
    return this.#next
  }
}

function costOf(key: string): number {
  return 2 * key.length + rememberedOverheadBytes
}

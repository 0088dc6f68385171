import type { Clock, Random } from '../../core/host.ts'
import { Passage } from './passage.ts'
import { KeyHash, RepeatTable } from './repeat-table.ts'

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
  readonly ageMs: number
}

const nobody = 0
const safe = Passage.safe()

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
  readonly #table: RepeatTable
  #owners = nobody
  /** Told of messages when they are safe; keys are kept for it alone. */
  onSafe: ((messages: readonly Remembered[]) => void) | undefined

  constructor(host: { clock: Clock; random: Random }, limits: RepeatLimits) {
    this.#clock = host.clock
    const { entries, ageMs } = limits
    this.#table = new RepeatTable({ limit: entries, ageMs, random: host.random })
  }

  get size(): number {
    return this.#table.size
  }

  /** For keys; where each begins. */
  hash(text = ''): KeyHash {
    const hash = new KeyHash(this.#table.seed)
    hash.text(text)
    return hash
  }

  /** A number for a connection: the memory outlives it, and holds on to nothing of it. */
  newOwner(): number {
    this.#owners += 1
    return this.#owners
  }

  /** For messages that set out together on the connection. */
  passage(owner: number): Passage {
    return new Passage(this, owner, this.#clock.monotonicMs())
  }

  /** How the same message fares, or fared, that came before; undefined: none did. */
  find(key: KeyHash, bytes: number, crc: number, owner: number): Passage | undefined {
    const table = this.#table
    const slot = table.find(key, bytes, crc)
    if (slot < 0) return undefined
    const passage = table.passageAt(slot)
    if (passage !== undefined) return passage
    if (table.isKnownTo(slot, owner)) return undefined
    return table.isTooOld(slot, this.#clock.monotonicMs()) ? undefined : safe
  }

  /** The key's text is asked for where it is needed. Messages of one passage are added one after the other. */
  add(key: KeyHash, bytes: number, crc: number, passage: Passage, text: () => string): void {
    const { owner, atMs } = passage
    const message = { bytes, crc, owner, passage }
    const number = this.#table.add(key, message, { atMs, nowMs: atMs })
    passage.add(number)
    if (this.onSafe !== undefined) passage.messages.push({ key: text(), bytes, crc })
  }

  /** One that an earlier run had made safe, `ageMs` ago. Oldest first. */
  restore({ key, bytes, crc }: Remembered, ageMs: number): void {
    const nowMs = this.#clock.monotonicMs()
    const message = { bytes, crc, owner: nobody, passage: undefined }
    this.#table.add(this.hash(key), message, { atMs: nowMs - ageMs, nowMs })
  }

  /** Of a passage: called by it, once. */
  ended(passage: Passage, arrived: boolean): void {
    const { first, last, messages } = passage
    if (first < 0) return
    this.#table.end(passage, first, last, arrived)
    if (arrived && messages.length > 0) this.onSafe?.(messages)
  }
}

import type { Random } from '../../core/host.ts'
import type { Passage } from './passage.ts'

const smallestCapacity = 1_024
const none = -1

/**
 * A hash of 64 bits, with a seed of this process: that two keys meet, of messages with events of the same length and
 * CRC-32, is not to be expected, nor to be brought about. `low` and `high` are its halves.
 */
export class KeyHash {
  low: number
  high: number

  constructor(start: { readonly low: number; readonly high: number }) {
    this.low = start.low
    this.high = start.high
  }

  begin(start: { readonly low: number; readonly high: number }): void {
    this.low = start.low
    this.high = start.high
  }

  /** Characters below 256 as the bytes that they are in Latin-1. */
  text(text: string): void {
    let { low, high } = this
    for (let at = 0; at < text.length; at++) {
      const code = text.charCodeAt(at)
      low = Math.imul(low ^ code, 0x9e3779b1) ^ (high >>> 15)
      high = Math.imul(high ^ code, 0x5f356495) ^ (low >>> 13)
    }
    this.low = low >>> 0
    this.high = high >>> 0
  }

  bytes(bytes: Uint8Array, start: number, end: number): void {
    let { low, high } = this
    for (let at = start; at < end; at++) {
      const code = bytes[at] as number
      low = Math.imul(low ^ code, 0x9e3779b1) ^ (high >>> 15)
      high = Math.imul(high ^ code, 0x5f356495) ^ (low >>> 13)
    }
    this.low = low >>> 0
    this.high = high >>> 0
  }
}

/**
 * The last messages, by the hash of their key, in typed arrays: as objects that live as long, and are as many, they would
 * cost more than all else that is done for a message.
 *
 * A ring. Messages are numbered as they come; number n stands in slot n modulo the capacity, from `#tail` to `#head`. Those
 * of one bucket are linked from the newest to the oldest. One that is removed before its time leaves a gap (`live` 0),
 * for which the ring has room beyond the limit.
 */
export class RepeatTable {
  readonly #limit: number
  readonly #ageMs: number
  readonly #random: Random
  #seed: { readonly low: number; readonly high: number } | undefined
  #rows = new Rows(smallestCapacity)
  #head = 0
  #tail = 0
  #size = 0

  constructor(options: { limit: number; ageMs: number; random: Random }) {
    this.#limit = options.limit
    this.#ageMs = options.ageMs
    this.#random = options.random
  }

  /** Where the hash of a key begins. */
  get seed(): { readonly low: number; readonly high: number } {
    if (this.#seed === undefined) {
      const seed = Buffer.from(this.#random.bytes(8))
      this.#seed = { low: seed.readUInt32BE(0), high: seed.readUInt32BE(4) }
    }
    return this.#seed
  }

  get size(): number {
    return this.#size
  }

  /** The slot of the message with that key, if it is the same one; below 0: there is none. Valid until the next `add`. */
  find({ low, high }: KeyHash, bytes: number, crc: number): number {
    const rows = this.#rows
    const slot = rows.find(low, high)
    const isSame = slot !== none && rows.crc[slot] === crc >>> 0 && rows.bytes[slot] === bytes
    return isSame ? slot : none
  }

  /** undefined: it is safe. */
  passageAt(slot: number): Passage | undefined {
    return this.#rows.passages[slot]
  }

  isKnownTo(slot: number, owner: number): boolean {
    return this.#rows.owner[slot] === owner
  }

  isTooOld(slot: number, nowMs: number): boolean {
    return nowMs - (this.#rows.atMs[slot] as number) > this.#ageMs
  }

  /**
   * As the newest, in place of one with the same key; returns its number. Earlier ones are forgotten where there are too
   * many, or they are too old.
   */
  add(
    { low, high }: KeyHash,
    message: { bytes: number; crc: number; owner: number; passage: Passage | undefined },
    time: { atMs: number; nowMs: number },
  ): number {
    const before = this.#rows.find(low, high)
    if (before !== none) this.#remove(before)
    if (this.#head - this.#tail === this.#rows.capacity) this.#makeRoom()
    const number = this.#head
    const slot = number & (this.#rows.capacity - 1)
    this.#head += 1
    this.#size += 1
    this.#rows.put(slot, low, high)
    this.#rows.crc[slot] = message.crc
    this.#rows.bytes[slot] = message.bytes
    this.#rows.atMs[slot] = time.atMs
    this.#rows.owner[slot] = message.owner
    this.#rows.passages[slot] = message.passage
    this.#forgetOld(time.nowMs)
    return number
  }

  /** The messages of the passage, from number `first` to `last`, are safe; or it is as if they had not come. */
  end(passage: Passage, first: number, last: number, arrived: boolean): void {
    const rows = this.#rows
    for (let number = Math.max(first, this.#tail); number <= last; number++) {
      const slot = number & (rows.capacity - 1)
      // Forgotten since, or come again.
      if (rows.passages[slot] !== passage) continue
      if (arrived) rows.passages[slot] = undefined
      else this.#remove(slot)
    }
  }

  #remove(slot: number): void {
    this.#rows.remove(slot)
    this.#size -= 1
    const { live, capacity } = this.#rows
    while (this.#tail < this.#head && live[this.#tail & (capacity - 1)] === 0) this.#tail += 1
  }

  #forgetOld(nowMs: number): void {
    while (this.#size > 0) {
      const slot = this.#tail & (this.#rows.capacity - 1)
      if (this.#size <= this.#limit && !this.isTooOld(slot, nowMs)) return
      this.#remove(slot)
    }
  }

  /** Twice as many rows; where there may be no more, the oldest goes: there are more gaps than anybody makes. */
  #makeRoom(): void {
    const old = this.#rows
    if (old.capacity > this.#limit + (this.#limit >>> 2)) {
      this.#remove(this.#tail & (old.capacity - 1))
      return
    }
    const rows = new Rows(old.capacity * 2)
    for (let number = this.#tail; number < this.#head; number++) {
      rows.take(number & (rows.capacity - 1), old, number & (old.capacity - 1))
    }
    this.#rows = rows
  }
}

class Rows {
  /** A power of two. */
  readonly capacity: number
  readonly crc: Uint32Array
  readonly bytes: Float64Array
  readonly atMs: Float64Array
  readonly owner: Float64Array
  readonly live: Uint8Array
  readonly passages: (Passage | undefined)[]
  readonly #low: Uint32Array
  readonly #high: Uint32Array
  readonly #buckets: Int32Array
  readonly #older: Int32Array

  constructor(capacity: number) {
    this.capacity = capacity
    this.crc = new Uint32Array(capacity)
    this.bytes = new Float64Array(capacity)
    this.atMs = new Float64Array(capacity)
    this.owner = new Float64Array(capacity)
    this.live = new Uint8Array(capacity)
    this.passages = new Array<Passage | undefined>(capacity).fill(undefined)
    this.#low = new Uint32Array(capacity)
    this.#high = new Uint32Array(capacity)
    this.#older = new Int32Array(capacity)
    this.#buckets = new Int32Array(capacity).fill(none)
  }

  find(low: number, high: number): number {
    let slot = this.#buckets[low & (this.capacity - 1)] as number
    while (slot !== none && (this.#low[slot] !== low || this.#high[slot] !== high)) {
      slot = this.#older[slot] as number
    }
    return slot
  }

  put(slot: number, low: number, high: number): void {
    const bucket = low & (this.capacity - 1)
    this.#low[slot] = low
    this.#high[slot] = high
    this.live[slot] = 1
    this.#older[slot] = this.#buckets[bucket] as number
    this.#buckets[bucket] = slot
  }

  remove(slot: number): void {
    const bucket = (this.#low[slot] as number) & (this.capacity - 1)
    const older = this.#older[slot] as number
    this.live[slot] = 0
    this.passages[slot] = undefined
    let at = this.#buckets[bucket] as number
    if (at === slot) {
      this.#buckets[bucket] = older
      return
    }
    while (this.#older[at] !== slot) at = this.#older[at] as number
    this.#older[at] = older
  }

  take(slot: number, from: Rows, fromSlot: number): void {
    if (from.live[fromSlot] === 0) return
    this.put(slot, from.#low[fromSlot] as number, from.#high[fromSlot] as number)
    this.crc[slot] = from.crc[fromSlot] as number
    this.bytes[slot] = from.bytes[fromSlot] as number
    this.atMs[slot] = from.atMs[fromSlot] as number
    this.owner[slot] = from.owner[fromSlot] as number
    this.passages[slot] = from.passages[fromSlot]
  }
}

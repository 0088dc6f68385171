import { giveBlock, takeBlock } from './blocks.ts'

/** Bytes appended piece by piece, at a cost linear in their number. */
export class Growable {
  #buffer: Uint8Array = empty
  #length = 0

  get length(): number {
    return this.#length
  }

  /** A view, valid until the next call. */
  get bytes(): Uint8Array {
    return this.#buffer.subarray(0, this.#length)
  }

  /**
   * `expectedBytes`: how long it will become, by the sender's own word. It may lie: what is taken is in proportion to
   * what came.
   */
  append(piece: Uint8Array, expectedBytes = 0): void {
    const needed = this.#length + piece.length
    if (needed > this.#buffer.length) {
      const larger = takeBlock(
        Math.max(needed, this.#buffer.length * 2, Math.min(expectedBytes, needed * 8)),
      )
      larger.set(this.bytes)
      giveBlock(this.#buffer)
      this.#buffer = larger
    }
    this.#buffer.set(piece, this.#length)
    this.#length = needed
  }

  /** What is in it; from here on its memory is the caller's. */
  take(): Uint8Array {
    const taken = this.bytes
    this.#length = 0
    this.#buffer = empty
    return taken
  }

  /** Empties it. Memory is kept only if it is little: a connection that idles should cost little. */
  clear(): void {
    this.#length = 0
    if (this.#buffer.length <= keptBytes) return
    giveBlock(this.#buffer)
    this.#buffer = empty
  }
}

const empty = new Uint8Array(0)
const keptBytes = 4096

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

  append(piece: Uint8Array): void {
    const needed = this.#length + piece.length
    if (needed > this.#buffer.length) {
      const larger = new Uint8Array(Math.max(needed, this.#buffer.length * 2, smallestBytes))
      larger.set(this.bytes)
      this.#buffer = larger
    }
    this.#buffer.set(piece, this.#length)
    this.#length = needed
  }

  /** Empties it. Memory is kept only if it is little: a connection that idles should cost little. */
  clear(): void {
    this.#length = 0
    if (this.#buffer.length > keptBytes) this.#buffer = empty
  }
}

const empty = new Uint8Array(0)
const smallestBytes = 512
const keptBytes = 4096

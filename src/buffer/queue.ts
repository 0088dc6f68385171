/** First in, first out, with constant cost at both ends: a buffer may hold a hundred thousand small chunks. */
export class ChunkQueue<T> implements Iterable<T> {
  #items: (T | undefined)[] = []
  #head = 0

  get length(): number {
    return this.#items.length - this.#head
  }

  push(item: T): void {
    this.#items.push(item)
  }

  /** Puts back what was taken: it comes out next. */
  unshift(item: T): void {
    if (this.#head === 0) {
      this.#items.unshift(item)
      return
    }
    this.#head -= 1
    this.#items[this.#head] = item
  }

  shift(): T | undefined {
    if (this.#head === this.#items.length) return undefined
    const item = this.#items[this.#head]
    this.#items[this.#head] = undefined
    this.#head += 1
    // Moving the rest down costs no more than what was taken since the last time.
    if (this.#head > 64 && this.#head * 2 > this.#items.length) {
      this.#items = this.#items.slice(this.#head)
      this.#head = 0
    }
    return item
  }

  *[Symbol.iterator](): Iterator<T> {
    for (let i = this.#head; i < this.#items.length; i += 1) yield this.#items[i] as T
  }
}

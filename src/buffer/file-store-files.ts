import type { FileHandle } from '../core/host.ts'

/** A chunk's files, open for writing. */
export interface OpenPair {
  readonly chunk: FileHandle
  readonly meta: FileHandle
}

interface Place {
  readonly pair: OpenPair
  busy: boolean
}

/**
 * Keeps the files of chunks in use open, of so many at a time; those longest unused are closed first. An owner has its files
 * for itself from `take` to `give`.
 */
export class OpenFiles {
  readonly #limit: number
  readonly #places = new Map<object, Place>()
  #opening = 0
  #waiting: (() => void)[] = []

  constructor(limit: number) {
    this.#limit = limit
  }

  get size(): number {
    return this.#places.size
  }

  async take(owner: object, open: () => Promise<OpenPair>): Promise<OpenPair> {
    const there = this.#places.get(owner)
    if (there !== undefined) {
      there.busy = true
      // To the end of the order: used last.
      this.#places.delete(owner)
      this.#places.set(owner, there)
      return there.pair
    }
    while (this.#places.size + this.#opening >= this.#limit) {
      const idle = this.#longestIdle()
      if (idle === undefined) await new Promise<void>((resolve) => this.#waiting.push(resolve))
      else await this.close(idle)
    }
    this.#opening += 1
    try {
      const pair = await open()
      this.#places.set(owner, { pair, busy: true })
      return pair
    } finally {
      this.#opening -= 1
      this.#wake()
    }
  }

  /** The owner's files, if they are open and not taken: for what is done before this returns to the event loop. */
  peek(owner: object): OpenPair | undefined {
    const place = this.#places.get(owner)
    return place === undefined || place.busy ? undefined : place.pair
  }

  give(owner: object): void {
    const place = this.#places.get(owner)
    if (place !== undefined) place.busy = false
    this.#wake()
  }

  /** Closes an owner's files, if they are open. Its own business: nobody else uses them. */
  async close(owner: object): Promise<void> {
    const place = this.#places.get(owner)
    if (place === undefined) return
    this.#places.delete(owner)
    await Promise.allSettled([place.pair.chunk.close(), place.pair.meta.close()])
    this.#wake()
  }

  async closeAll(): Promise<void> {
    await Promise.all([...this.#places.keys()].map((owner) => this.close(owner)))
  }

  #longestIdle(): object | undefined {
    for (const [owner, place] of this.#places) if (!place.busy) return owner
    return undefined
  }

  #wake(): void {
    const waiting = this.#waiting
    this.#waiting = []
    for (const wake of waiting) wake()
  }
}

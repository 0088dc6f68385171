import { setFlagsFromString } from 'node:v8'

/**
 * From so many open connections on the heap may grow less before it is collected, and below so many it may again grow as
 * V8 likes: apart, so that a few that come and go change nothing.
 */
const limits = { many: 1024, few: 512 }
/** What may come on top of what is in use, in per cent, before V8 collects. 0: V8's own choice, up to 300. */
const growth = { tight: 40, free: 0 }

/**
 * Ten thousand connections are 80 MB that stay, and V8 lets a heap that large double before it looks for what is garbage:
 * measured with a flood of messages from four of them, 320 MB at the most; so told, 180 MB for a tenth more time in
 * collections. With few connections little stays, and there is nothing to save.
 */
export class HeapGrowth {
  readonly #setFlags: (flags: string) => void
  #open = 0
  #tight = false

  constructor(setFlags: (flags: string) => void = setFlagsFromString) {
    this.#setFlags = setFlags
  }

  opened(): void {
    this.#open += 1
    if (!this.#tight && this.#open >= limits.many) this.#set(true)
  }

  closed(): void {
    this.#open -= 1
    if (this.#tight && this.#open < limits.few) this.#set(false)
  }

  /** V8 reads it at each collection. One that does not know the flag says so on standard error, and goes on as it was. */
  #set(tight: boolean): void {
    this.#tight = tight
    this.#setFlags(`--heap-growing-percent=${tight ? growth.tight : growth.free}`)
  }
}

/** Of this process. */
export const heapGrowth = new HeapGrowth()

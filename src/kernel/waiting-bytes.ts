import { HoldingBlock } from './blocks.ts'

/** The first read after a hold is this much, so that a consumer that pushes back at every step costs little. */
const windowAfterHoldBytes = 16 * 1024

/** Copies of a stream's bytes that wait to be loaded into an engine, in their order. */
export class WaitingBytes {
  readonly #copies: Uint8Array[] = []
  readonly #block = new HoldingBlock()
  readonly #readAreaBytes: number
  #windowBytes: number
  /** The copy that the bytes in the engine came from, if they did. */
  #loaded: Uint8Array | undefined

  constructor(readAreaBytes: number) {
    this.#readAreaBytes = readAreaBytes
    this.#windowBytes = readAreaBytes
  }

  get any(): boolean {
    return this.#copies.length > 0
  }

  /** Behind the others; the bytes are kept. */
  push(copy: Uint8Array): void {
    this.#copies.push(copy)
  }

  /** Before the others; the bytes are kept. */
  unshift(copy: Uint8Array): void {
    this.#copies.unshift(copy)
  }

  /** The end of what was loaded last: it waits again. Copied unless there is a copy. */
  putBack(rest: Uint8Array): void {
    const loaded = this.#loaded
    this.#loaded = undefined
    if (rest.length === 0) return
    const copy =
      loaded !== undefined && rest.length <= loaded.length
        ? loaded.subarray(loaded.length - rest.length)
        : this.#block.copy(rest)
    this.#copies.unshift(copy)
    this.#windowBytes = windowAfterHoldBytes
  }

  /** What is to be loaded next. */
  take(): Uint8Array | undefined {
    const first = this.#copies[0]
    if (first === undefined) {
      this.#loaded = undefined
      this.#block.release()
      return undefined
    }
    const part = first.subarray(0, this.#windowBytes)
    this.#windowBytes = Math.min(this.#windowBytes * 4, this.#readAreaBytes)
    if (part.length === first.length) this.#copies.shift()
    else this.#copies[0] = first.subarray(part.length)
    this.#loaded = part
    return part
  }

  /** The bytes in the engine are others. */
  forgetLoaded(): void {
    this.#loaded = undefined
  }

  clear(): void {
    this.#copies.length = 0
    this.#loaded = undefined
  }
}

/** Bytes read at once. */
export const blockBytes = 256 * 1024
/** Reads under way at once: as many as the system does side by side. */
const blockCount = 4

/**
 * The buffers that all files are read into, in turn. One is taken for a read and until its lines are events; nobody keeps
 * one while an output pushes back.
 */
export class Blocks {
  readonly #free: Buffer[] = []
  #made = 0
  readonly #waiting: ((block: Buffer) => void)[] = []

  take(): Buffer | Promise<Buffer> {
    const free = this.#free.pop()
    if (free !== undefined) return free
    if (this.#made < blockCount) {
      this.#made += 1
      return Buffer.allocUnsafeSlow(blockBytes)
    }
    return new Promise((resolve) => this.#waiting.push(resolve))
  }

  giveBack(block: Buffer): void {
    const next = this.#waiting.shift()
    if (next === undefined) this.#free.push(block)
    else next(block)
  }
}

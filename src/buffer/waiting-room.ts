import type { Batch } from '../core/batch.ts'
import { BufferOverflowError } from '../core/errors.ts'
import { ChunkQueue } from './queue.ts'

/**
 * Batches that wait for room in the buffer (overflow_action block). A source that heeds its pending promises has one here for
 * each of its connections; whoever goes on sending is refused at the limits.
 */
export const waitingLimitBytes = 64 * 1024 * 1024
export const waitingLimitBatches = 10_000

interface Waiting {
  readonly batch: Batch
  readonly resolve: (settled: void | Promise<void>) => void
  readonly reject: (error: Error) => void
}

export class WaitingRoom {
  readonly #queue = new ChunkQueue<Waiting>()
  #bytes = 0

  get length(): number {
    return this.#queue.length
  }

  /** Keeps a copy. Settles as `admit` decides. */
  enter(batch: Batch): Promise<void> {
    const bytes = batch.packed.byteLength
    if (this.#queue.length >= waitingLimitBatches || this.#bytes + bytes > waitingLimitBytes) {
      return Promise.reject(new BufferOverflowError('too many events wait for room in the buffer'))
    }
    this.#bytes += bytes
    return new Promise((resolve, reject) => {
      this.#queue.push({
        batch: { ...batch, packed: new Uint8Array(batch.packed) },
        resolve,
        reject,
      })
    })
  }

  /** Lets batches in, in order, as long as there is room. */
  admit(hasRoom: () => boolean, take: (batch: Batch) => void | Promise<void>): void {
    while (this.#queue.length > 0 && hasRoom()) {
      const { batch, resolve, reject } = this.#queue.shift() as Waiting
      this.#bytes -= batch.packed.byteLength
      try {
        resolve(take(batch))
      } catch (error) {
        reject(error as Error)
      }
    }
  }

  refuseAll(message: string): void {
    for (let one = this.#queue.shift(); one !== undefined; one = this.#queue.shift()) {
      one.reject(new BufferOverflowError(message))
    }
    this.#bytes = 0
  }
}

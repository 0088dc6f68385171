import type { Batch } from '../core/batch.ts'
import type { Consumer } from '../core/consumer.ts'
import { heldBytesLimit } from './limits.ts'

interface HeldBatch {
  readonly batch: Batch
  readonly resolve: (taken: void | Promise<void>) => void
  readonly reject: (error: unknown) => void
}

/**
 * What a source is handed as its way into the graph. A source that a reload keeps goes on emitting
 * here, and its events go into the new graph; while outputs change places they wait here, which
 * holds up the clients they came from.
 */
export class SourceEntry implements Consumer {
  target: Consumer
  emitError: (batch: Batch, error: Error) => void
  #held: HeldBatch[] | undefined
  #heldBytes = 0

  constructor(target: Consumer, emitError: (batch: Batch, error: Error) => void) {
    this.target = target
    this.emitError = emitError
  }

  emit(batch: Batch): void | Promise<void> {
    return this.#held === undefined ? this.target.emit(batch) : this.#wait(this.#held, batch)
  }

  /** From now on batches wait. */
  hold(): void {
    this.#held ??= []
  }

  /** What waits goes on, in order, and what comes later too. */
  release(): void {
    const held = this.#held ?? []
    this.#held = undefined
    this.#heldBytes = 0
    for (const { batch, resolve, reject } of held) {
      try {
        resolve(this.target.emit(batch))
      } catch (error) {
        reject(error)
      }
    }
  }

  /** What waits is refused: its source must not acknowledge it. */
  refuse(error: Error): void {
    const held = this.#held ?? []
    this.#held = undefined
    this.#heldBytes = 0
    for (const { reject } of held) reject(error)
  }

  #wait(held: HeldBatch[], batch: Batch): Promise<void> {
    const bytes = batch.packed.byteLength
    if (this.#heldBytes + bytes > heldBytesLimit) {
      return Promise.reject(new Error('too much came in while outputs changed places'))
    }
    this.#heldBytes += bytes
    return new Promise((resolve, reject) => {
      held.push({ batch: { ...batch, packed: new Uint8Array(batch.packed) }, resolve, reject })
    })
  }
}

import type { Batch } from '../core/batch.ts'
import type { Consumer } from '../core/consumer.ts'
import { labelDepthLimit } from './limits.ts'

/** How many labels the event that is under way now has been handed through; one for a graph. */
export interface Depth {
  value: number
}

/**
 * The way from a plugin into a pipeline. Labels can lead in circles (relabel to A, there to B, there to A again), which
 * depends on tags and so cannot be told from the configuration: an event that does is given up after
 * `labelDepthLimit` labels.
 */
export class LabelRoute implements Consumer {
  readonly #next: Consumer
  readonly #depth: Depth
  readonly #giveUp: (batch: Batch) => void

  constructor(options: { next: Consumer; depth: Depth; giveUp: (batch: Batch) => void }) {
    this.#next = options.next
    this.#depth = options.depth
    this.#giveUp = options.giveUp
  }

  emit(batch: Batch): void | Promise<void> {
    const depth = this.#depth
    if (depth.value >= labelDepthLimit) return this.#giveUp(batch)
    depth.value++
    try {
      return this.#next.emit(batch)
    } finally {
      depth.value--
    }
  }
}

import type { Batch } from '../core/batch.ts'
import type { Consumer } from '../core/consumer.ts'
import { labelDepthLimit } from './limits.ts'

/** How an event that is under way now got where it is; one for a graph. */
export interface Depth {
  /** Labels it has been handed through. */
  value: number
  /**
   * It went in a circle. Until it is back at its source no label is entered any more: a `copy` in
   * the circle would double the work at each turn otherwise.
   */
  circle: boolean
}

/**
 * The way from a plugin into a pipeline. Labels can lead in circles (relabel to A, there to B,
 * there to A again), which depends on tags and so cannot be told from the configuration: an event
 * that does is given up after `labelDepthLimit` labels.
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
    if (depth.circle || depth.value >= labelDepthLimit) {
      depth.circle = true
      return this.#giveUp(batch)
    }
    depth.value++
    try {
      return this.#next.emit(batch)
    } finally {
      leave(depth, depth.value - 1)
    }
  }
}

/** Goes back to `value`. */
export function leave(depth: Depth, value: number): void {
  depth.value = value
  if (value === 0) depth.circle = false
}

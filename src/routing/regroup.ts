import type { Batch } from '../core/batch.ts'
import type { Consumer } from '../core/consumer.ts'
import type { Receipt } from '../core/receipt.ts'
import { settleAll } from './many.ts'

interface Group {
  readonly target: Consumer
  readonly tag: string
  /** Starts and ends, in turn, of runs of entries in the bytes they come from. */
  readonly runs: number[]
  count: number
}

/**
 * Events of one batch, sorted anew by tag and by where they go. Entries keep their bytes: those that stand side by side and
 * go the same way are not even copied. One for each batch, as events may come back to the output that sent them on.
 */
export class Regroup {
  readonly #packed: Uint8Array
  readonly #receipt: Receipt | undefined
  readonly #inOrder: boolean
  readonly #groups: Group[] = []
  readonly #byTarget = new Map<Consumer, Map<string, Group>>()
  #last: Group | undefined

  /**
   * `receipt`: of the batch that the events come from. `inOrder`: all events go in the order they came in; false: all
   * of one tag together, as one batch.
   */
  constructor(packed: Uint8Array, options: { receipt: Receipt | undefined; inOrder: boolean }) {
    this.#packed = packed
    this.#receipt = options.receipt
    this.#inOrder = options.inOrder
  }

  /** The entry from `start` to `end` goes to `target` with that tag. */
  add(target: Consumer, tag: string, start: number, end: number): void {
    const group = this.#group(target, tag)
    const { runs } = group
    if (runs.at(-1) === start) runs[runs.length - 1] = end
    else runs.push(start, end)
    group.count++
  }

  #group(target: Consumer, tag: string): Group {
    const last = this.#last
    if (last !== undefined && last.tag === tag && last.target === target) return last
    const group = (this.#inOrder ? undefined : this.#known(target, tag)) ?? this.#make(target, tag)
    this.#last = group
    return group
  }

  #known(target: Consumer, tag: string): Group | undefined {
    return this.#byTarget.get(target)?.get(tag)
  }

  #make(target: Consumer, tag: string): Group {
    const group: Group = { target, tag, runs: [], count: 0 }
    this.#groups.push(group)
    if (!this.#inOrder) {
      const byTag = this.#byTarget.get(target) ?? new Map<string, Group>()
      byTag.set(tag, group)
      this.#byTarget.set(target, byTag)
    }
    return group
  }

  /** Sends them on, as Consumer.emit. After one that refuses nothing more is sent. */
  emit(): void | Promise<void> {
    const pending: Promise<void>[] = []
    try {
      for (const group of this.#groups) {
        const taken = group.target.emit(this.#batchOf(group))
        if (taken !== undefined) pending.push(taken)
      }
    } catch (error) {
      // Those that wait have their events; how they fare is no longer asked for.
      void Promise.allSettled(pending)
      throw error
    }
    return settleAll(pending)
  }

  #batchOf({ tag, runs, count }: Group): Batch {
    const receipt = this.#receipt
    if (runs.length === 2) {
      return { tag, packed: this.#packed.subarray(runs[0], runs[1]), count, receipt }
    }
    let length = 0
    for (let i = 0; i < runs.length; i += 2) length += runs[i + 1]! - runs[i]!
    const packed = Buffer.allocUnsafe(length)
    let at = 0
    for (let i = 0; i < runs.length; i += 2) {
      packed.set(this.#packed.subarray(runs[i], runs[i + 1]), at)
      at += runs[i + 1]! - runs[i]!
    }
    return { tag, packed, count, receipt }
  }
}

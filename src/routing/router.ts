import type { Batch } from '../core/batch.ts'
import type { Consumer } from '../core/consumer.ts'
import { eachEvent } from './cut.ts'
import { DecisionCache } from './decision-cache.ts'
import { type Depth, leave } from './label-route.ts'
import { labelsPerDetour, pipelineLimit } from './limits.ts'
import { settleAll } from './many.ts'
import type { Pattern } from './pattern.ts'

/**
 * A filter as the router uses it: never throws, has counted what it left out. undefined: nothing is
 * left.
 */
export interface FilterStage {
  apply(batch: Batch): Batch | undefined
  /**
   * Set by `apply` if it met events that @ERROR is to have: it has not told anyone then, and what
   * it gave back is not to be used. The router gives it the events again, one by one, so that all
   * of them, wherever they go, go in order.
   */
  readonly oneByOne: boolean
  /**
   * Set by the router from before `apply` until what it gave has been dealt with: its bytes are
   * borrowed so long.
   */
  inUse: boolean
}

/** <filter pattern> or <match pattern>, in the file's order. */
export type Rule =
  | { readonly pattern: Pattern; readonly filter: FilterStage; readonly output?: undefined }
  | { readonly pattern: Pattern; readonly output: Consumer; readonly filter?: undefined }

/**
 * One pipeline's table: the top level's or a label's. A tag goes to the first <match> whose pattern
 * matches, through the matching filters that stand before it in the file. That is decided once a
 * tag.
 */
export class Router implements Consumer {
  #rules: readonly Rule[] = []
  readonly #cache: DecisionCache<Consumer>
  readonly #pipelines = new Map<string, Consumer>()
  readonly #unmatched: Consumer
  readonly #failed: FailedEmit
  readonly #depth: Depth

  /**
   * `unmatched` takes what no <match> wants, after its filters. `failed` takes a batch that an
   * output refused with an exception: it throws it again, or finds another place for the batch.
   */
  constructor(options: {
    unmatched: Consumer
    failed?: FailedEmit
    cache?: DecisionCache<Consumer>
    depth?: Depth
  }) {
    this.#unmatched = options.unmatched
    this.#failed = options.failed ?? rethrow
    this.#depth = options.depth ?? { value: 0, circle: false }
    this.#cache = options.cache ?? new DecisionCache()
  }

  /**
   * Called once, before the first event: labels refer to each other, so routers exist before their
   * rules.
   */
  setRules(rules: readonly Rule[]): void {
    this.#rules = rules
  }

  /** Throws what an output throws (Consumer.emit of whoever calls may turn it into a rejection). */
  emit(batch: Batch): void | Promise<void> {
    const known = this.#cache.get(batch.tag)
    return (known ?? this.#decide(batch.tag)).emit(batch)
  }

  /** Whether some <match> wants the tag. */
  matches(tag: string): boolean {
    return this.#rules.some((rule) => rule.output !== undefined && rule.pattern.matches(tag))
  }

  /** Where events of the tag end here. undefined: no <match> wants it. */
  outputFor(tag: string): Consumer | undefined {
    return this.#rules.find((rule) => rule.output !== undefined && rule.pattern.matches(tag))
      ?.output
  }

  #decide(tag: string): Consumer {
    const filters: number[] = []
    let output = -1
    for (const [index, rule] of this.#rules.entries()) {
      if (!rule.pattern.matches(tag)) continue
      if (rule.filter !== undefined) {
        filters.push(index)
        continue
      }
      output = index
      break
    }
    const pipeline = this.#pipeline(filters, output)
    this.#cache.set(tag, pipeline)
    return pipeline
  }

  /** Tags that go the same way share one pipeline. */
  #pipeline(filters: readonly number[], output: number): Consumer {
    const key = `${filters.join()}:${output}`
    const known = this.#pipelines.get(key)
    if (known !== undefined) return known
    if (this.#pipelines.size >= pipelineLimit) this.#pipelines.clear()
    const pipeline = new Pipeline({
      filters: filters.map((index) => this.#rules[index]!.filter!),
      output: this.#rules[output]?.output ?? this.#unmatched,
      failed: this.#failed,
      depth: this.#depth,
    })
    this.#pipelines.set(key, pipeline)
    return pipeline
  }
}

export type FailedEmit = (batch: Batch, error: unknown) => void | Promise<void>

function rethrow(_batch: Batch, error: unknown): never {
  throw error
}

interface PipelineParts {
  readonly filters: readonly FilterStage[]
  readonly output: Consumer
  readonly failed: FailedEmit
  readonly depth: Depth
}

class Pipeline implements Consumer {
  readonly #filters: readonly FilterStage[]
  readonly #output: Consumer
  readonly #failed: FailedEmit
  readonly #depth: Depth

  constructor(parts: PipelineParts) {
    this.#filters = parts.filters
    this.#output = parts.output
    this.#failed = parts.failed
    this.#depth = parts.depth
  }

  emit(batch: Batch): void | Promise<void> {
    if (this.#filters.length === 0) return this.#toOutput(batch)
    for (const filter of this.#filters) if (filter.inUse) return this.#later(batch)
    try {
      return this.#filterFrom(0, batch)
    } finally {
      for (const filter of this.#filters) filter.inUse = false
    }
  }

  #filterFrom(first: number, batch: Batch): void | Promise<void> {
    let rest = batch
    for (let index = first; index < this.#filters.length; index++) {
      const filter = this.#filters[index]!
      filter.inUse = true
      const next = filter.apply(rest)
      if (filter.oneByOne) return this.#oneByOne(index, rest)
      if (next === undefined) return undefined
      rest = batch.receipt === undefined ? next : { ...next, receipt: batch.receipt }
    }
    return this.#toOutput(rest)
  }

  #oneByOne(first: number, batch: Batch): void | Promise<void> {
    const pending: Promise<void>[] = []
    try {
      eachEvent(batch, (event) => {
        const taken = this.#filterFrom(first, event)
        if (taken !== undefined) pending.push(taken)
      })
    } catch (error) {
      // The source is told that the batch was not taken; how the events fare that are on their way
      // is not asked for.
      void Promise.allSettled(pending)
      throw error
    }
    return settleAll(pending)
  }

  #toOutput(batch: Batch): void | Promise<void> {
    try {
      return this.#output.emit(batch)
    } catch (error) {
      return this.#failed(batch, error)
    }
  }

  /**
   * A label led back here while a filter's last batch is still on its way: the filter would write
   * over its bytes. So this one waits until that is through. It counts as many labels deeper: each
   * turn of a circle that runs over here could make two of one event.
   */
  async #later(batch: Batch): Promise<void> {
    const kept = {
      tag: batch.tag,
      // Not slice: of a Buffer that is a view.
      packed: new Uint8Array(batch.packed),
      count: batch.count,
      receipt: batch.receipt,
    }
    const depth = this.#depth
    const value = depth.value + labelsPerDetour
    await Promise.resolve()
    const before = depth.value
    depth.value = value
    let taken: void | Promise<void>
    try {
      taken = this.emit(kept)
    } finally {
      leave(depth, before)
    }
    await taken
  }
}

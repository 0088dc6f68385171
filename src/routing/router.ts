import type { Batch } from '../core/batch.ts'
import type { Consumer } from '../core/consumer.ts'
import { DecisionCache } from './decision-cache.ts'
import { pipelineLimit } from './limits.ts'
import type { Pattern } from './pattern.ts'

/** A filter as the router uses it: never throws, has counted what it left out. undefined: nothing is left. */
export interface FilterStage {
  apply(batch: Batch): Batch | undefined
}

/** <filter pattern> or <match pattern>, in the file's order. */
export type Rule =
  | { readonly pattern: Pattern; readonly filter: FilterStage; readonly output?: undefined }
  | { readonly pattern: Pattern; readonly output: Consumer; readonly filter?: undefined }

/**
 * One pipeline's table: the top level's or a label's. A tag goes to the first <match> whose pattern matches, through
 * the matching filters that stand before it in the file. That is decided once a tag.
 */
export class Router implements Consumer {
  #rules: readonly Rule[] = []
  readonly #cache: DecisionCache<Consumer>
  readonly #pipelines = new Map<string, Consumer>()
  readonly #unmatched: Consumer
  readonly #failed: FailedEmit

  /**
   * `unmatched` takes what no <match> wants, after its filters. `failed` takes a batch that an output refused with an
   * exception: it throws it again, or finds another place for the batch.
   */
  constructor(options: {
    unmatched: Consumer
    failed?: FailedEmit
    cache?: DecisionCache<Consumer>
  }) {
    this.#unmatched = options.unmatched
    this.#failed = options.failed ?? rethrow
    this.#cache = options.cache ?? new DecisionCache()
  }

  /** Called once, before the first event: labels refer to each other, so routers exist before their rules. */
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
    const pipeline = new Pipeline(
      filters.map((index) => this.#rules[index]!.filter!),
      this.#rules[output]?.output ?? this.#unmatched,
      this.#failed,
    )
    this.#pipelines.set(key, pipeline)
    return pipeline
  }
}

export type FailedEmit = (batch: Batch, error: unknown) => void | Promise<void>

function rethrow(_batch: Batch, error: unknown): never {
  throw error
}

class Pipeline implements Consumer {
  readonly #filters: readonly FilterStage[]
  readonly #output: Consumer
  readonly #failed: FailedEmit

  constructor(filters: readonly FilterStage[], output: Consumer, failed: FailedEmit) {
    this.#filters = filters
    this.#output = output
    this.#failed = failed
  }

  emit(batch: Batch): void | Promise<void> {
    let rest = batch
    for (const filter of this.#filters) {
      const next = filter.apply(rest)
      if (next === undefined) return undefined
      rest = next
    }
    try {
      return this.#output.emit(rest)
    } catch (error) {
      return this.#failed(rest, error)
    }
  }
}

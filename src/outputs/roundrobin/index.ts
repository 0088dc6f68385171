import { defineOutput } from '../../config/define.ts'
import { type BoundPlugin, integer, plugin, positionOf } from '../../config/schema.ts'
import type { Batch } from '../../core/batch.ts'
import { ConfigError } from '../../core/errors.ts'
import type { Output } from '../../core/output.ts'
import { cutBatch } from '../../routing/cut.ts'
import { checkAll, flushAll, settleAll, startAll, stopAll } from '../../routing/many.ts'

export const roundrobinOutput = defineOutput({
  name: 'roundrobin',
  summary: 'Gives each event to one of several outputs, in turn.',
  description: 'Over a whole cycle each store gets as many events as its weight says.',
  shape: {
    params: {},
    sections: {
      store: plugin('output', {
        description: 'An output. `weight` in it says how often it has its turn.',
        multi: true,
        required: true,
        own: {
          weight: integer({
            description: 'Turns in a cycle.',
            default: 1,
            check: (value) =>
              value >= 0 && value <= 1_000_000 ? undefined : 'expected 0 to 1000000',
          }),
        },
      }),
    },
  },
  create(params, context) {
    const stores = params.store.map((bound) => ({
      output: context.createOutput(bound),
      weight: weightOf(bound),
    }))
    if (stores.every((store) => store.weight === 0)) {
      throw new ConfigError('all weights are 0: no store would get any event', {
        position: positionOf(params, 'store') ?? positionOf(params),
      })
    }
    return new RoundRobinOutput(stores)
  },
})

function weightOf(bound: BoundPlugin): number {
  const weight = bound.own?.weight
  return typeof weight === 'number' ? weight : 1
}

/**
 * Events are dealt out one by one, evenly (weights 3 and 1: a a b a), in the same order at every
 * start. Fluentd deals out whole emits, in shuffled order; here sources hand on what came in one
 * read as one batch, so an emit is no measure. At each turn every store gains its weight, the one
 * that has most is served and gives back the sum of all.
 */
export class RoundRobinOutput implements Output {
  readonly #stores: readonly { readonly output: Output; readonly weight: number }[]
  readonly #credit: number[]
  readonly #sum: number

  constructor(stores: readonly { readonly output: Output; readonly weight: number }[]) {
    this.#stores = stores
    this.#credit = stores.map(() => 0)
    this.#sum = stores.reduce((sum, store) => sum + store.weight, 0)
  }

  emit(batch: Batch): void | Promise<void> {
    if (batch.count === 1) return this.#stores[this.#turn()]!.output.emit(batch)
    const pending: Promise<void>[] = []
    try {
      cutBatch(batch, this.#shares(batch.count), (part, index) => {
        const taken = this.#stores[index]!.output.emit(part)
        if (taken !== undefined) pending.push(taken)
      })
    } catch (error) {
      // Those that wait have their part; how they fare is no longer asked for.
      void Promise.allSettled(pending)
      throw error
    }
    return settleAll(pending)
  }

  /** How many of so many events each store gets. */
  #shares(count: number): number[] {
    const cycles = Math.floor(count / this.#sum)
    const shares = this.#stores.map((store) => store.weight * cycles)
    for (let left = count - cycles * this.#sum; left > 0; left--) {
      const index = this.#turn()
      shares[index] = shares[index]! + 1
    }
    return shares
  }

  /** Whose turn it is. */
  #turn(): number {
    let chosen = 0
    let most = Number.NEGATIVE_INFINITY
    for (let index = 0; index < this.#stores.length; index++) {
      const weight = this.#stores[index]!.weight
      const credit = this.#credit[index]! + weight
      this.#credit[index] = credit
      if (weight > 0 && credit > most) {
        most = credit
        chosen = index
      }
    }
    this.#credit[chosen] = most - this.#sum
    return chosen
  }

  start(): Promise<void> {
    return startAll(this.#stores.map((store) => store.output))
  }

  stop(deadline: AbortSignal): Promise<void> {
    return stopAll(
      this.#stores.map((store) => store.output),
      deadline,
    )
  }

  check(): Promise<void> {
    return checkAll(this.#stores.map((store) => store.output))
  }

  flush(): Promise<void> {
    return flushAll(this.#stores.map((store) => store.output))
  }

  get claims(): readonly string[] {
    return this.#stores.flatMap((store) => store.output.claims ?? [])
  }
}

import type { Batch } from '../../core/batch.ts'
import type { Clock } from '../../core/host.ts'
import type { Logger } from '../../core/log.ts'
import type { Output } from '../../core/output.ts'
import { LogLimiter } from '../../routing/log-limiter.ts'
import { checkAll, flushAll, settleAll, startAll, stopAll } from '../../routing/many.ts'

export interface Store {
  readonly output: Output
  /** For messages. */
  readonly name: string
  readonly ignoreError: boolean
  readonly ignoreIfPrevSuccess: boolean
}

/**
 * `copy`. A store that refuses with an exception ends the copy of that batch, as in Fluentd, unless
 * its error is ignored. A store that pushes back (a pending promise) holds up nobody: the stores
 * behind it get the batch at once, and only the source waits.
 */
export class CopyOutput implements Output {
  readonly #stores: readonly Store[]
  readonly #log: Logger
  readonly #limiters: readonly LogLimiter[]

  constructor(options: { stores: readonly Store[]; log: Logger; clock: Clock }) {
    this.#stores = options.stores
    this.#log = options.log
    this.#limiters = options.stores.map(() => new LogLimiter(options.clock))
  }

  emit(batch: Batch): void | Promise<void> {
    const pending: Promise<void>[] = []
    let previousTook = false
    for (let index = 0; index < this.#stores.length; index++) {
      const store = this.#stores[index]!
      if (previousTook && store.ignoreIfPrevSuccess) {
        // Fluentd asks only the store directly before: to the next one, this one did not succeed.
        previousTook = false
        continue
      }
      let result: void | Promise<void>
      try {
        result = store.output.emit(batch)
        previousTook = true
      } catch (error) {
        if (!store.ignoreError) {
          // Those that wait have the batch; how they fare is no longer asked for.
          void Promise.allSettled(pending)
          throw error
        }
        previousTook = false
        this.#ignored(index, error)
        continue
      }
      if (result === undefined) continue
      const next = this.#stores[index + 1]
      if (store.ignoreError && next?.ignoreIfPrevSuccess) {
        pending.push(this.#elseTo(result, index, copyOf(batch)))
        index++
        previousTook = false
      } else pending.push(store.ignoreError ? this.#ignoring(result, index) : result)
    }
    return settleAll(pending)
  }

  async #ignoring(result: Promise<void>, index: number): Promise<void> {
    try {
      await result
    } catch (error) {
      this.#ignored(index, error)
    }
  }

  /**
   * Waits how the store at `index` fares; if it refuses late, the one behind it gets the (kept)
   * batch.
   */
  async #elseTo(result: Promise<void>, index: number, batch: Batch): Promise<void> {
    try {
      await result
    } catch (error) {
      this.#ignored(index, error)
      const next = this.#stores[index + 1]!
      try {
        await next.output.emit(batch)
      } catch (nextError) {
        if (!next.ignoreError) throw nextError
        this.#ignored(index + 1, nextError)
      }
    }
  }

  #ignored(index: number, error: unknown): void {
    const name = this.#stores[index]!.name
    this.#limiters[index]!.run({ error }, (fields) => {
      this.#log.error(`ignore emit error in ${name}`, fields)
    })
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

/** The bytes are borrowed; this keeps them. */
function copyOf(batch: Batch): Batch {
  return { ...batch, packed: new Uint8Array(batch.packed) }
}

import type { Batch } from '../core/batch.ts'
import type { Consumer } from '../core/consumer.ts'
import type { Clock, Host } from '../core/host.ts'
import type { Logger } from '../core/log.ts'
import { shownTagChars } from './limits.ts'
import { LogLimiter } from './log-limiter.ts'

/**
 * What becomes of events that cannot be processed: they go to <label @ERROR> if there is one.
 * Otherwise they are said and counted by their plugin. Fluentd logs each; this logs one in ten
 * seconds and plugin, and how many it left out.
 */
export class ErrorEvents {
  readonly #clock: Clock
  readonly #intervalMs: number | undefined
  #errorLabel: Consumer | undefined

  /** `intervalMs`: <system> emit_error_log_interval, where it is set. */
  constructor(clock: Clock, intervalMs?: number) {
    this.#clock = clock
    this.#intervalMs = intervalMs
  }

  /** Where @ERROR begins; set once the labels are known. */
  set errorLabel(consumer: Consumer | undefined) {
    this.#errorLabel = consumer
  }

  /** Whether what a plugin reports goes to @ERROR. */
  reachable(inErrorLabel: boolean): boolean {
    return this.#errorLabel !== undefined && !inErrorLabel
  }

  /**
   * emitError for one plugin. `inErrorLabel`: it stands in @ERROR itself, which is no way out for
   * it.
   */
  reporter(options: {
    log: Logger
    inErrorLabel: boolean
    lost: (count: number) => void
  }): (batch: Batch, error: Error) => void {
    const { log, lost } = options
    const limiter = new LogLimiter(this.#clock, this.#intervalMs)
    const dump = (batch: Batch, error: unknown): void => {
      lost(batch.count)
      limiter.run(errorFields(batch.tag, error), (fields) => {
        log.warn('dump an error event:', fields)
      })
    }
    return (batch, error) => {
      const errorLabel = options.inErrorLabel ? undefined : this.#errorLabel
      if (errorLabel === undefined) return dump(batch, error)
      limiter.run(errorFields(batch.tag, error), (fields) => {
        log.warn('send an error event to @ERROR:', fields)
      })
      // The batch is borrowed and may not be looked at later: what dump needs of it is kept.
      const { tag, count, packed } = batch
      try {
        errorLabel.emit(batch)?.catch((late: unknown) => dump({ tag, count, packed }, late))
      } catch (refused) {
        dump(batch, refused)
      }
    }
  }

  /**
   * What a router does with a batch that an output refused with an exception: to @ERROR, or thrown
   * again.
   */
  failedEmit(options: { log: Logger; inErrorLabel: boolean }) {
    const limiter = new LogLimiter(this.#clock, this.#intervalMs)
    return (batch: Batch, error: unknown): void | Promise<void> => {
      const errorLabel = options.inErrorLabel ? undefined : this.#errorLabel
      if (errorLabel === undefined) throw error
      limiter.run(errorFields(batch.tag, error), (fields) => {
        options.log.warn('send an error event stream to @ERROR:', fields)
      })
      return errorLabel.emit(batch)
    }
  }

  /** What a LabelRoute does with events that labels hand on in circles. */
  circle(host: Host, label: string): (batch: Batch) => void {
    const limiter = new LogLimiter(this.#clock)
    return (batch) => {
      host.metrics
        .counter({
          name: 'sluice_routing_dropped_events_total',
          help: 'Events that routing itself gave up, by reason.',
          labels: { reason: 'circle' },
        })
        .add(batch.count)
      limiter.run({ tag: batch.tag.slice(0, shownTagChars), label }, (fields) => {
        host.log.error(
          'this event is handed on in circles, by labels or new tags: it is dropped',
          fields,
        )
      })
    }
  }
}

function errorFields(tag: string, error: unknown) {
  const known = error instanceof Error ? error : new Error(String(error))
  return { error_class: known.name, error: known.message, tag: tag.slice(0, shownTagChars) }
}

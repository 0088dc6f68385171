import type { Consumer } from '../../core/consumer.ts'
import type { RunStep } from '../../kernel/types.ts'
import type { AckQueue } from './ack-queue.ts'
import type { Complaints } from './complaints.ts'
import type { ForwardReports } from './losses.ts'
import type { FieldWriter } from './source-fields.ts'
import type { Tags } from './tags.ts'

/**
 * Hands one connection's events on, and lets the acks of a message leave once all of it is safe.
 */
export class Delivery {
  readonly #consumer: Consumer
  readonly #reports: ForwardReports
  readonly #tags: Tags
  readonly #complaints: Complaints
  readonly #acks: AckQueue
  /** A part of a message was not taken: its ack must not leave. */
  #partRejected = false
  /** Set: written into each record. */
  fields: FieldWriter | undefined

  constructor(parts: {
    consumer: Consumer
    reports: ForwardReports
    tags: Tags
    complaints: Complaints
    acks: AckQueue
  }) {
    this.#consumer = parts.consumer
    this.#reports = parts.reports
    this.#tags = parts.tags
    this.#complaints = parts.complaints
    this.#acks = parts.acks
  }

  /**
   * undefined: settled. Otherwise the consumer pushes back, and nothing more may be taken until the
   * promise resolves.
   */
  take(step: RunStep): Promise<void> | undefined {
    if (step.invalid > 0) this.#complaints.invalidEntries(step)
    const tag = this.#tags.resolve(step.tag)
    if (tag === undefined) this.#complaints.invalidTag(step)
    if (tag === undefined || step.count === 0) {
      this.#settle(step, step.acks)
      return undefined
    }
    const packed = this.fields === undefined ? step.packed : this.fields.write(step.packed)
    const { count, partial } = step
    let taken: void | Promise<void>
    try {
      taken = this.#consumer.emit({ tag, packed, count })
    } catch (error) {
      this.#rejected(tag, count, error)
      this.#settle(step, step.acks)
      return undefined
    }
    if (taken === undefined) {
      this.#reports.events += count
      this.#settle(step, step.acks)
      return undefined
    }
    const acks = new Uint8Array(step.acks)
    return taken
      .then(
        () => {
          this.#reports.events += count
        },
        (error: unknown) => this.#rejected(tag, count, error),
      )
      .then(() => this.#settle({ partial }, acks))
  }

  #settle(run: { partial: boolean }, acks: Uint8Array): void {
    if (run.partial) return
    if (!this.#partRejected) this.#acks.add(acks)
    this.#partRejected = false
  }

  #rejected(tag: string, count: number, error: unknown): void {
    this.#partRejected = true
    this.#complaints.rejected(tag, count, error)
  }
}

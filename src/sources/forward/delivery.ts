import type { Consumer } from '../../core/consumer.ts'
import type { RunStep } from '../../kernel/types.ts'
import { Slip } from '../../routing/slip.ts'
import type { AckQueue } from './ack-queue.ts'
import type { Complaints } from './complaints.ts'
import type { ForwardReports } from './losses.ts'
import type { Passage } from './passage.ts'
import type { FieldWriter } from './source-fields.ts'
import type { Tags } from './tags.ts'

/**
 * When an ack leaves: once the message was looked at; once it is in the buffers of all outputs; once
 * these have delivered it.
 */
export type AckWhen = 'received' | 'buffered' | 'delivered'

/**
 * Hands one connection's events on, and lets the acks of a message leave once all of it is as safe
 * as `ack_when` asks.
 */
export class Delivery {
  readonly #consumer: Consumer
  readonly #reports: ForwardReports
  readonly #tags: Tags
  readonly #complaints: Complaints
  readonly #acks: AckQueue
  readonly #ackWhen: AckWhen
  /** A part of a message was not taken: its ack must not leave. */
  #partRejected = false
  /** Of a message that comes in parts, until its end. */
  #slip: Slip | undefined
  /** Set: written into each record. */
  fields: FieldWriter | undefined

  constructor(parts: {
    consumer: Consumer
    reports: ForwardReports
    tags: Tags
    complaints: Complaints
    acks: AckQueue
    ackWhen: AckWhen
  }) {
    this.#consumer = parts.consumer
    this.#reports = parts.reports
    this.#tags = parts.tags
    this.#complaints = parts.complaints
    this.#acks = parts.acks
    this.#ackWhen = parts.ackWhen
  }

  /**
   * undefined: settled. Otherwise the consumer pushes back, and nothing more may be taken until the
   * promise resolves. `passage` is told how the messages that end in this run fared.
   */
  take(step: RunStep, passage?: Passage): Promise<void> | undefined {
    if (step.invalid > 0) this.#complaints.invalidEntries(step)
    if (this.#ackWhen === 'received') this.#acks.add(step.acks)
    const tag = this.#tags.resolve(step.tag)
    if (tag === undefined) this.#complaints.invalidTag(step)
    if (tag === undefined || step.count === 0) return this.#settle(step, step.acks, passage)
    const packed = this.fields === undefined ? step.packed : this.fields.write(step.packed)
    const { count, partial } = step
    let taken: void | Promise<void>
    try {
      taken = this.#consumer.emit({ tag, packed, count, receipt: this.#receiptFor(step) })
    } catch (error) {
      this.#rejected(tag, count, error)
      return this.#settle(step, step.acks, passage)
    }
    if (taken === undefined) {
      this.#reports.events += count
      return this.#settle(step, step.acks, passage)
    }
    const acks = new Uint8Array(step.acks)
    return taken
      .then(
        () => {
          this.#reports.events += count
        },
        (error: unknown) => this.#rejected(tag, count, error),
      )
      .then(() => this.#settle({ partial }, acks, passage))
  }

  #receiptFor({ partial, ackCount }: RunStep): Slip | undefined {
    if (this.#ackWhen === 'received') return undefined
    if (this.#slip === undefined && (partial || ackCount > 0)) {
      this.#slip = new Slip(this.#ackWhen === 'buffered' ? 'kept' : 'delivered')
    }
    return this.#slip
  }

  #settle(
    run: { partial: boolean },
    acks: Uint8Array,
    passage: Passage | undefined,
  ): Promise<void> | undefined {
    if (run.partial) return undefined
    const rejected = this.#partRejected
    const slip = this.#slip
    this.#partRejected = false
    this.#slip = undefined
    if (rejected) {
      passage?.fail()
      slip?.fail()
      return undefined
    }
    if (slip?.isQuiet === false && acks.byteLength > 0) return this.#later(slip, acks, passage)
    slip?.end()
    passage?.makeSafe()
    if (this.#ackWhen !== 'received') this.#acks.add(acks)
    return undefined
  }

  #later(slip: Slip, acks: Uint8Array, passage: Passage | undefined): Promise<void> | undefined {
    const leave = this.#acks.reserve(acks)
    slip.end((arrived) => {
      if (arrived) passage?.makeSafe()
      else {
        passage?.fail()
        this.#complaints.undelivered()
      }
      leave(arrived)
    })
    return this.#acks.room()
  }

  #rejected(tag: string, count: number, error: unknown): void {
    this.#partRejected = true
    this.#complaints.rejected(tag, count, error)
  }
}

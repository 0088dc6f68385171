import type { Batch } from '../core/batch.ts'
import type { Consumer } from '../core/consumer.ts'
import type { Receipt } from '../core/receipt.ts'

/** The receipt of what a source emits, in one batch or several: done when all outputs that have some of it are. */
export class Slip implements Receipt {
  readonly until: Receipt['until']
  #expected = 0
  #held = 0
  #arrived = true
  #ended = false
  #done: ((arrived: boolean) => void) | undefined
  #afterwards: ((arrived: boolean) => void)[] = []

  constructor(until: Receipt['until']) {
    this.until = until
  }

  expect(): (arrived: boolean) => void {
    this.#expected += 1
    return once((arrived) => {
      this.#expected -= 1
      this.#told(arrived)
    })
  }

  hold(): (arrived: boolean) => void {
    this.#held += 1
    return once((arrived) => {
      this.#held -= 1
      this.#told(arrived)
    })
  }

  afterwards(done: (arrived: boolean) => void): void {
    if (this.#ended && this.#expected === 0) done(this.#arrived)
    else this.#afterwards.push(done)
  }

  /** Nothing is waited for. */
  get isQuiet(): boolean {
    return this.#expected === 0 && this.#held === 0
  }

  /** All of it was taken. `done` is called once: whether all of it arrived. */
  end(done: (arrived: boolean) => void = () => undefined): void {
    this.#ended = true
    this.#done = done
    this.#look()
  }

  /** Some of it was refused. */
  fail(): void {
    this.#arrived = false
    this.end()
  }

  #told(arrived: boolean): void {
    this.#arrived &&= arrived
    this.#look()
  }

  #look(): void {
    if (!this.#ended || this.#expected > 0) return
    for (const tell of this.#afterwards.splice(0)) tell(this.#arrived)
    if (this.#held > 0) return
    const done = this.#done
    this.#done = undefined
    done?.(this.#arrived)
  }
}

function once(tell: (arrived: boolean) => void): (arrived: boolean) => void {
  let told = false
  return (arrived) => {
    if (told) return
    told = true
    tell(arrived)
  }
}

/**
 * Emits, and settles when the events are kept: for sources that take note of that, as by an answer or a position in a file.
 * Rejects if they were refused, or lost on the way out. What `emit` throws is thrown.
 */
export function emitKept(consumer: Consumer, batch: Batch): void | Promise<void> {
  const slip = new Slip('kept')
  let taken: void | Promise<void>
  try {
    taken = consumer.emit({ ...batch, receipt: slip })
  } catch (error) {
    slip.fail()
    throw error
  }
  if (taken === undefined) return slip.isQuiet ? slip.end() : kept(slip)
  return taken.then(
    () => kept(slip),
    (error: unknown) => {
      slip.fail()
      throw error
    },
  )
}

function kept(slip: Slip): Promise<void> {
  return new Promise((resolve, reject) => {
    slip.end((arrived) => {
      if (arrived) resolve()
      else reject(new Error('the events were lost on their way to an output'))
    })
  })
}

/** Receipts of events that something holds until others come. */
export class HeldReceipts {
  readonly #held = new Map<Receipt, (arrived: boolean) => void>()

  /** Events of a batch with that receipt are held. */
  add(receipt: Receipt | undefined): void {
    if (receipt?.until === 'delivered' && !this.#held.has(receipt)) {
      this.#held.set(receipt, receipt.hold())
    }
  }

  /** What was held goes on in the batch of `next`. */
  goWith(next: Receipt | undefined): void {
    if (this.#held.size === 0) return
    if (next === undefined) this.tell(true)
    else next.afterwards((arrived) => this.tell(arrived))
  }

  tell(arrived: boolean): void {
    for (const tell of this.#held.values()) tell(arrived)
  }

  /** What was held goes on in this batch: as `emit` of `consumer`. */
  emit(consumer: Consumer, batch: Batch): void | Promise<void> {
    if (this.#held.size === 0) return consumer.emit(batch)
    const slip = new Slip('delivered')
    this.goWith(slip)
    try {
      const taken = consumer.emit({ ...batch, receipt: slip })
      if (taken === undefined) return slip.end()
      return taken.then(
        () => slip.end(),
        (error: unknown) => {
          slip.fail()
          throw error
        },
      )
    } catch (error) {
      slip.fail()
      throw error
    }
  }
}

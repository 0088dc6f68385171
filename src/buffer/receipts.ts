import type { Receipt } from '../core/receipt.ts'
import type { Held } from './held.ts'

/** What sources wait for that acknowledge once events are delivered: by the chunks these are in. */
export class Receipts {
  readonly #expected = new Map<Held, ((arrived: boolean) => void)[]>()

  /** Events of the receipt's batch are in this chunk. */
  add(held: Held, receipt: Receipt): void {
    const expected = this.#expected.get(held)
    if (expected === undefined) this.#expected.set(held, [receipt.expect()])
    else expected.push(receipt.expect())
  }

  /** The chunk is gone. `arrived` false: to send its events again may help. */
  settle(held: Held, arrived: boolean): void {
    const expected = this.#expected.get(held)
    if (expected === undefined) return
    this.#expected.delete(held)
    for (const tell of expected) tell(arrived)
  }

  /** The output ends: of what is left nothing is known any more. */
  end(): void {
    for (const held of [...this.#expected.keys()]) this.settle(held, false)
  }
}

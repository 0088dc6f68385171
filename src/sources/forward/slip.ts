import type { Receipt } from '../../core/receipt.ts'

/** The receipt of one run of messages: done when all outputs that keep some of it are. */
export class Slip implements Receipt {
  #open = 0
  #arrived = true
  #done: ((arrived: boolean) => void) | undefined

  expect(): (arrived: boolean) => void {
    this.#open += 1
    let told = false
    return (arrived) => {
      if (told) return
      told = true
      this.#open -= 1
      this.#arrived &&= arrived
      if (this.#open === 0) this.#done?.(this.#arrived)
    }
  }

  /** Every output has it. `done` is called once: whether all of it arrived. */
  whenDone(done: (arrived: boolean) => void): void {
    if (this.#open === 0) done(this.#arrived)
    else this.#done = done
  }
}

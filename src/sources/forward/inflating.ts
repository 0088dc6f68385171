import type { CompressedStep, RunStep } from '../../kernel/types.ts'
import { barrenLimit } from './limits.ts'

/** A message that is being inflated. */
export class Inflating {
  /** A copy of the step, since the step itself does not outlive the next one. */
  readonly step: CompressedStep
  readonly pieces: AsyncGenerator<Uint8Array, void, void>
  #invalidInRow = 0

  constructor(
    step: CompressedStep,
    read: (payload: Uint8Array) => AsyncGenerator<Uint8Array, void, void>,
  ) {
    this.step = {
      ...step,
      tag: new Uint8Array(step.tag),
      payload: new Uint8Array(step.payload),
      ack: new Uint8Array(step.ack),
    }
    this.pieces = read(this.step.payload)
  }

  /** Takes note of what came out of it. */
  gave(run: RunStep): void {
    this.#invalidInRow = run.count > 0 ? 0 : this.#invalidInRow + run.invalid
  }

  /** So much of it in a row is no event that nothing is to be hoped for from the rest. */
  get isBarren(): boolean {
    return this.#invalidInRow >= barrenLimit
  }
}

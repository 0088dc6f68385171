/** Bytes of unfinished messages over all connections of a source. */
export class Budget {
  readonly #limitBytes: number
  #usedBytes = 0

  constructor(limitBytes: number) {
    this.#limitBytes = limitBytes
  }

  get usedBytes(): number {
    return this.#usedBytes
  }

  get isOver(): boolean {
    return this.#usedBytes > this.#limitBytes
  }

  change(byBytes: number): void {
    this.#usedBytes += byBytes
  }
}

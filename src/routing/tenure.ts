/**
 * Whose business the life of a source or an output is when a reload keeps it: two nodes, of the old
 * graph and of the new one, stand for it then.
 *
 *   own ──borrow──▶ borrowed ──moveIn──▶ kept      the new node's
 *   own ──────────▶ promised ──────────▶ given     the old node's
 *
 * `giveBack` leads the old one back. What is kept runs already: it is not started again.
 */
export class Tenure {
  #state: 'own' | 'borrowed' | 'promised' | 'kept' | 'given' = 'own'
  #other: Tenure | undefined

  /** To start it is this node's business. */
  get starts(): boolean {
    return this.#state === 'own'
  }

  /** To stop it is this node's business. */
  get stops(): boolean {
    return this.#state === 'own' || this.#state === 'promised' || this.#state === 'kept'
  }

  /** Two nodes have it, so what it claims is no conflict. */
  get shared(): boolean {
    return this.#state !== 'own' && this.#state !== 'kept'
  }

  /** Another node stands for it from now on: its figures are that one's. */
  get left(): boolean {
    return this.#state === 'given'
  }

  borrow(from: Tenure): void {
    this.#state = 'borrowed'
    this.#other = from
    from.#state = 'promised'
  }

  moveIn(): void {
    if (this.#other === undefined) throw new Error('bug: nothing was borrowed')
    this.#other.#state = 'given'
    this.#other = undefined
    this.#state = 'kept'
  }

  giveBack(): void {
    if (this.#other === undefined) throw new Error('bug: nothing was borrowed')
    // It runs, whoever had started it.
    this.#other.#state = 'kept'
    this.#other = undefined
    this.#state = 'given'
  }
}

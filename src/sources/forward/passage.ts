import type { Remembered } from './repeat-memory.ts'

/** How messages fare that came in one run: until that is known, repeats of them wait for it. */
export class Passage {
  #state: 'under_way' | 'safe' | 'failed' = 'under_way'
  readonly #owner: object
  readonly #onSafe: ((messages: readonly Remembered[]) => void) | undefined
  #messages: Remembered[] = []
  #waiting: (() => void)[] = []

  /** `owner`: the connection. `onSafe` is told which messages are. */
  constructor(owner: object, onSafe?: (messages: readonly Remembered[]) => void) {
    this.#owner = owner
    this.#onSafe = onSafe
  }

  get failed(): boolean {
    return this.#state === 'failed'
  }

  get safe(): boolean {
    return this.#state === 'safe'
  }

  isOf(owner: object): boolean {
    return this.#owner === owner
  }

  /** Settles when it is safe or has failed. */
  settled(): Promise<void> {
    if (this.#state !== 'under_way') return Promise.resolve()
    return new Promise((resolve) => this.#waiting.push(resolve))
  }

  add(message: Remembered): void {
    if (this.#onSafe !== undefined) this.#messages.push(message)
  }

  makeSafe(): void {
    if (this.#state !== 'under_way') return
    this.#onSafe?.(this.#messages)
    this.#end('safe')
  }

  fail(): void {
    if (this.#state === 'under_way') this.#end('failed')
  }

  #end(state: 'safe' | 'failed'): void {
    this.#state = state
    this.#messages = []
    for (const go of this.#waiting.splice(0)) go()
  }
}

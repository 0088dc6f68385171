import type { Remembered } from './repeat-memory.ts'

/** How messages fare that came in one run: until that is known, repeats of them wait for it. */
export class Passage {
  readonly owner: number
  readonly atMs: number
  /** Numbers of its messages in the memory; below 0: it has none. */
  first = -1
  last = -1
  /** These, where somebody wants to be told. */
  readonly messages: Remembered[] = []
  readonly #memory: { ended(passage: Passage, arrived: boolean): void } | undefined
  #state: 'under_way' | 'safe' | 'failed' = 'under_way'
  #waiting: (() => void)[] | undefined

  /** `owner`: the connection. `memory` is told once whether its messages are safe. */
  constructor(
    memory: { ended(passage: Passage, arrived: boolean): void } | undefined,
    owner: number,
    atMs: number,
  ) {
    this.#memory = memory
    this.owner = owner
    this.atMs = atMs
  }

  /** That of all messages which are safe. */
  static safe(): Passage {
    const passage = new Passage(undefined, 0, 0)
    passage.makeSafe()
    return passage
  }

  get safe(): boolean {
    return this.#state === 'safe'
  }

  /** Settles when it is safe or has failed. */
  settled(): Promise<void> {
    if (this.#state !== 'under_way') return Promise.resolve()
    return new Promise((resolve) => {
      this.#waiting ??= []
      this.#waiting.push(resolve)
    })
  }

  add(number: number): void {
    if (this.first < 0) this.first = number
    this.last = number
  }

  makeSafe(): void {
    if (this.#state === 'under_way') this.#end('safe')
  }

  fail(): void {
    if (this.#state === 'under_way') this.#end('failed')
  }

  #end(state: 'safe' | 'failed'): void {
    this.#state = state
    this.#memory?.ended(this, state === 'safe')
    const waiting = this.#waiting
    this.#waiting = undefined
    for (const go of waiting ?? []) go()
  }
}

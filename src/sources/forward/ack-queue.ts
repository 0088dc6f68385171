import { pendingAckLimit } from './limits.ts'

interface Slot {
  readonly bytes: Uint8Array
  state: 'waits' | 'leaves' | 'never'
}

/**
 * Acks in the order of their messages: those of one read go in one write. One that has to wait for
 * delivery holds up those behind it.
 */
export class AckQueue {
  readonly #write: (bytes: Uint8Array) => void
  readonly #before: () => void
  #ready: Uint8Array[] = []
  /** From the first one on that waits. */
  #slots: Slot[] = []
  #flushSoon = false
  #room: (() => void)[] = []
  /** Called when nothing waits any more. */
  onEmpty: (() => void) | undefined

  /** `before` is called before acks are written. */
  constructor(write: (bytes: Uint8Array) => void, before: () => void = () => undefined) {
    this.#write = write
    this.#before = before
  }

  /** Some acks wait for delivery. */
  get waits(): boolean {
    return this.#slots.length > 0
  }

  /** Copies. */
  add(acks: Uint8Array): void {
    if (acks.byteLength === 0) return
    const bytes = new Uint8Array(acks)
    if (this.#slots.length === 0) this.#ready.push(bytes)
    else this.#slots.push({ bytes, state: 'leaves' })
  }

  /** A place for acks that may leave later, or never: to be told once. Copies. */
  reserve(acks: Uint8Array): (leave: boolean) => void {
    const slot: Slot = { bytes: new Uint8Array(acks), state: 'waits' }
    this.#slots.push(slot)
    return (leave) => {
      slot.state = leave ? 'leaves' : 'never'
      if (this.#slots[0] === slot) this.#moveUp()
    }
  }

  /** undefined: more may come. Otherwise settles when fewer wait. */
  room(): Promise<void> | undefined {
    if (this.#slots.length < pendingAckLimit) return undefined
    return new Promise((resolve) => this.#room.push(resolve))
  }

  flush(): void {
    const ready = this.#ready
    if (ready.length === 0) return
    this.#ready = []
    this.#before()
    this.#write(ready.length === 1 ? ready[0]! : Buffer.concat(ready))
  }

  #moveUp(): void {
    const first = this.#slots.findIndex((slot) => slot.state === 'waits')
    const settled = this.#slots.splice(0, first < 0 ? this.#slots.length : first)
    for (const { bytes, state } of settled) if (state === 'leaves') this.#ready.push(bytes)
    if (this.#flushSoon) return
    // A chunk that was delivered settles many: they go in one write.
    this.#flushSoon = true
    queueMicrotask(() => {
      this.#flushSoon = false
      this.flush()
      if (this.#slots.length < pendingAckLimit) for (const go of this.#room.splice(0)) go()
      if (this.#slots.length === 0) this.onEmpty?.()
    })
  }
}

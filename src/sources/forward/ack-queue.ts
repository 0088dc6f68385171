/** Acks that may leave: those of one read go in one write. */
export class AckQueue {
  readonly #write: (bytes: Uint8Array) => void
  #ready: Uint8Array[] = []

  constructor(write: (bytes: Uint8Array) => void) {
    this.#write = write
  }

  /** Copies. */
  add(acks: Uint8Array): void {
    if (acks.byteLength > 0) this.#ready.push(new Uint8Array(acks))
  }

  flush(): void {
    const ready = this.#ready
    if (ready.length === 0) return
    this.#ready = []
    this.#write(ready.length === 1 ? ready[0]! : Buffer.concat(ready))
  }
}

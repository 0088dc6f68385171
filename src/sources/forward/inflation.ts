import type { Clock } from '../../core/host.ts'
import { type Codec, inflateStream } from '../../forward/inflate.ts'
import { inflationLimit, retainedOutputBytes } from './limits.ts'

/**
 * Large compressed payloads, off the event loop, a few at a time over all connections. A payload is
 * checked whole before any of it is given out: a fault in its last byte must not leave its first
 * events delivered, to come again with every repetition by a client that gets no ack.
 */
export class Inflations {
  readonly #clock: Clock
  readonly #limitBytes: number
  #running = 0
  #waiting: (() => void)[] = []

  constructor(options: { clock: Clock; limitBytes: number }) {
    this.#clock = options.clock
    this.#limitBytes = options.limitBytes
  }

  /**
   * The output in pieces. Throws InflateError before the first of them. Keeps its place until it is
   * read or left.
   */
  async *read(codec: Codec, payload: Uint8Array): AsyncGenerator<Uint8Array, void, void> {
    if (this.#running >= inflationLimit) {
      await new Promise<void>((resolve) => this.#waiting.push(resolve))
    }
    this.#running += 1
    let retained: Uint8Array[] | undefined
    try {
      retained = await this.#check(codec, payload)
      if (retained === undefined) yield* this.#open(codec, payload)
    } finally {
      this.#running -= 1
      this.#waiting.shift()?.()
    }
    if (retained !== undefined) yield* retained
  }

  /** Goes through all of it. Its pieces, if they are not too many to keep. */
  async #check(codec: Codec, payload: Uint8Array): Promise<Uint8Array[] | undefined> {
    let retained: Uint8Array[] | undefined = []
    let total = 0
    for await (const piece of this.#open(codec, payload)) {
      total += piece.byteLength
      if (total > retainedOutputBytes) retained = undefined
      retained?.push(piece)
    }
    return retained
  }

  #open(codec: Codec, payload: Uint8Array): AsyncGenerator<Uint8Array, void, void> {
    return inflateStream(codec, payload, { limitBytes: this.#limitBytes, clock: this.#clock })
  }
}

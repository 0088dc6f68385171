import { Encoder } from '../msgpack/encode.ts'

/** Encoders kept for later. Labels may lead back into an output that is at work: each turn needs one of its own. */
const keptEncoders = 4

/** Hands out encoders that are in nobody's use. */
export class Encoders {
  readonly #free: Encoder[] = []

  /** Runs `use` with an encoder whose bytes stay untouched until `use` returns. */
  with<T>(use: (encoder: Encoder) => T): T {
    const encoder = this.#free.pop() ?? new Encoder()
    encoder.reset()
    try {
      return use(encoder)
    } finally {
      if (this.#free.length < keptEncoders) this.#free.push(encoder)
    }
  }
}

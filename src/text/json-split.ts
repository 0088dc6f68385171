/**
 * Where values of a JSON stream end, without reading them: `{"a":1}[2] {"b":3}`, with or without white space
 * between. Linear in the bytes, however they are cut: feed each piece once, and read (parseJson) what lies before an end.
 * What is no JSON still ends somewhere, and is then refused by the reader.
 */
export class JsonSplitter {
  private depth = 0
  private inString = false
  private escaped = false
  /** Inside a number or word at the top level: ends before white space or the next value's opening. */
  private inScalar = false

  /** Whether the bytes seen so far end inside a value. */
  get unfinished(): boolean {
    return this.depth > 0 || this.inString || this.inScalar
  }

  /**
   * Looks at `bytes` from `from` on. Gives the index behind the first value that ends there, or -1 if
   * all of them were looked at and none ended. Go on with that index, or with the next piece from 0.
   */
  next(bytes: Uint8Array, from: number): number {
    for (let at = from; at < bytes.length; at++) {
      const c = bytes[at] as number
      if (this.inString) {
        if (this.escaped) this.escaped = false
        else if (c === 0x5c) this.escaped = true
        else if (c === 0x22) {
          this.inString = false
          if (this.depth === 0) return at + 1
        }
      } else if (this.inScalar && (c <= 0x20 || c === 0x22 || c === 0x7b || c === 0x5b)) {
        this.inScalar = false
        return at
      } else if (c === 0x22) {
        this.inString = true
      } else if (c === 0x7b || c === 0x5b) {
        this.depth += 1
      } else if (c === 0x7d || c === 0x5d) {
        // One too many ends a value too: nothing opened it, and the reader says so.
        if (this.depth > 0) this.depth -= 1
        if (this.depth === 0) {
          this.inScalar = false
          return at + 1
        }
      } else if (c > 0x20 && this.depth === 0) {
        this.inScalar = true
      }
    }
    return -1
  }
}

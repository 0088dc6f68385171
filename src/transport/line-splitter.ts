/** What a stream of bytes is made of: lines, or what is left out of it because it is longer than a line may be. */
export interface LineReceiver {
  /** Without its delimiter; borrowed: valid until the call returns. */
  line(bytes: Uint8Array): void
  /** A line beyond the limit was left out: how many bytes it had, and its first ones. */
  tooLong(bytes: number, head: Uint8Array): void
}

/** Bytes of a line that is left out which are shown. */
const shownBytes = 32

/**
 * Cuts a stream at a delimiter. Linear however the stream is cut: a byte is searched once, and copied once if its line's
 * end has not come with it. What is kept of a line never exceeds the limit.
 */
export class LineSplitter {
  readonly #delimiter: Buffer
  readonly #limitBytes: number
  /** Every line that is left out has as many. */
  readonly #headBytes: number
  readonly #receiver: LineReceiver
  #held: Buffer = Buffer.alloc(0)
  #heldBytes = 0
  /** Of a line that is left out: its bytes so far, and the first ones. */
  #dropped: { bytes: number; head: Uint8Array } | undefined

  /** `delimiter`: one byte at least. `limitBytes`: of a line without its delimiter. */
  constructor(delimiter: Uint8Array, limitBytes: number, receiver: LineReceiver) {
    this.#delimiter = Buffer.from(delimiter)
    this.#limitBytes = limitBytes
    this.#headBytes = Math.min(shownBytes, limitBytes)
    this.#receiver = receiver
  }

  /** Bytes kept of the line whose end has not come. */
  get heldBytes(): number {
    return this.#heldBytes
  }

  /** Something came behind the last delimiter. */
  get unfinished(): boolean {
    return this.#heldBytes > 0 || this.#dropped !== undefined
  }

  /** `bytes` are borrowed. */
  feed(bytes: Uint8Array): void {
    const piece = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
    const rest = this.#heldBytes === 0 ? piece : this.#afterHeld(piece)
    if (rest === undefined) return
    let at = 0
    for (;;) {
      const end = rest.indexOf(this.#delimiter, at)
      if (end < 0) break
      this.#line(rest.subarray(at, end))
      at = end + this.#delimiter.length
    }
    if (at < rest.length) this.#hold(rest.subarray(at))
  }

  /** Finishes the held line with the start of `piece`; what follows it, or undefined if it goes on. */
  #afterHeld(piece: Buffer): Buffer | undefined {
    const already = this.#heldBytes
    const delimiter = this.#delimiter
    // The delimiter may have begun in what is held.
    const overlap = Math.min(delimiter.length - 1, already)
    const joint = Buffer.concat([
      this.#held.subarray(already - overlap, already),
      piece.subarray(0, delimiter.length - 1),
    ])
    const across = overlap === 0 ? -1 : joint.indexOf(delimiter)
    const end = across >= 0 ? across - overlap : piece.indexOf(delimiter)
    if (across < 0 && end < 0) {
      this.#hold(piece)
      return undefined
    }
    if (end > 0) this.#hold(piece.subarray(0, end))
    // #hold may have given the line up; the bytes of a delimiter that begins in what is held belong to no line.
    const length = Math.max(this.#heldBytes + Math.min(end, 0), 0)
    this.#heldBytes = 0
    this.#line(this.#held.subarray(0, length))
    if (this.#held.length > 1024 * 1024) this.#held = Buffer.alloc(0)
    return piece.subarray(end + delimiter.length)
  }

  #line(bytes: Buffer): void {
    const dropped = this.#dropped
    if (dropped !== undefined) {
      this.#dropped = undefined
      this.#receiver.tooLong(dropped.bytes + bytes.length, dropped.head)
    } else if (bytes.length > this.#limitBytes) {
      this.#receiver.tooLong(bytes.length, bytes.subarray(0, this.#headBytes))
    } else {
      this.#receiver.line(bytes)
    }
  }

  #hold(bytes: Buffer): void {
    const needed = this.#heldBytes + bytes.length
    if (this.#dropped !== undefined || needed > this.#limitBytes + this.#delimiter.length) {
      this.#drop(bytes)
      return
    }
    if (needed > this.#held.length) {
      const larger = Buffer.allocUnsafeSlow(Math.max(needed, this.#held.length * 2, 256))
      this.#held.copy(larger, 0, 0, this.#heldBytes)
      this.#held = larger
    }
    bytes.copy(this.#held, this.#heldBytes)
    this.#heldBytes = needed
  }

  /** Only as much is kept of the line as the search for a delimiter that is cut needs. */
  #drop(bytes: Buffer): void {
    const all = Buffer.concat([this.#held.subarray(0, this.#heldBytes), bytes])
    this.#dropped ??= { bytes: 0, head: new Uint8Array(all.subarray(0, this.#headBytes)) }
    const keep = Math.min(this.#delimiter.length - 1, all.length)
    this.#dropped.bytes += all.length - keep
    this.#held = Buffer.from(all.subarray(all.length - keep))
    this.#heldBytes = keep
  }
}

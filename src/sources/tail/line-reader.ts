import type { LineCodec } from './encoding.ts'
import type { Events, TextReports } from './events.ts'
import type { Multiline } from './multiline.ts'

export interface LineReaderOptions {
  readonly codec: LineCodec
  readonly events: Events
  /** Absent: each line is a text of its own. */
  readonly multiline: Multiline | undefined
  /** Of a line with its end. */
  readonly maxLineBytes: number
  readonly reports: TextReports
}

/**
 * Finds the lines in what is read of one file. It knows the place of each in the file, so that reading can stop behind any
 * of them, and begin there again.
 */
export class LineReader {
  readonly #options: LineReaderOptions
  /** The beginning of a line whose end has not come. */
  #held: Buffer = Buffer.alloc(0)
  #heldLength = 0
  /** Bytes so far of a line that is left out. */
  #skipped = 0
  #lineAt = 0

  constructor(options: LineReaderOptions) {
    this.#options = options
  }

  /** Where the next byte is to be read from. */
  get readAt(): number {
    return this.#lineAt + this.#skipped + this.#heldLength
  }

  /** Everything in front of it is in events, or left out. */
  get doneUntil(): number {
    return this.#options.multiline?.heldFrom ?? this.#lineAt
  }

  /** Bytes that `place` will copy in front of what is read. */
  get heldBytes(): number {
    return this.#heldLength
  }

  /** Begins anew at a place where a line begins. */
  goTo(position: number): void {
    this.#lineAt = position
    this.#skipped = 0
    this.#heldLength = 0
    if (this.#held.length > 64 * 1024) this.#held = Buffer.alloc(0)
    this.#options.multiline?.clear()
  }

  /**
   * Where to read to: `block` with what is held in front, or, for a long line, memory of its own. What is read goes
   * behind `heldBytes`.
   */
  place(block: Buffer): Buffer {
    if (this.#heldLength <= block.length / 2) {
      this.#held.copy(block, 0, 0, this.#heldLength)
      return block
    }
    if (this.#held.length < this.#heldLength * 1.5) {
      const larger = Buffer.allocUnsafeSlow(this.#heldLength * 2)
      this.#held.copy(larger, 0, 0, this.#heldLength)
      this.#held = larger
    }
    return this.#held
  }

  /**
   * Takes lines of `block`, which `place` gave, and of which `length` bytes are filled now: `maxLines` at most, from `from`
   * on (0 first). Where there may be more: `next` is where to go on; if that is not done, what is behind it is forgotten.
   */
  take(
    block: Buffer,
    filled: { from: number; length: number },
    maxLines: number,
  ): { lines: number; next: number | undefined } {
    const { eol } = this.#options.codec
    const bytes = block.subarray(0, filled.length)
    let start = filled.from
    let search = Math.max(start, this.#heldLength)
    let lines = 0
    this.#heldLength = 0
    while (lines < maxLines) {
      const end = endOfLine(bytes, eol, search)
      if (end < 0) {
        this.#hold(bytes, start)
        return { lines, next: undefined }
      }
      this.#line(bytes, start, end)
      start = end
      search = end
      lines += 1
    }
    return { lines, next: start < filled.length ? start : undefined }
  }

  #line(bytes: Buffer, start: number, end: number): void {
    const { codec, events, multiline, maxLineBytes } = this.#options
    const size = this.#skipped + end - start
    const fileStart = this.#lineAt
    this.#lineAt += size
    if (size > maxLineBytes) {
      this.#skipped = 0
      this.#options.reports.lost(
        'too_long',
        `received line length is longer than ${maxLineBytes}`,
        { file: events.of.path, size },
      )
    } else if (codec.convert === undefined && multiline === undefined) {
      const last = end - codec.eol.length
      events.add(bytes, start, last > start && bytes[last - 1] === 0x0d ? last - 1 : last)
    } else {
      this.#converted(bytes.subarray(start, end), fileStart)
    }
  }

  #converted(line: Buffer, fileStart: number): void {
    const { codec, events, multiline } = this.#options
    const bytes = codec.convert === undefined ? line : codec.convert(line)
    if (multiline !== undefined) {
      multiline.add({ bytes, start: 0, end: bytes.length, fileStart }, events)
      return
    }
    let end = bytes.length
    if (bytes[end - 1] === 0x0a) end -= 1
    if (bytes[end - 1] === 0x0d) end -= 1
    events.add(bytes, 0, end)
  }

  /** What begins at `start` has no end yet. */
  #hold(bytes: Buffer, start: number): void {
    const length = bytes.length - start
    if (this.#skipped > 0 || length >= this.#options.maxLineBytes) {
      // An end of two bytes is looked for at even places of the line.
      const odd = length % this.#options.codec.eol.length
      this.#skipped += length - odd
      this.#heldLength = odd
      this.#held = Buffer.from(bytes.subarray(bytes.length - odd))
      return
    }
    const inPlace = bytes.buffer === this.#held.buffer && start === 0
    if (!inPlace) {
      if (length > this.#held.length || this.#held.length > 64 * 1024) {
        this.#held = Buffer.allocUnsafeSlow(Math.max(length, 256))
      }
      bytes.copy(this.#held, 0, start)
    }
    this.#heldLength = length
  }
}

/** Behind the next end of a line; -1: there is none. Ends of two bytes stand at even places. */
function endOfLine(bytes: Buffer, eol: Buffer, from: number): number {
  if (eol.length === 1) return bytes.indexOf(0x0a, from) + 1 || -1
  let at = from - (from % 2)
  for (;;) {
    at = bytes.indexOf(eol, at)
    if (at < 0) return -1
    if (at % 2 === 0) return at + 2
    at += 1
  }
}

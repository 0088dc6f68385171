import type { Parser } from '../../core/parser.ts'
import type { LineMatcher } from '../../text/regexp.ts'
import { withoutNewline } from '../../transport/newline.ts'
import type { Events, TextReports } from './events.ts'
import { isEvent, parseText } from './parsed-lines.ts'

/** An event's lines together have no more bytes. */
const limitBytes = 1024 * 1024
/**
 * Whether an event is whole is tried after each of its lines, as long as it has no more bytes than this: the cost grows with
 * the square. Of a line, so much is looked at for the beginning of an event.
 */
const triedBytes = 64 * 1024

export interface MultilineOptions {
  /** Where an event begins; absent: it is complete as soon as the parser can read it. */
  readonly firstLine: LineMatcher | undefined
  readonly parser: Parser
  readonly emitUnmatched: boolean
  readonly reports: TextReports
}

/** Puts the lines of one file together to the texts of events. */
export class Multiline {
  readonly #options: MultilineOptions
  #held: Buffer = Buffer.alloc(0)
  #length = 0
  /** Where in the file what is held begins. */
  heldFrom: number | undefined

  constructor(options: MultilineOptions) {
    this.#options = options
  }

  /** A line with its end, `bytes[start, end)`, which stands at `fileStart` in the file. Borrowed. */
  add(
    line: { bytes: Buffer; start: number; end: number; fileStart: number },
    events: Events,
  ): void {
    const { firstLine } = this.#options
    // What is held may be whole or not: it goes as it is.
    if (this.#length + line.end - line.start > limitBytes) this.flush(events)
    if (firstLine === undefined) {
      this.#hold(line)
      this.#tryWhole(events)
    } else if (isFirst(firstLine, line)) {
      this.flush(events)
      this.#hold(line)
    } else if (this.heldFrom === undefined) {
      this.#incomplete(line, events)
    } else {
      this.#hold(line)
    }
  }

  /** What is held is an event. */
  flush(events: Events): void {
    if (this.heldFrom === undefined) return
    const text = withoutNewline(this.#text)
    events.add(this.#held, 0, text.length)
    this.clear()
  }

  clear(): void {
    this.#length = 0
    this.heldFrom = undefined
    if (this.#held.length > 64 * 1024) this.#held = Buffer.alloc(0)
  }

  get #text(): Buffer {
    return this.#held.subarray(0, this.#length)
  }

  #tryWhole(events: Events): void {
    if (this.#length > triedBytes) return
    if (parseText(this.#options.parser, this.#text).some(isEvent)) this.flush(events)
  }

  #incomplete(line: { bytes: Buffer; start: number; end: number }, events: Events): void {
    const text = withoutNewline(line.bytes.subarray(line.start, line.end))
    this.#options.reports.lost('incomplete', 'got incomplete line before first line', {
      file: events.of.path,
      line: Buffer.from(text.buffer, text.byteOffset, Math.min(text.length, 1024)).toString(),
    })
    if (this.#options.emitUnmatched) events.add(line.bytes, line.start, line.start + text.length)
  }

  #hold(line: { bytes: Buffer; start: number; end: number; fileStart: number }): void {
    const needed = this.#length + line.end - line.start
    if (needed > this.#held.length) {
      const larger = Buffer.allocUnsafeSlow(Math.max(needed, this.#held.length * 2, 1024))
      this.#held.copy(larger, 0, 0, this.#length)
      this.#held = larger
    }
    line.bytes.copy(this.#held, this.#length, line.start, line.end)
    this.#length = needed
    this.heldFrom ??= line.fileStart
  }
}

function isFirst(
  firstLine: LineMatcher,
  line: { bytes: Buffer; start: number; end: number },
): boolean {
  const text = withoutNewline(line.bytes.subarray(line.start, line.end))
  const length = Math.min(text.length, triedBytes)
  return firstLine.test(line.bytes.toString('utf8', line.start, line.start + length))
}

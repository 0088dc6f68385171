import type { Position } from '../core/errors.ts'

/** One configuration file's text, able to say where in it an offset lies. */
export class SourceText {
  readonly file: string
  readonly text: string
  readonly #lineStarts: number[] = [0]
  /** The line asked for last: places come in runs, and a line may be as long as the file. */
  #last: { number: number; text: string } | undefined

  constructor(file: string, text: string) {
    this.file = file
    this.text = text
    for (let i = 0; i < text.length; i++) {
      const c = text.charCodeAt(i)
      const crlf = c === 13 && text.charCodeAt(i + 1) === 10
      if ((c === 10 || c === 13) && !crlf) this.#lineStarts.push(i + 1)
    }
  }

  /** The place of `length` characters from `offset`; the length is cut at the end of the line. */
  position(offset: number, length = 1): Position {
    const index = this.#lineIndex(offset)
    const start = this.#lineStarts[index]!
    const text = this.line(index + 1) ?? ''
    const column = offset - start + 1
    const room = Math.max(1, text.length - column + 1)
    return {
      file: this.file,
      line: index + 1,
      column,
      length: Math.max(1, Math.min(length, room)),
      text,
    }
  }

  /** The line's text without its end; undefined behind the last line. Counts from 1. */
  line(number: number): string | undefined {
    if (this.#last?.number === number) return this.#last.text
    const start = this.#lineStarts[number - 1]
    if (start === undefined) return undefined
    let end = this.#lineStarts[number] ?? this.text.length
    while (end > start && /[\r\n]/.test(this.text[end - 1]!)) end--
    this.#last = { number, text: this.text.slice(start, end) }
    return this.#last.text
  }

  #lineIndex(offset: number): number {
    let low = 0
    let high = this.#lineStarts.length - 1
    while (low < high) {
      const middle = (low + high + 1) >> 1
      if (this.#lineStarts[middle]! <= offset) low = middle
      else high = middle - 1
    }
    return low
  }
}

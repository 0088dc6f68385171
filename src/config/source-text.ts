import type { Position } from '../core/errors.ts'

/** One configuration file's text, able to say where in it an offset lies. */
export class SourceText {
  readonly file: string
  readonly text: string
  readonly #lineStarts: number[] = [0]

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
    const start = this.#lineStarts[number - 1]
    if (start === undefined) return undefined
    const end = this.#lineStarts[number] ?? this.text.length
    return this.text.slice(start, end).replace(/[\r\n]+$/, '')
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

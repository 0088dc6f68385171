import { ConfigError, type Position } from '../core/errors.ts'
import { EmbeddedError, evaluateEmbedded } from './embedded.ts'
import type { ConfigWorld } from './input.ts'
import type { SourceText } from './source-text.ts'

/** A value as written, with quotes and escapes dealt with. */
export interface Scanned {
  /** undefined: use_nil. */
  readonly value: string | undefined
  readonly useDefault?: boolean
}

/**
 * The lexical side of Fluentd's v1 syntax (lib/fluent/config/basic_parser.rb and
 * literal_parser.rb): white space, comments, quoted and bare texts. Throws ConfigError with the
 * place; every step is linear in what it reads.
 */
export class Scanner {
  readonly source: SourceText
  readonly text: string
  readonly world: ConfigWorld
  offset = 0

  constructor(source: SourceText, world: ConfigWorld) {
    this.source = source
    this.text = source.text
    this.world = world
  }

  get atEnd(): boolean {
    return this.offset >= this.text.length
  }

  position(offset = this.offset, length = 1): Position {
    return this.source.position(offset, length)
  }

  error(message: string, offset = this.offset, length = 1, hint?: string): ConfigError {
    const position = this.position(offset, length)
    return new ConfigError(message, hint === undefined ? { position } : { position, hint })
  }

  startsWith(token: string): boolean {
    return this.text.startsWith(token, this.offset)
  }

  skip(token: string): boolean {
    if (!this.startsWith(token)) return false
    this.offset += token.length
    return true
  }

  /**
   * White space and line ends, and comments if `comments`. Says whether a line end was among them.
   */
  spacing(comments: boolean): boolean {
    let newline = false
    for (; !this.atEnd; this.offset++) {
      const c = this.text[this.offset]!
      if (c === '\n' || c === '\r') newline = true
      else if (c === '#' && comments) {
        this.offset = this.endOfLine() - 1
      } else if (c !== ' ' && c !== '\t') break
    }
    return newline
  }

  blanks(): void {
    while (this.text[this.offset] === ' ' || this.text[this.offset] === '\t') this.offset++
  }

  /** Only blanks and a comment may stand before the line's end; the end is taken. */
  lineEnd(): boolean {
    const before = this.offset
    this.blanks()
    if (this.text[this.offset] === '#') this.offset = this.endOfLine()
    if (this.atEnd) return true
    if (this.text[this.offset] === '\n' || this.text[this.offset] === '\r') {
      this.offset++
      return true
    }
    this.offset = before
    return false
  }

  /** Offset of the line end that follows, or of the end of the text. */
  endOfLine(from = this.offset): number {
    let i = from
    while (i < this.text.length && this.text[i] !== '\n' && this.text[i] !== '\r') i++
    return i
  }

  /** For going on behind an error. */
  skipLine(): void {
    this.offset = Math.min(this.endOfLine() + 1, this.text.length)
  }

  word(pattern: RegExp): string | undefined {
    pattern.lastIndex = this.offset
    const found = pattern.exec(this.text)?.[0]
    if (found !== undefined) this.offset += found.length
    return found
  }

  /** Quoted or bare text up to the end of the line; a bare one ends before a comment. */
  stringToLineEnd(): Scanned {
    return this.quoted() ?? { value: this.bareToLineEnd() }
  }

  /** A quoted text, where a quote stands here. */
  quoted(): Scanned | undefined {
    if (this.text[this.offset] === '"') return this.doubleQuoted()
    if (this.text[this.offset] === "'") return { value: this.singleQuoted() }
    return undefined
  }

  /** A `#` starts a comment only behind a blank; the first character never does (`e #` is "#"). */
  bareToLineEnd(): string {
    const end = this.endOfLine()
    let stop = end
    for (let i = this.offset + 1; i < end; i++) {
      const before = this.text[i - 1]
      if (this.text[i] === '#' && (before === ' ' || before === '\t')) {
        stop = i
        break
      }
    }
    while (stop > this.offset && /[ \t]/.test(this.text[stop - 1]!)) stop--
    const value = this.text.slice(this.offset, stop)
    this.offset = stop
    return value
  }

  private singleQuoted(): string {
    const start = this.offset
    let out = ''
    for (let i = start + 1; i < this.text.length; i++) {
      const c = this.text[i]!
      const next = this.text[i + 1]
      if (c === "'") {
        this.offset = i + 1
        return out
      }
      if (c === '\\' && (next === "'" || next === '\\')) {
        out += next
        i++
      } else out += c
    }
    throw this.unclosed('single', start)
  }

  private doubleQuoted(): Scanned {
    const start = this.offset
    let out = ''
    let nil = false
    let useDefault = false
    for (let i = start + 1; i < this.text.length; i++) {
      const c = this.text[i]!
      if (c === '"') {
        this.offset = i + 1
        if (nil) return { value: undefined }
        return useDefault ? { value: '', useDefault } : { value: out }
      }
      if (c === '\\') {
        i++
        out += this.escape(i)
      } else if (c === '#' && this.text[i + 1] === '{') {
        const outcome = this.embedded(i + 2)
        if (outcome.kind === 'text') out += outcome.text
        else if (outcome.kind === 'nil') nil = true
        else useDefault = true
        i = outcome.end
      } else out += c
    }
    throw this.unclosed('double', start)
  }

  private unclosed(kind: 'single' | 'double', start: number): ConfigError {
    const line = this.position(start).line
    this.offset = this.text.length
    return this.error(
      `unexpected end of file in a ${kind} quoted string, which begins on line ${line}`,
      start,
      this.endOfLine(start) - start,
      `close it with ${kind === 'single' ? "'" : '"'}`,
    )
  }

  /**
   * The escape whose character stands at `offset`. A line end behind a backslash joins the lines.
   */
  private escape(offset: number): string {
    const c = this.text[offset]
    if (c === undefined || c === '\n') return ''
    const known = escapes[c]
    if (known !== undefined) return known
    if (/[a-zA-Z0-9]/.test(c)) {
      throw this.error(
        `unexpected back-slash escape character '${c}'`,
        offset - 1,
        2,
        `write \\\\${c} for a back-slash, or use single quotes`,
      )
    }
    return c
  }

  /** Evaluates "#{…}" from behind its brace. */
  embedded(offset: number): ReturnType<typeof evaluateEmbedded> {
    try {
      return evaluateEmbedded(this.text, offset, this.world)
    } catch (thrown) {
      if (!(thrown instanceof EmbeddedError)) throw thrown
      throw this.error(thrown.message, thrown.offset, thrown.length, thrown.hint)
    }
  }
}

const escapes: Readonly<Record<string, string | undefined>> = {
  r: '\r',
  n: '\n',
  t: '\t',
  f: '\f',
  b: '\b',
  '0': '\0',
}

import { isAscii, isUtf8 } from 'node:buffer'
import { maxDepth } from '../core/batch.ts'
import { MsgFloat, type MsgMap, type MsgValue, RawString } from '../core/value.ts'

/**
 * JSON read exactly: integers of 64 bits keep all digits, 1.0 stays a float, keys keep their order and
 * `__proto__` is a key like any other (none of which JSON.parse can do). A repeated key keeps its first place and takes
 * its last value. Nothing is made of what does not come from the text, and nesting is limited.
 */
export interface JsonOptions {
  /** Arrays and objects inside each other; an object without any inside has depth 1. Default: what fits in an entry. */
  readonly depthLimit?: number
  /** Keys and elements of arrays, at all levels: of the value, or of each object of an array of them. Default: any number. */
  readonly itemLimit?: number
  /**
   * What Fluentd's Oj takes beyond RFC 8259: NaN, Infinity and -Infinity, and control characters (not NUL) standing
   * unescaped in strings. Default true; false is how yajl reads (JSON connections of the forward source).
   */
  readonly lenient?: boolean
}

export class JsonError extends Error {
  override readonly name = 'JsonError'
  /** incomplete: the text ends inside a value. */
  readonly code: JsonErrorCode

  constructor(code: JsonErrorCode, message: string) {
    super(message)
    this.code = code
  }
}

type JsonErrorCode = 'incomplete' | 'invalid' | 'too_deep' | 'too_many_items'

/** Digits up to which an integer may fit into 64 bits. */
const int64Digits = 20
const largestUnsigned = 2n ** 64n - 1n
const smallestSigned = -(2n ** 63n)

/** Reads one value; only white space may stand around it. Throws JsonError. Text that is not UTF-8 gives RawStrings. */
export function parseJson(text: string | Uint8Array, options: JsonOptions = {}): MsgValue {
  const isBytes = typeof text !== 'string'
  const binary = isBytes && !isUtf8(text)
  const reader = new JsonReader(isBytes ? toText(text, binary) : text, binary, options)
  const value = reader.value()
  reader.end()
  return value
}

/** As text; as one character a byte where the bytes are not UTF-8. */
function toText(bytes: Uint8Array, binary: boolean): string {
  const view = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  return binary || isAscii(bytes) ? view.toString('latin1') : view.toString('utf8')
}

class JsonReader {
  private readonly text: string
  private readonly binary: boolean
  private readonly lenient: boolean
  private readonly itemLimit: number
  private at = 0
  private depth: number
  private readonly outermost: number
  private itemsLeft: number

  constructor(text: string, binary: boolean, options: JsonOptions) {
    this.text = text
    this.binary = binary
    this.lenient = options.lenient ?? true
    this.depth = options.depthLimit ?? maxDepth - 1
    this.outermost = this.depth - 1
    this.itemLimit = options.itemLimit ?? Number.POSITIVE_INFINITY
    this.itemsLeft = this.itemLimit
  }

  value(): MsgValue {
    const c = this.skipSpace()
    switch (c) {
      case 0x22:
        return this.string()
      case 0x7b:
        return this.object()
      case 0x5b:
        return this.array()
      case 0x74:
        return this.word('true', true)
      case 0x66:
        return this.word('false', false)
      case 0x6e:
        return this.word('null', null)
      case 0x4e:
        return this.lenientWord('NaN', Number.NaN)
      case 0x49:
        return this.lenientWord('Infinity', Number.POSITIVE_INFINITY)
      default:
        return this.number(c)
    }
  }

  end(): void {
    if (!Number.isNaN(this.skipSpace())) throw this.unexpected()
  }

  private object(): MsgMap {
    this.enter()
    const map: MsgMap = new Map()
    let c = this.skipSpace()
    if (c === 0x7d) {
      this.leave()
      return map
    }
    for (;;) {
      if (c !== 0x22) throw this.unexpected()
      if (--this.itemsLeft < 0) throw this.tooMany()
      const key = this.string()
      if (this.skipSpace() !== 0x3a) throw this.unexpected()
      this.at += 1
      // A RawString key is an object of its own each time; repeated ones are rare enough to be left side by side.
      map.set(key, this.value())
      c = this.skipSpace()
      if (c === 0x7d) break
      if (c !== 0x2c) throw this.unexpected()
      this.at += 1
      c = this.skipSpace()
    }
    this.leave()
    return map
  }

  private tooMany(): JsonError {
    return new JsonError(
      'too_many_items',
      `more than ${this.itemLimit} keys and elements in one value`,
    )
  }

  private array(): MsgValue[] {
    this.enter()
    const items: MsgValue[] = []
    let c = this.skipSpace()
    if (c === 0x5d) {
      this.leave()
      return items
    }
    for (;;) {
      const left = this.itemsLeft
      const isOneOfMany = this.depth === this.outermost && this.skipSpace() === 0x7b
      if (isOneOfMany) this.itemsLeft = this.itemLimit
      else if (--this.itemsLeft < 0) throw this.tooMany()
      items.push(this.value())
      if (isOneOfMany) this.itemsLeft = left
      c = this.skipSpace()
      if (c === 0x5d) break
      if (c !== 0x2c) throw this.unexpected()
      this.at += 1
    }
    this.leave()
    return items
  }

  /** At the opening quote. */
  private string(): string | RawString {
    const { text } = this
    const start = this.at + 1
    let at = start
    let c = text.charCodeAt(at)
    // NaN, what charCodeAt gives behind the end, fails every comparison and ends the loop.
    while (c >= 0x20 && c !== 0x22 && c !== 0x5c) c = text.charCodeAt(++at)
    this.at = at
    if (c === 0x22) {
      this.at = at + 1
      return this.made(text.slice(start, at))
    }
    return this.stringWithEscapes(start)
  }

  private stringWithEscapes(start: number): string | RawString {
    const { text } = this
    const pieces: string[] = []
    let from = start
    let at = this.at
    for (;;) {
      const c = text.charCodeAt(at)
      if (c === 0x22) break
      if (c === 0x5c) {
        pieces.push(text.slice(from, at))
        this.at = at
        pieces.push(this.escape())
        at = this.at
        from = at
      } else if (c >= 0x20 || (c > 0 && this.lenient)) {
        at += 1
      } else {
        this.at = at
        throw this.unexpected()
      }
    }
    pieces.push(text.slice(from, at))
    this.at = at + 1
    return this.made(pieces.join(''))
  }

  /** A string's own characters: in binary mode each stands for a byte, and it may be UTF-8 by itself. */
  private made(raw: string): string | RawString {
    if (!this.binary) return raw
    const bytes = Buffer.from(raw, 'latin1')
    return isUtf8(bytes) ? bytes.toString('utf8') : new RawString(bytes)
  }

  /** At the backslash; ends behind the escape. */
  private escape(): string {
    const { text } = this
    const c = text.charCodeAt(this.at + 1)
    this.at += 2
    if (c === 0x75) return this.asMade(this.unicodeEscape())
    const plain = simpleEscapes[String.fromCharCode(c)]
    if (plain !== undefined) return plain
    if (Number.isNaN(c)) {
      this.at = text.length
      throw this.unexpected()
    }
    this.at -= 1
    throw this.unexpected()
  }

  /** A surrogate without its partner has no place in UTF-8 and becomes U+FFFD. */
  private unicodeEscape(): string {
    const unit = this.hexDigits()
    if (unit < 0xd800 || unit > 0xdfff) return String.fromCharCode(unit)
    if (unit <= 0xdbff && this.text.startsWith('\\u', this.at)) {
      const before = this.at
      this.at += 2
      const low = this.hexDigits()
      if (low >= 0xdc00 && low <= 0xdfff) return String.fromCharCode(unit, low)
      this.at = before
    }
    return '\ufffd'
  }

  private hexDigits(): number {
    const digits = this.text.slice(this.at, this.at + 4)
    if (!/^[0-9a-fA-F]{4}$/.test(digits)) {
      if (/^[0-9a-fA-F]*$/.test(digits)) this.at = this.text.length
      throw this.unexpected()
    }
    this.at += 4
    return Number.parseInt(digits, 16)
  }

  private asMade(character: string): string {
    return this.binary ? Buffer.from(character, 'utf8').toString('latin1') : character
  }

  private number(first: number): MsgValue {
    const { text } = this
    const start = this.at
    let at = start
    let c = first
    if (c === 0x2d) c = text.charCodeAt(++at)
    if (c === 0x49 && at > start) {
      this.at = at
      return this.lenientWord('Infinity', Number.NEGATIVE_INFINITY)
    }
    const digits = at
    while (c >= 0x30 && c <= 0x39) c = text.charCodeAt(++at)
    if (at === digits || (at > digits + 1 && text.charCodeAt(digits) === 0x30)) {
      this.at = at === digits ? at : digits + 1
      throw this.unexpected()
    }
    if (c !== 0x2e && c !== 0x65 && c !== 0x45) {
      this.at = at
      return integer(text.slice(start, at), at - digits)
    }
    if (c === 0x2e) at = this.digitsFrom(at + 1)
    c = text.charCodeAt(at)
    if (c === 0x65 || c === 0x45) {
      c = text.charCodeAt(++at)
      at = this.digitsFrom(c === 0x2b || c === 0x2d ? at + 1 : at)
    }
    this.at = at
    return jsonFloat(Number(text.slice(start, at)))
  }

  /** The place behind the digits there; at least one must stand there. */
  private digitsFrom(at: number): number {
    const start = at
    let c = this.text.charCodeAt(at)
    while (c >= 0x30 && c <= 0x39) c = this.text.charCodeAt(++at)
    if (at === start) {
      this.at = at
      throw this.unexpected()
    }
    return at
  }

  private word<T extends MsgValue>(word: string, value: T): T {
    if (!this.text.startsWith(word, this.at)) {
      if (word.startsWith(this.text.slice(this.at))) this.at = this.text.length
      throw this.unexpected()
    }
    this.at += word.length
    return value
  }

  private lenientWord(word: string, value: number): number {
    if (!this.lenient) throw this.unexpected()
    return this.word(word, value)
  }

  /** The character that stands there, or NaN at the end. */
  private skipSpace(): number {
    const { text } = this
    let c = text.charCodeAt(this.at)
    while (c === 0x20 || c === 0x0a || c === 0x0d || c === 0x09) c = text.charCodeAt(++this.at)
    return c
  }

  private enter(): void {
    this.at += 1
    this.depth -= 1
    if (this.depth < 0) throw new JsonError('too_deep', 'JSON is nested too deep')
  }

  private leave(): void {
    this.at += 1
    this.depth += 1
  }

  private unexpected(): JsonError {
    if (this.at >= this.text.length) return new JsonError('incomplete', 'JSON ends inside a value')
    const found = JSON.stringify(this.text.slice(this.at, this.at + 1))
    return new JsonError('invalid', `unexpected ${found} at character ${this.at + 1}`)
  }
}

const simpleEscapes: Readonly<Record<string, string | undefined>> = {
  __proto__: null as never,
  '"': '"',
  '\\': '\\',
  '/': '/',
  b: '\b',
  f: '\f',
  n: '\n',
  r: '\r',
  t: '\t',
}

/** A float that JSON or text gave: whole ones are kept apart from integers. */
export function jsonFloat(value: number): number | MsgFloat {
  return Number.isInteger(value) ? new MsgFloat(value) : value
}

/** MessagePack has no integers beyond 64 bits: those become floats. */
function integer(text: string, digits: number): MsgValue {
  const value = Number(text)
  // -0 is the integer 0.
  if (Number.isSafeInteger(value)) return value + 0
  if (digits <= int64Digits) {
    const exact = BigInt(text)
    if (exact >= smallestSigned && exact <= largestUnsigned) return exact
  }
  return jsonFloat(value)
}

import { arithmetic, at, methods, scalarText, type Value } from './embedded-methods.ts'
import type { ConfigWorld } from './input.ts'

/**
 * `"#{…}"`: the few Ruby expressions that configurations use, read and evaluated without any Ruby.
 * Whatever is not understood is an error that says what can be written.
 *
 *   or     = equal ("||" equal)*                          equal = sum (("==" | "!=") sum)?
 *   sum    = term (("+" | "-") term)*                     term  = unary (("*" | "/" | "%") unary)*
 *   unary  = "-" unary | suffix
 *   suffix = primary ("." name args? | "[" or "]")*
 *   primary = integer | 'text' | "text" | [ … ] | ( or ) | nil | true | false
 *           | ENV[…] | ENV.fetch(…) | hostname | Socket.gethostname | worker_id
 *           | use_nil | use_default
 */

export type EmbeddedOutcome =
  | { readonly kind: 'text'; readonly text: string; readonly end: number }
  | { readonly kind: 'nil'; readonly end: number }
  | { readonly kind: 'default'; readonly end: number }

/** What is wrong, with its place in the text that was handed in. */
export class EmbeddedError extends Error {
  override readonly name = 'EmbeddedError'
  readonly offset: number
  readonly length: number
  readonly hint: string | undefined

  constructor(message: string, offset: number, length: number, hint?: string) {
    super(message)
    this.offset = offset
    this.length = length
    this.hint = hint
  }
}

const embeddedHint =
  "Ruby is not evaluated. What can be written: ENV['NAME'], ENV.fetch('NAME', 'default'), " +
  'hostname, Socket.gethostname, worker_id, each with || and a literal, use_nil or use_default'

type EmbeddedWorld = Pick<ConfigWorld, 'env' | 'hostname' | 'workerId'>
type Thunk = () => Value

const useNil = Symbol('use_nil')
const useDefault = Symbol('use_default')
const maxDepth = 32

/**
 * Evaluates the expression from `offset` (behind `#{`) up to its `}`; `end` is the offset of that
 * brace. Throws EmbeddedError.
 */
export function evaluateEmbedded(
  text: string,
  offset: number,
  world: EmbeddedWorld,
): EmbeddedOutcome {
  const reader = new Reader(text, offset, world)
  const thunk = reader.or(0)
  reader.space()
  const end = reader.offset
  if (text[end] === undefined) throw new EmbeddedError('"#{" is never closed', offset - 2, 2)
  if (text[end] !== '}') throw reader.unknown()
  try {
    const value = thunk()
    return { kind: 'text', text: toText(value, offset, end), end }
  } catch (thrown) {
    if (thrown === useNil) return { kind: 'nil', end }
    if (thrown === useDefault) return { kind: 'default', end }
    if (thrown instanceof EmbeddedError) throw thrown
    throw new EmbeddedError((thrown as Error).message, offset, Math.max(1, end - offset))
  }
}

class Reader {
  readonly text: string
  readonly world: EmbeddedWorld
  offset: number

  constructor(text: string, offset: number, world: EmbeddedWorld) {
    this.text = text
    this.offset = offset
    this.world = world
  }

  space(): void {
    while (/[ \t]/.test(this.text[this.offset] ?? '')) this.offset++
  }

  /** The rest of the line up to a brace, named as what is not understood. */
  unknown(): EmbeddedError {
    const rest = /^[^\s})\]"'|,]+/.exec(this.text.slice(this.offset, this.offset + 80))?.[0]
    const shown = rest ?? this.text[this.offset] ?? 'the end of the file'
    return new EmbeddedError(
      `"#{…}" cannot have \`${shown}\``,
      this.offset,
      shown.length,
      embeddedHint,
    )
  }

  take(token: string): boolean {
    this.space()
    if (!this.text.startsWith(token, this.offset)) return false
    this.offset += token.length
    return true
  }

  need(token: string): void {
    if (!this.take(token)) throw this.unknown()
  }

  or(depth: number): Thunk {
    if (depth > maxDepth) throw new EmbeddedError('"#{…}" is nested too deep', this.offset, 1)
    let left = this.equal(depth)
    while (this.take('||')) {
      const before = left
      const right = this.equal(depth)
      left = () => {
        const value = before()
        return value === null || value === false ? right() : value
      }
    }
    return left
  }

  equal(depth: number): Thunk {
    const left = this.sum(depth)
    const operator = this.take('==') ? '==' : this.take('!=') ? '!=' : undefined
    if (operator === undefined) return left
    const right = this.sum(depth)
    return () => (left() === right()) === (operator === '==')
  }

  sum(depth: number): Thunk {
    let left = this.term(depth)
    for (;;) {
      const operator = this.take('+') ? '+' : this.take('-') ? '-' : undefined
      if (operator === undefined) return left
      const before = left
      const right = this.term(depth)
      left = () => arithmetic(operator, before(), right())
    }
  }

  term(depth: number): Thunk {
    let left = this.unary(depth)
    for (;;) {
      const operator = ['*', '/', '%'].find((one) => this.take(one))
      if (operator === undefined) return left
      const before = left
      const right = this.unary(depth)
      left = () => arithmetic(operator, before(), right())
    }
  }

  unary(depth: number): Thunk {
    if (!this.take('-')) return this.suffix(depth)
    if (depth > maxDepth) throw this.unknown()
    const value = this.unary(depth + 1)
    return () => arithmetic('-', 0, value())
  }

  suffix(depth: number): Thunk {
    let value = this.primary(depth)
    for (;;) {
      const receiver = value
      if (this.text[this.offset] === '[') {
        this.offset++
        const index = this.or(depth + 1)
        this.need(']')
        value = () => at(receiver(), index())
      } else if (this.text[this.offset] === '.') {
        const method = /^\.([a-z_]+)/.exec(this.text.slice(this.offset, this.offset + 40))?.[1]
        if (method === undefined || !Object.hasOwn(methods, method)) throw this.unknown()
        this.offset += method.length + 1
        const given = this.text[this.offset] === '(' ? this.list('(', ')', depth) : []
        value = () => methods[method]!(receiver(), ...given.map((one) => one()))
      } else {
        return value
      }
    }
  }

  list(open: string, close: string, depth: number): Thunk[] {
    this.need(open)
    const items: Thunk[] = []
    if (this.take(close)) return items
    do items.push(this.or(depth + 1))
    while (this.take(','))
    this.need(close)
    return items
  }

  primary(depth: number): Thunk {
    this.space()
    const next = this.text[this.offset]
    if (next === "'" || next === '"') return constant(this.quoted(next))
    if (next === '[') {
      const items = this.list('[', ']', depth)
      return () => items.map((one) => one())
    }
    if (this.take('(')) {
      const inner = this.or(depth + 1)
      this.need(')')
      return inner
    }
    const digits = /^\d{1,15}(?![\w.])/.exec(this.text.slice(this.offset, this.offset + 20))?.[0]
    if (digits !== undefined) {
      this.offset += digits.length
      return constant(Number(digits))
    }
    return this.name(depth)
  }

  quoted(quote: string): string {
    let out = ''
    for (let i = this.offset + 1; i < this.text.length; i++) {
      const c = this.text[i]!
      if (c === quote) {
        this.offset = i + 1
        return out
      }
      if (c === '\n' || (quote === '"' && c === '#' && this.text[i + 1] === '{')) break
      if (c === '\\') {
        i++
        const escaped = this.text[i] ?? ''
        const plain = escaped === quote || escaped === '\\'
        out += plain ? escaped : quote === '"' ? (escapes[escaped] ?? escaped) : `\\${escaped}`
      } else out += c
    }
    throw new EmbeddedError('a quoted text in "#{…}" has no plain end', this.offset, 1)
  }

  name(depth: number): Thunk {
    const start = this.offset
    const word = /^[A-Za-z_]\w*/.exec(this.text.slice(start, start + 80))?.[0] ?? ''
    const { env, hostname, workerId } = this.world
    const known: Readonly<Record<string, Thunk>> = {
      nil: constant(null),
      true: constant(true),
      false: constant(false),
      hostname: constant(hostname),
      worker_id: constant(workerId ?? ''),
      use_nil: () => {
        throw useNil
      },
      use_default: () => {
        throw useDefault
      },
    }
    if (Object.hasOwn(known, word)) {
      this.offset += word.length
      return known[word]!
    }
    if (word === 'Socket' && this.take('Socket.gethostname')) return constant(hostname)
    if (word === 'ENV') {
      this.offset += word.length
      return this.environment(env, depth)
    }
    throw this.unknown()
  }

  environment(env: EmbeddedWorld['env'], depth: number): Thunk {
    if (this.text.startsWith('.fetch', this.offset)) {
      this.offset += '.fetch'.length
      const [name, otherwise, more] = this.list('(', ')', depth)
      if (name === undefined || more !== undefined) throw this.unknown()
      return () => {
        const key = String(name())
        const value = variable(env, key)
        if (value !== null) return value
        if (otherwise !== undefined) return otherwise()
        throw new Error(`the environment variable ${key} is not set, and ENV.fetch has no default`)
      }
    }
    this.need('[')
    const name = this.or(depth + 1)
    this.need(']')
    return () => variable(env, String(name()))
  }
}

const escapes: Readonly<Record<string, string>> = { n: '\n', t: '\t', r: '\r', '0': '\0' }

function constant(value: Value): Thunk {
  return () => value
}

function variable(env: EmbeddedWorld['env'], name: string): string | null {
  return Object.hasOwn(env, name) ? (env[name] ?? null) : null
}

function toText(value: Value, offset: number, end: number): string {
  if (typeof value !== 'object' || value === null) return scalarText(value)
  throw new EmbeddedError('"#{…}" makes an array; add .join', offset, Math.max(1, end - offset))
}

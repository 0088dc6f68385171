import { call, methodNames, takes } from './methods.ts'
import { find } from './methods-text.ts'
import { arithmetic, compare, isOrdered } from './operators.ts'
import { parsePrimary } from './primary.ts'
import type { Reader } from './reader.ts'
import type { Scope } from './scope.ts'
import {
  float,
  integer,
  isEqual,
  isInteger,
  isNumber,
  isText,
  isTrue,
  noMethod,
  numberOf,
  RegexpValue,
  type RubyValue,
  textOf,
} from './values.ts'
import { nearestMethod } from './vocabulary.ts'

/** An expression, read once at start: gives its value for the event that the scope stands at. Throws ExpressionError. */
export type Run = (scope: Scope) => RubyValue

/** What expressions know besides the event. */
export interface World {
  readonly hostname: string
  readonly env: Readonly<Record<string, string | undefined>>
  readonly clock: {
    wallMs(): number
    localOffsetSeconds(epochSeconds: number): number
  }
  /** `time` is a Time (record_transformer), or the event's own time (record_modifier). */
  readonly timeIsTime: boolean
  /** tag_prefix and tag_suffix are known (record_transformer). */
  readonly tagRanges: boolean
}

/** Characters of an expression, and how deep its parts may stand inside each other. */
export const expressionLimit = 16 * 1024
const depthLimit = 64

/**
 * Reads expressions. What is not understood is an error that says where.
 *
 *   statement = ternary (("if" | "unless") ternary)?
 *   ternary = or ("?" ternary ":" ternary)?     or = and ("||" and)*     and = not ("&&" not)*
 *   equal = order (("==" | "!=" | "=~" | "!~") order)?     order = sum (("<" | "<=" | ">" | ">=" | "<=>") sum)?
 *   sum = term (("+" | "-") term)*     term = power (("*" | "/" | "%") power)*     power = unary ("**" unary)?
 *   unary = ("!" | "-") unary | suffix     suffix = primary ("." name args? | "&." name args? | "[" or, … "]")*
 */
export class Parser {
  readonly reader: Reader
  readonly world: World
  #depth = 0

  constructor(reader: Reader, world: World) {
    this.reader = reader
    this.world = world
  }

  statement(): Run {
    const value = this.ternary()
    if (this.reader.acceptWord('if')) {
      const condition = this.ternary()
      return (scope) => (isTrue(condition(scope)) ? value(scope) : null)
    }
    if (this.reader.acceptWord('unless')) {
      const condition = this.ternary()
      return (scope) => (isTrue(condition(scope)) ? null : value(scope))
    }
    return value
  }

  ternary(): Run {
    if (++this.#depth > depthLimit) this.reader.fail('the expression is nested too deep')
    const condition = this.#or()
    this.reader.space()
    if (!this.reader.accept('?')) {
      this.#depth--
      return condition
    }
    const yes = this.ternary()
    this.reader.expect(':')
    const no = this.ternary()
    this.#depth--
    return (scope) => (isTrue(condition(scope)) ? yes(scope) : no(scope))
  }

  #or(): Run {
    let left = this.#and()
    while (this.reader.accept('||') || this.reader.acceptWord('or')) {
      const [a, b] = [left, this.#and()]
      left = (scope) => {
        const value = a(scope)
        return isTrue(value) ? value : b(scope)
      }
    }
    return left
  }

  #and(): Run {
    let left = this.#equal()
    while (this.reader.accept('&&') || this.reader.acceptWord('and')) {
      const [a, b] = [left, this.#equal()]
      left = (scope) => {
        const value = a(scope)
        return isTrue(value) ? b(scope) : value
      }
    }
    return left
  }

  #equal(): Run {
    const left = this.#order()
    const operator = this.reader.oneOf(['==', '!=', '=~', '!~'])
    if (operator === undefined) {
      this.#refuseAssignment()
      return left
    }
    const right = this.#order()
    switch (operator) {
      case '==':
        return (scope) => isEqual(left(scope), right(scope))
      case '!=':
        return (scope) => !isEqual(left(scope), right(scope))
      case '=~':
        return (scope) => matched(left(scope), right(scope), scope)
      default:
        return (scope) => matched(left(scope), right(scope), scope) === null
    }
  }

  #refuseAssignment(): void {
    const { reader } = this
    reader.space()
    const found = /^(?:[-+*/|&]{0,2}=(?![=~>])|<<)/.exec(
      reader.text.slice(reader.at, reader.at + 3),
    )
    if (found === null) return
    reader.fail('nothing can be assigned here', {
      length: found[0].length,
      hint: 'an expression gives a value; set fields by <record>, take them away by remove_keys',
    })
  }

  #order(): Run {
    const left = this.#sum()
    const { reader } = this
    reader.space()
    if (reader.text.startsWith('<<', reader.at)) return left
    const operator = reader.oneOf(['<=>', '<=', '>=', '<', '>'])
    if (operator === undefined) return left
    const right = this.#sum()
    if (operator === '<=>') return (scope) => compare(left(scope), right(scope)) ?? null
    return (scope) => isOrdered(operator, left(scope), right(scope))
  }

  #sum(): Run {
    return this.#chain(['+', '-'], () => this.#term())
  }

  #term(): Run {
    return this.#chain(['*', '/', '%'], () => this.#power())
  }

  #chain(operators: readonly string[], next: () => Run): Run {
    let left = next()
    for (;;) {
      const operator = this.#operator(operators)
      if (operator === undefined) return left
      const [a, b] = [left, next()]
      left = (scope) => arithmetic(operator, a(scope), b(scope))
    }
  }

  /** `+=` and `**` are no `+` and `*`. */
  #operator(operators: readonly string[]): string | undefined {
    const { reader } = this
    reader.space()
    const next = reader.text[reader.at + 1]
    if (next === '=' || (reader.char === '*' && next === '*')) return undefined
    return reader.oneOf(operators)
  }

  #power(): Run {
    const base = this.#unary()
    if (!this.reader.accept('**')) return base
    const exponent = this.#power()
    return (scope) => arithmetic('**', base(scope), exponent(scope))
  }

  #unary(): Run {
    const { reader } = this
    reader.space()
    if (
      reader.char === '!' &&
      reader.text[reader.at + 1] !== '=' &&
      reader.text[reader.at + 1] !== '~'
    ) {
      reader.at++
      const inner = this.#deeper(() => this.#unary())
      return (scope) => !isTrue(inner(scope))
    }
    if (reader.acceptWord('not')) {
      const inner = this.#deeper(() => this.#equal())
      return (scope) => !isTrue(inner(scope))
    }
    if (reader.char === '-' && !/\d/.test(reader.text[reader.at + 1] ?? '')) {
      reader.at++
      const inner = this.#deeper(() => this.#unary())
      return (scope) => negative(inner(scope))
    }
    return this.#suffixes(parsePrimary(this))
  }

  #deeper(read: () => Run): Run {
    if (++this.#depth > depthLimit) this.reader.fail('the expression is nested too deep')
    const run = read()
    this.#depth--
    return run
  }

  #suffixes(primary: Run): Run {
    let run = primary
    const { reader } = this
    for (let count = 0; ; count++) {
      if (count > depthLimit) reader.fail('the expression is too long a chain')
      const spaced = /\s/.test(reader.char)
      reader.space()
      if (reader.text.startsWith('&.', reader.at)) {
        reader.at += 2
        const called = this.#method(run)
        const on = run
        run = (scope) => (on(scope) === null ? null : called(scope))
      } else if (reader.char === '.' && !reader.text.startsWith('..', reader.at)) {
        reader.at++
        run = this.#method(run)
      } else if (reader.char === '[' && !spaced) {
        reader.at++
        run = called('[]', run, this.list(']'))
      } else return run
    }
  }

  #method(on: Run): Run {
    const { reader } = this
    reader.space()
    const start = reader.at
    const name = reader.peekWord()
    reader.at += name.length
    if (!methodNames.has(name)) {
      reader.fail(
        name === '' ? 'expected the name of a method' : `the method \`${name}\` is not known here`,
        {
          offset: start,
          length: name.length,
          hint: nearestMethod(name),
        },
      )
    }
    const given = reader.text.startsWith('(', reader.at) && reader.accept('(') ? this.list(')') : []
    this.#refuseBlock()
    if (!takes(name, given.length)) {
      reader.fail(`the method \`${name}\` does not take ${given.length} arguments`, {
        offset: start,
        length: name.length,
      })
    }
    return called(name, on, given)
  }

  #refuseBlock(): void {
    const { reader } = this
    const start = reader.at
    reader.space()
    if (reader.char === '{' || reader.peekWord() === 'do') {
      reader.fail('blocks are not run here', {
        length: 1,
        hint: 'what needs one is for a program of its own: see the filters grep, parser and record_modifier',
      })
    }
    reader.at = start
  }

  /** Expressions with commas between them, up to `end`. A block given as `&:name` is refused. */
  list(end: string): Run[] {
    const items: Run[] = []
    const { reader } = this
    while (!reader.accept(end)) {
      if (items.length > 0) reader.expect(',')
      if (reader.accept(end)) break
      if (reader.accept('&')) reader.fail('blocks are not run here', { length: 1 })
      items.push(this.ternary())
      if (items.length > 1000) reader.fail('too many items')
    }
    return items
  }
}

function called(name: string, on: Run, given: readonly Run[]): Run {
  const [first, second] = given
  if (first === undefined) return (scope) => call(name, on(scope), [], scope)
  if (second === undefined) return (scope) => call(name, on(scope), [first(scope)], scope)
  return (scope) =>
    call(
      name,
      on(scope),
      given.map((one) => one(scope)),
      scope,
    )
}

function matched(a: RubyValue, b: RubyValue, scope: Scope): RubyValue {
  const [text, pattern] = a instanceof RegexpValue ? [b, a] : [a, b]
  if (text === null) {
    scope.lastMatch = null
    return null
  }
  if (!isText(text)) throw noMethod('=~', text)
  const match = find(pattern, textOf(text), scope)
  return match === null ? null : [...match.text.slice(0, match.found.start)].length
}

function negative(value: RubyValue): RubyValue {
  if (!isNumber(value)) throw noMethod('-@', value)
  return isInteger(value) ? integer(-BigInt(value)) : float(-numberOf(value))
}

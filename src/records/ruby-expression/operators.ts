import { MsgFloat } from '../../core/value.ts'
import {
  bounded,
  ExpressionError,
  float,
  integer,
  isInteger,
  isNumber,
  isText,
  madeLimit,
  noMethod,
  numberOf,
  type RubyValue,
  TimeValue,
  textOf,
  typeOf,
} from './values.ts'

/** a + b, and so on, by Ruby's rules for the kinds of values. Throws ExpressionError. */
export function arithmetic(operator: string, a: RubyValue, b: RubyValue): RubyValue {
  if (isNumber(a)) {
    if (!isNumber(b)) throw new ExpressionError(`${typeOf(b)} can't be coerced into ${typeOf(a)}`)
    return isInteger(a) && isInteger(b)
      ? integers(operator, BigInt(a), BigInt(b))
      : float(floats(operator, numberOf(a), numberOf(b)))
  }
  if (isText(a)) return texts(operator, textOf(a), b)
  if (Array.isArray(a) && Array.isArray(b)) return arrays(operator, a, b)
  if (a instanceof TimeValue) return times(operator, a, b)
  throw noMethod(operator, a)
}

function integers(operator: string, a: bigint, b: bigint): RubyValue {
  switch (operator) {
    case '+':
      return integer(a + b)
    case '-':
      return integer(a - b)
    case '*':
      return integer(a * b)
    case '**':
      return power(a, b)
    default: {
      if (b === 0n) throw new ExpressionError('divided by 0')
      // Ruby rounds down, and the rest has the divisor's sign.
      const rest = ((a % b) + b) % b
      return integer(operator === '/' ? (a - rest) / b : rest)
    }
  }
}

function power(a: bigint, b: bigint): RubyValue {
  if (b < 0n) return float(Number(a) ** Number(b))
  if (b > 64n && a !== 0n && a !== 1n && a !== -1n) {
    throw new ExpressionError('an integer is beyond 64 bits')
  }
  return integer(a ** (b > 64n ? 64n + (b % 2n) : b))
}

function floats(operator: string, a: number, b: number): number {
  switch (operator) {
    case '+':
      return a + b
    case '-':
      return a - b
    case '*':
      return a * b
    case '/':
      return a / b
    case '**':
      return a ** b
    default:
      return b === 0 ? Number.NaN : a - Math.floor(a / b) * b
  }
}

function texts(operator: string, a: string, b: RubyValue): RubyValue {
  if (operator === '+') {
    if (!isText(b)) throw new ExpressionError(`no implicit conversion of ${typeOf(b)} into String`)
    return bounded(a + textOf(b))
  }
  if (operator === '*' && isInteger(b)) {
    const times = Number(b)
    if (times < 0) throw new ExpressionError('argument must be non-negative')
    if (a.length * times > madeLimit) throw new ExpressionError('a text becomes too long')
    return a.repeat(times)
  }
  throw noMethod(operator, a)
}

function arrays(operator: string, a: RubyValue[], b: RubyValue[]): RubyValue {
  if (operator === '+') {
    if (a.length + b.length > madeLimit) throw new ExpressionError('an array becomes too long')
    return [...a, ...b]
  }
  if (operator !== '-') throw noMethod(operator, a)
  const gone = new Set(b.map(identity))
  return a.filter((item) => !gone.has(identity(item)))
}

/** The same for equal values of the kinds that arrays mostly hold. */
export function identity(value: RubyValue): unknown {
  if (isText(value)) return `s${textOf(value)}`
  if (isNumber(value)) return value instanceof MsgFloat ? `f${value.value}` : value
  return typeof value === 'object' && value !== null ? `o${textOf(value)}` : value
}

function times(operator: string, a: TimeValue, b: RubyValue): RubyValue {
  if (b instanceof TimeValue && operator === '-') {
    return float(a.seconds - b.seconds + (a.nanoseconds - b.nanoseconds) / 1e9)
  }
  if (!isNumber(b) || (operator !== '+' && operator !== '-')) throw noMethod(operator, a)
  const delta = numberOf(b) * (operator === '-' ? -1 : 1)
  return timeAt(a.seconds + Math.floor(delta), a.nanoseconds + fraction(delta), a)
}

const fraction = (value: number) => Math.round((value - Math.floor(value)) * 1e9)

function timeAt(seconds: number, nanoseconds: number, like: TimeValue): TimeValue {
  const carried = seconds + Math.floor(nanoseconds / 1e9)
  if (!Number.isSafeInteger(carried)) throw new ExpressionError('a time is out of range')
  return new TimeValue(carried, nanoseconds % 1e9, like.zone)
}

/** Less than 0, 0, or more; undefined: they cannot be compared. */
export function compare(a: RubyValue, b: RubyValue): number | undefined {
  if (isInteger(a) && isInteger(b)) return a < b ? -1 : a > b ? 1 : 0
  if (isNumber(a) && isNumber(b)) {
    const difference = numberOf(a) - numberOf(b)
    return Number.isNaN(difference) ? undefined : Math.sign(difference)
  }
  if (isText(a) && isText(b)) {
    return Math.sign(Buffer.compare(Buffer.from(textOf(a)), Buffer.from(textOf(b))))
  }
  if (a instanceof TimeValue && b instanceof TimeValue) {
    return Math.sign(a.seconds - b.seconds || a.nanoseconds - b.nanoseconds)
  }
  return undefined
}

export function isOrdered(operator: string, a: RubyValue, b: RubyValue): boolean {
  const order = compare(a, b)
  if (order === undefined) {
    if (a === null || typeof a === 'boolean' || a instanceof Map || Array.isArray(a)) {
      throw noMethod(operator, a)
    }
    if (isNumber(a) && isNumber(b)) return false
    throw new ExpressionError(`comparison of ${typeOf(a)} with ${typeOf(b)} failed`)
  }
  if (operator === '<') return order < 0
  if (operator === '<=') return order <= 0
  return operator === '>' ? order > 0 : order >= 0
}

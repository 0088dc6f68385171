import { jsonText, noCounts } from '../../kernel/format-reference.ts'
import { inspectAscii } from '../../text/ruby-ascii.ts'
import { integerArgument, methodTable, textArgument } from './method-table.ts'
import { compare } from './operators.ts'
import {
  ExpressionError,
  float,
  integer,
  isEqual,
  isInteger,
  type MatchValue,
  numberOf,
  type RubyValue,
  recordValue,
  TypeValue,
  textOf,
  typeOf,
} from './values.ts'

const asNumber = (value: RubyValue): number => numberOf(value as number)

/** The whole number at `value`: exact where it was one. */
function whole(value: RubyValue, round: (value: number) => number): RubyValue {
  if (isInteger(value)) return value
  const number = asNumber(value)
  if (!Number.isFinite(number)) throw new ExpressionError(`${number} is no whole number`)
  return integer(BigInt(round(number)))
}

/** Away from zero at a half, as Ruby. */
const rounded = (value: number) => Math.sign(value) * Math.round(Math.abs(value))

function atDigits(
  value: RubyValue,
  given: readonly RubyValue[],
  round: (value: number) => number,
): RubyValue {
  const digits = integerArgument(given[0], 0)
  if (digits <= 0 || isInteger(value)) {
    if (digits === 0) return whole(value, round)
    if (digits > 0) return value
    const unit = 10 ** Math.min(-digits, 15)
    return integer(BigInt(round(asNumber(value) / unit)) * BigInt(unit))
  }
  const number = asNumber(value)
  if (digits > 15 || !Number.isFinite(number)) return value
  // By the decimal text, as 1.005 * 100 is less than 100.5.
  const moved = Number(`${number}e${digits}`)
  return float(Number.isFinite(moved) ? Number(`${round(moved)}e-${digits}`) : number)
}

export const numberMethods = methodTable({
  'to_i,to_int,truncate/0': (on) => whole(on, Math.trunc),
  'to_f/0': (on) => float(asNumber(on)),
  'to_s/0-1': (on, [base]) => {
    if (base === undefined) return textOf(on)
    const radix = integerArgument(base)
    if (radix < 2 || radix > 36 || !isInteger(on))
      throw new ExpressionError(`invalid radix ${radix}`)
    return BigInt(on).toString(radix)
  },
  'round/0-1': (on, given) => atDigits(on, given, rounded),
  'floor/0-1': (on, given) => atDigits(on, given, Math.floor),
  'ceil/0-1': (on, given) => atDigits(on, given, Math.ceil),
  'abs/0': (on) => {
    if (!isInteger(on)) return float(Math.abs(asNumber(on)))
    return on < 0 ? integer(-BigInt(on)) : on
  },
  'zero?/0': (on) => asNumber(on) === 0,
  'positive?/0': (on) => asNumber(on) > 0,
  'negative?/0': (on) => asNumber(on) < 0,
  'even?/0': (on) => asNumber(on) % 2 === 0,
  'odd?/0': (on) => Math.abs(asNumber(on) % 2) === 1,
  'nan?/0': (on) => Number.isNaN(asNumber(on)),
  'fdiv/1': (on, [by]) => float(asNumber(on) / asNumber(by ?? null)),
  'between?/2': (on, [least, most]) => {
    return (compare(on, least ?? null) ?? -1) >= 0 && (compare(on, most ?? null) ?? 1) <= 0
  },
  'chr/0': (on) => String.fromCodePoint(Math.min(Math.max(asNumber(on), 0), 0x10ffff)),
})

export const nilMethods = methodTable({
  'to_a/0': () => [],
  'to_h/0': () => new Map(),
  'to_i/0': () => 0,
  'to_f/0': () => float(0),
})

export const matchMethods = methodTable({
  '[]/1': (on, [which]) => {
    const match = on as MatchValue
    return match.group(isInteger(which ?? null) ? Number(which) : textArgument(which))
  },
  'captures/0': (on) => (on as MatchValue).found.captures.slice(1).map((group) => group ?? null),
  'to_a/0': (on) => (on as MatchValue).found.captures.map((group) => group ?? null),
  'pre_match/0': (on) => (on as MatchValue).text.slice(0, (on as MatchValue).found.start),
  'post_match/0': (on) => (on as MatchValue).text.slice((on as MatchValue).found.end),
})

/** What a class is a kind of, besides itself. */
const ancestors: Readonly<Record<string, readonly string[]>> = {
  Integer: ['Numeric'],
  Float: ['Numeric'],
  EventTime: ['Fluent::EventTime'],
}

function isKind(on: RubyValue, [type]: readonly RubyValue[]): boolean {
  if (!(type instanceof TypeValue)) throw new ExpressionError('class or module required')
  const name = typeOf(on)
  return name === type.type || type.type === 'Object' || (ancestors[name] ?? []).includes(type.type)
}

export const commonMethods = methodTable({
  'to_s/0': textOf,
  'inspect/0': (on) => inspectAscii(recordValue(on)),
  'to_json/0': (on) => jsonText(recordValue(on), 'yajl', noCounts()),
  'nil?/0': (on) => on === null,
  'is_a?,kind_of?/1': isKind,
  'instance_of?/1': (on, [type]) => type instanceof TypeValue && typeOf(on) === type.type,
  'class/0': (on) => new TypeValue(typeOf(on)),
  'name/0': (on) => (typeOf(on) === 'Class' ? textOf(on) : null),
  'dup,clone,freeze,itself/0': (on) => on,
  'eql?,equal?/1': (on, [other]) => isEqual(on, other ?? null),
  'seconds,to_i,to_int/0': (on) => {
    if (typeOf(on) === 'EventTime') return (on as unknown as { seconds: number }).seconds
    throw new ExpressionError(`undefined method 'to_i' for an instance of ${typeOf(on)}`)
  },
  'to_f/0': (on) => {
    if (typeOf(on) !== 'EventTime') {
      throw new ExpressionError(`undefined method 'to_f' for an instance of ${typeOf(on)}`)
    }
    const time = on as unknown as { seconds: number; nanoseconds: number | undefined }
    return float(time.seconds + (time.nanoseconds ?? 0) / 1e9)
  },
})

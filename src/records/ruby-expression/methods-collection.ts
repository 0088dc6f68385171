import { integerArgument, methodTable, rangeLength, sliceOf, textArgument } from './method-table.ts'
import { arithmetic, compare, identity } from './operators.ts'
import {
  bounded,
  ExpressionError,
  isText,
  madeLimit,
  noMethod,
  RangeValue,
  type RubyValue,
  textOf,
} from './values.ts'

const list = (value: RubyValue) => value as RubyValue[]
const hash = (value: RubyValue) => value as Map<RubyValue, RubyValue>

/** The value there; null: there is none. Keys that are texts are found as texts. */
export function dig(on: RubyValue, keys: readonly RubyValue[]): RubyValue {
  let value: RubyValue = on
  for (const key of keys) {
    if (value === null) return null
    if (value instanceof Map) value = hash(value).get(keyOf(key)) ?? null
    else if (Array.isArray(value)) value = value.at(integerArgument(key)) ?? null
    else throw new ExpressionError(`a value on the way to ${textOf(key)} has no dig`)
  }
  return value
}

function part(on: RubyValue, [which, more]: readonly RubyValue[]): RubyValue {
  const items = list(on)
  if (which instanceof RangeValue) {
    const place = sliceOf(items.length, which.from, rangeLength(items.length, which.from, which.to))
    return place === undefined ? null : items.slice(place.start, place.end)
  }
  const from = integerArgument(which)
  if (more === undefined) return items.at(from) ?? null
  const place = sliceOf(items.length, from, integerArgument(more))
  return place === undefined ? null : items.slice(place.start, place.end)
}

function count(given: readonly RubyValue[], items: RubyValue[], end: boolean): RubyValue {
  if (given.length === 0) return (end ? items.at(-1) : items[0]) ?? null
  const wanted = integerArgument(given[0])
  if (wanted < 0) throw new ExpressionError('negative array size')
  return end ? items.slice(Math.max(0, items.length - wanted)) : items.slice(0, wanted)
}

function unique(items: RubyValue[]): RubyValue[] {
  return [...new Map(items.map((item) => [identity(item), item])).values()]
}

function flat(items: RubyValue[]): RubyValue[] {
  return items.flatMap((item) => (Array.isArray(item) ? flat(item) : [item]))
}

function sorted(items: RubyValue[]): RubyValue[] {
  return [...items].sort((a, b) => {
    const order = compare(a, b)
    if (order === undefined) throw new ExpressionError('comparison of the values failed')
    return order
  })
}

function joined(items: RubyValue[], separator: string): string {
  const text = flat(items).map(textOf)
  const length = text.reduce((sum, one) => sum + one.length + separator.length, 0)
  if (length > madeLimit) throw new ExpressionError('a text becomes too long')
  return bounded(text.join(separator))
}

export const listMethods = methodTable({
  '[],slice/1-2': part,
  'at/1': part,
  'first/0-1': (on, given) => count(given, list(on), false),
  'last/0-1': (on, given) => count(given, list(on), true),
  'take/1': (on, given) => count(given, list(on), false),
  'drop/1': (on, [n]) => list(on).slice(Math.max(0, integerArgument(n))),
  'fetch/1-2': (on, [at, otherwise]) => fetched(list(on).at(integerArgument(at)), otherwise, at),
  'dig/1-9': dig,
  'length,size,count/0': (on) => list(on).length,
  'empty?/0': (on) => list(on).length === 0,
  'any?/0': (on) => list(on).some((item) => item !== null && item !== false),
  'include?,member?/1': (on, [item]) => {
    const wanted = identity(item ?? null)
    return list(on).some((one) => identity(one) === wanted)
  },
  'index/1': (on, [item]) => {
    const at = list(on).findIndex((one) => identity(one) === identity(item ?? null))
    return at < 0 ? null : at
  },
  'join/0-1': (on, [by]) =>
    joined(list(on), by === undefined || by === null ? '' : textArgument(by)),
  'reverse/0': (on) => [...list(on)].reverse(),
  'sort/0': (on) => sorted(list(on)),
  'min/0': (on) => sorted(list(on))[0] ?? null,
  'max/0': (on) => sorted(list(on)).at(-1) ?? null,
  'sum/0': (on) => list(on).reduce((sum, item) => arithmetic('+', sum, item), 0 as RubyValue),
  'uniq/0': (on) => unique(list(on)),
  'compact/0': (on) => list(on).filter((item) => item !== null),
  'flatten/0': (on) => flat(list(on)),
  'to_a/0': (on) => on,
  'to_h/0': (on) => {
    const pairs = list(on).map((pair): [RubyValue, RubyValue] => {
      if (!Array.isArray(pair) || pair.length !== 2) throw noMethod('to_h', on)
      return [pair[0] as RubyValue, pair[1] as RubyValue]
    })
    return new Map(pairs)
  },
})

function fetched(
  value: RubyValue | undefined,
  otherwise: RubyValue | undefined,
  key: RubyValue | undefined,
): RubyValue {
  if (value !== undefined) return value
  if (otherwise !== undefined) return otherwise
  throw new ExpressionError(`key not found: ${textOf(key ?? null)}`)
}

const keyOf = (key: RubyValue | undefined): RubyValue =>
  key !== undefined && isText(key) ? textOf(key) : (key ?? null)

export const hashMethods = methodTable({
  '[]/1': (on, [key]) => hash(on).get(keyOf(key)) ?? null,
  'fetch/1-2': (on, [key, otherwise]) => fetched(hash(on).get(keyOf(key)), otherwise, key),
  'dig/1-9': dig,
  'key?,has_key?,include?,member?/1': (on, [key]) => hash(on).has(keyOf(key)),
  'value?,has_value?/1': (on, [value]) =>
    [...hash(on).values()].some((one) => identity(one) === identity(value ?? null)),
  'keys/0': (on) => [...hash(on).keys()],
  'values/0': (on) => [...hash(on).values()],
  'values_at/1-9': (on, keys) => keys.map((key) => hash(on).get(keyOf(key)) ?? null),
  'length,size,count/0': (on) => hash(on).size,
  'empty?/0': (on) => hash(on).size === 0,
  'any?/0': (on) => hash(on).size > 0,
  'merge/1': (on, [other]) => {
    if (!(other instanceof Map)) throw new ExpressionError('no implicit conversion into Hash')
    return new Map<RubyValue, RubyValue>([...hash(on), ...hash(other)])
  },
  'slice/1-99': (on, keys) => {
    const wanted = keys.map(keyOf)
    return new Map(
      wanted.filter((key) => hash(on).has(key)).map((key) => [key, hash(on).get(key) as RubyValue]),
    )
  },
  'except/1-99': (on, keys) => {
    const gone = new Set(keys.map(keyOf))
    return new Map([...hash(on)].filter(([key]) => !gone.has(key)))
  },
  'compact/0': (on) => new Map([...hash(on)].filter(([, value]) => value !== null)),
  'to_h/0': (on) => on,
  'to_a/0': (on) => [...hash(on)].map(([key, value]): RubyValue => [key, value]),
})

import { EventTime, MsgFloat, type MsgMap, type MsgValue, RawString } from '../../core/value.ts'
import type { Zone } from '../../kernel/types.ts'
import { fieldText } from '../../text/field-text.ts'
import { jsonFloat } from '../../text/json.ts'
import type { LineMatcher, RegexpFound } from '../../text/regexp.ts'
import { formatTime } from '../../time/format-time.ts'
import { compileStrftime } from '../../time/strftime.ts'
import { utcZone } from '../../time/zones.ts'

/** What an expression works with: a record's values, and what cannot stand in a record. */
export type RubyValue =
  | MsgValue
  | TimeValue
  | RegexpValue
  | MatchValue
  | RangeValue
  | TypeValue
  | RubyValue[]
  | Map<RubyValue, RubyValue>

/** An expression that fails for this event: what Ruby raises there. */
export class ExpressionError extends Error {
  override readonly name = 'ExpressionError'
}

/** Characters of a text, or items of an array, that an expression may make. */
export const madeLimit = 4 * 1024 * 1024

export class TimeValue {
  readonly seconds: number
  readonly nanoseconds: number
  readonly zone: Zone
  constructor(seconds: number, nanoseconds: number, zone: Zone) {
    this.seconds = seconds
    this.nanoseconds = nanoseconds
    this.zone = zone
  }

  /** UTC itself, and not a local time that happens to be the same. */
  get isUtc(): boolean {
    return this.zone === utcZone
  }

  format(format: string): string {
    return formatTime(stepsOf(format), this.zone, this.seconds, this.nanoseconds)
  }
}

/** Formats come from the configuration, as good as always: few. */
const knownFormats = new Map<string, ReturnType<typeof compileStrftime>>()

function stepsOf(format: string): ReturnType<typeof compileStrftime> {
  let steps = knownFormats.get(format)
  if (steps === undefined) {
    if (knownFormats.size >= 100) knownFormats.clear()
    steps = compileStrftime(format)
    knownFormats.set(format, steps)
  }
  return steps
}

export class RegexpValue {
  readonly matcher: LineMatcher
  constructor(matcher: LineMatcher) {
    this.matcher = matcher
  }
}

export class MatchValue {
  readonly text: string
  readonly found: RegexpFound
  readonly matcher: LineMatcher
  constructor(text: string, found: RegexpFound, matcher: LineMatcher) {
    this.text = text
    this.found = found
    this.matcher = matcher
  }

  /** What a group holds; null: nothing, or there is none. */
  group(which: number | string): string | null {
    const number =
      typeof which === 'number' ? which : this.matcher.groupNames.lastIndexOf(which) + 1
    return typeof which === 'string' && number === 0 ? null : (this.found.captures[number] ?? null)
  }
}

export class RangeValue {
  readonly from: number
  /** Included. */
  readonly to: number
  constructor(from: number, to: number) {
    this.from = from
    this.to = to
  }
}

/** The name of a class, for is_a?. */
export class TypeValue {
  readonly type: string
  constructor(type: string) {
    this.type = type
  }
}

export const isText = (value: RubyValue): value is string | RawString | Uint8Array =>
  typeof value === 'string' || value instanceof RawString || value instanceof Uint8Array

export const isInteger = (value: RubyValue): value is number | bigint =>
  typeof value === 'bigint' || (typeof value === 'number' && Number.isInteger(value))

export const isNumber = (value: RubyValue): value is number | bigint | MsgFloat =>
  typeof value === 'number' || typeof value === 'bigint' || value instanceof MsgFloat

export const isTrue = (value: RubyValue): boolean => value !== null && value !== false

/** Ruby's name for what a value is. */
export function typeOf(value: RubyValue): string {
  if (value === null) return 'NilClass'
  if (value === true) return 'TrueClass'
  if (value === false) return 'FalseClass'
  if (isText(value)) return 'String'
  if (isInteger(value)) return 'Integer'
  if (isNumber(value)) return 'Float'
  if (Array.isArray(value)) return 'Array'
  if (value instanceof Map) return 'Hash'
  if (value instanceof TimeValue) return 'Time'
  if (value instanceof RegexpValue) return 'Regexp'
  if (value instanceof MatchValue) return 'MatchData'
  if (value instanceof RangeValue) return 'Range'
  if (value instanceof EventTime) return 'EventTime'
  return value instanceof TypeValue ? 'Class' : 'Object'
}

/** The number as JavaScript has it. */
export function numberOf(value: number | bigint | MsgFloat): number {
  if (value instanceof MsgFloat) return value.value
  return Number(value)
}

/** An integer of any size as a value; beyond 64 bits nothing could hold it. */
export function integer(value: bigint): number | bigint {
  if (value >= -(2n ** 63n) && value < 2n ** 64n) {
    const number = Number(value)
    return Number.isSafeInteger(number) ? number : value
  }
  throw new ExpressionError('an integer is beyond 64 bits')
}

export const float = (value: number): number | MsgFloat => jsonFloat(value)

/** Ruby's to_s. */
export function textOf(value: RubyValue): string {
  if (value instanceof TimeValue) {
    return value.format(value.isUtc ? '%F %T UTC' : '%F %T %z')
  }
  if (value instanceof MatchValue) return value.group(0) ?? ''
  if (value instanceof RegexpValue) return String(value.matcher)
  if (value instanceof RangeValue) return `${value.from}..${value.to}`
  if (value instanceof TypeValue) return value.type
  return fieldText(value as MsgValue)
}

/** What goes into a record. Throws ExpressionError for what cannot. */
export function recordValue(value: RubyValue): MsgValue {
  if (value instanceof TimeValue || value instanceof MatchValue) return textOf(value)
  if (Array.isArray(value)) return (value as RubyValue[]).map(recordValue)
  if (value instanceof Map) {
    const map: MsgMap = new Map()
    for (const [key, item] of value as Map<RubyValue, RubyValue>) {
      map.set(recordValue(key), recordValue(item))
    }
    return map
  }
  const odd =
    value instanceof RegexpValue || value instanceof RangeValue || value instanceof TypeValue
  if (odd) throw new ExpressionError(`a ${typeOf(value)} cannot stand in a record`)
  return value as MsgValue
}

/** Ruby's ==. */
export function isEqual(a: RubyValue, b: RubyValue): boolean {
  if (isNumber(a) && isNumber(b)) return numberOf(a) === numberOf(b)
  if (isText(a) && isText(b)) return textOf(a) === textOf(b)
  if (Array.isArray(a) && Array.isArray(b)) {
    return a.length === b.length && a.every((item, i) => isEqual(item, b[i] as RubyValue))
  }
  if (a instanceof Map && b instanceof Map) {
    const [one, other] = [a, b] as [Map<RubyValue, RubyValue>, Map<RubyValue, RubyValue>]
    if (one.size !== other.size) return false
    return [...one].every(([key, item]) => other.has(key) && isEqual(item, other.get(key) ?? null))
  }
  if (a instanceof TimeValue && b instanceof TimeValue) {
    return a.seconds === b.seconds && a.nanoseconds === b.nanoseconds
  }
  if (a instanceof TypeValue && b instanceof TypeValue) return a.type === b.type
  return a === b
}

/** A text no longer than what may be made. */
export function bounded(text: string): string {
  if (text.length > madeLimit) throw new ExpressionError('a text becomes too long')
  return text
}

/** What Ruby says where a value has no such method. */
export function noMethod(name: string, value: RubyValue): ExpressionError {
  const shown = value === null ? 'nil' : `an instance of ${typeOf(value)}`
  return new ExpressionError(`undefined method '${name}' for ${shown}`)
}

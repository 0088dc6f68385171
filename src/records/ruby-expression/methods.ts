import { hashMethods, listMethods } from './methods-collection.ts'
import { commonMethods, matchMethods, nilMethods, numberMethods } from './methods-number.ts'
import { textMethods } from './methods-text.ts'
import { timeMethods } from './methods-time.ts'
import type { Scope } from './scope.ts'
import { isNumber, isText, MatchValue, noMethod, type RubyValue, TimeValue } from './values.ts'

/** What a method does with what it is called on and its arguments. Throws ExpressionError. */
export type Method = (on: RubyValue, given: readonly RubyValue[], scope: Scope) => RubyValue

export interface MethodEntry {
  readonly least: number
  readonly most: number
  readonly run: Method
}

export type MethodTable = ReadonlyMap<string, MethodEntry>

const tables: readonly MethodTable[] = [
  textMethods,
  numberMethods,
  listMethods,
  hashMethods,
  timeMethods,
  matchMethods,
  nilMethods,
  commonMethods,
]

/** All names, for the check at start. */
export const methodNames: ReadonlySet<string> = new Set(
  tables.flatMap((table) => [...table.keys()]),
)

/** Whether some method of that name takes so many arguments. */
export function takes(name: string, count: number): boolean {
  return tables.some((table) => {
    const entry = table.get(name)
    return entry !== undefined && count >= entry.least && count <= entry.most
  })
}

/** Throws ExpressionError where the value has no such method. */
export function call(
  name: string,
  on: RubyValue,
  given: readonly RubyValue[],
  scope: Scope,
): RubyValue {
  const entry = tableOf(on)?.get(name) ?? commonMethods.get(name)
  if (entry === undefined) throw noMethod(name, on)
  if (given.length < entry.least || given.length > entry.most) throw noMethod(name, on)
  return entry.run(on, given, scope)
}

function tableOf(value: RubyValue): MethodTable | undefined {
  if (isText(value)) return textMethods
  if (isNumber(value)) return numberMethods
  if (value === null) return nilMethods
  if (Array.isArray(value)) return listMethods
  if (value instanceof Map) return hashMethods
  if (value instanceof TimeValue) return timeMethods
  return value instanceof MatchValue ? matchMethods : undefined
}

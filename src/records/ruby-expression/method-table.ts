import type { Method, MethodEntry, MethodTable } from './methods.ts'
import { ExpressionError, isInteger, isText, type RubyValue, textOf, typeOf } from './values.ts'

/** Names with how many arguments they take, `name/0`, `name/1-2`; several names: `a,b/0`. */
export function methodTable(methods: Readonly<Record<string, Method>>): MethodTable {
  const table = new Map<string, MethodEntry>()
  for (const [written, run] of Object.entries(methods)) {
    const [names = '', arity = '0'] = written.split('/')
    const [least = 0, most = least] = arity.split('-').map(Number)
    for (const name of names.split(',')) table.set(name, { least, most, run })
  }
  return table
}

/** An argument that is to be a text. */
export function textArgument(value: RubyValue | undefined): string {
  if (value !== undefined && isText(value)) return textOf(value)
  throw new ExpressionError(`no implicit conversion of ${typeOf(value ?? null)} into String`)
}

export function integerArgument(value: RubyValue | undefined, otherwise?: number): number {
  if (value === undefined && otherwise !== undefined) return otherwise
  if (value !== undefined && isInteger(value)) return Number(value)
  throw new ExpressionError(`no implicit conversion of ${typeOf(value ?? null)} into Integer`)
}

/** Where an index, a start with a length, or a range leads in something so long. undefined: nowhere. */
export function sliceOf(
  length: number,
  from: number,
  count: number,
): { start: number; end: number } | undefined {
  const start = from < 0 ? length + from : from
  if (start < 0 || start > length || count < 0) return undefined
  return { start, end: Math.min(length, start + count) }
}

/** The length of a range that begins at `from`; a negative end counts from the end. */
export function rangeLength(length: number, from: number, to: number): number {
  const start = from < 0 ? length + from : from
  return Math.max(0, (to < 0 ? length + to : to) - start + 1)
}

import { type BoundPlugin, ORIGIN } from '../config/schema.ts'

/**
 * Whether a plugin made from the one section would do what a plugin made from the other does: type,
 * values, and which of them were written. Where the section stands, and the pattern behind
 * `<match`, do not matter. Values that cannot be compared count as different.
 */
export function sameSection(a: BoundPlugin, b: BoundPlugin): boolean {
  return (
    a.definition === b.definition &&
    a.id === b.id &&
    a.label === b.label &&
    a.logLevel === b.logLevel &&
    a.workerCount === b.workerCount &&
    same(a.params, b.params, 0)
  )
}

/** Values are trees as deep as sections nest. */
const depthLimit = 64

function same(a: unknown, b: unknown, depth: number): boolean {
  if (Object.is(a, b)) return true
  if (typeof a !== 'object' || typeof b !== 'object' || a === null || b === null) return false
  const prototype = Object.getPrototypeOf(a)
  if (prototype !== Object.getPrototypeOf(b) || depth > depthLimit) return false
  if (Array.isArray(a)) return sameItems(a, b as unknown[], depth)
  if (a instanceof Map) return sameItems([...a], [...(b as Map<unknown, unknown>)], depth)
  if (a instanceof RegExp) return String(a) === String(b)
  // Other objects may have a state that does not show.
  if (prototype !== Object.prototype && prototype !== null) return false
  return sameFields(a as Fields, b as Fields, depth)
}

type Fields = Readonly<Record<string, unknown>> & { readonly [ORIGIN]?: { values: object } }

function sameItems(a: readonly unknown[], b: readonly unknown[], depth: number): boolean {
  return a.length === b.length && a.every((item, index) => same(item, b[index], depth + 1))
}

function sameFields(a: Fields, b: Fields, depth: number): boolean {
  if (isPlugin(a) !== isPlugin(b)) return false
  const names = Object.keys(a).filter((name) => name !== 'position')
  if (names.length !== Object.keys(b).filter((name) => name !== 'position').length) return false
  if (!sameItems(writtenIn(a), writtenIn(b), depth)) return false
  return names.every((name) => {
    if (!Object.hasOwn(b, name)) return false
    // A definition has functions, and is the same object in both.
    return name === 'definition' ? a[name] === b[name] : same(a[name], b[name], depth + 1)
  })
}

function isPlugin(fields: Fields): boolean {
  return 'definition' in fields && 'params' in fields
}

/** Names of the parameters that the file has: plugins look at that too. */
function writtenIn(fields: Fields): string[] {
  const values = (fields[ORIGIN]?.values ?? {}) as Record<string, unknown>
  return Object.keys(values)
    .filter((name) => values[name] !== undefined)
    .sort()
}

import { ORIGIN, type Shape } from '../../src/config/schema.ts'
import type { Position } from '../../src/core/errors.ts'
import { compileRegexp } from '../../src/text/regexp.ts'

const camelCase = (name: string) =>
  name.replace(/^@/, '').replace(/_([a-z0-9])/g, (_, c: string) => c.toUpperCase())

/** A place for the value of that name, so that a test sees which one an error points at. */
export function placeOf(name: string): Position {
  return { file: 'test.conf', line: 1, column: 1, length: 1, text: name }
}

/**
 * Bound parameters as binding gives them, from values: defaults filled in, and what `values` has (by Fluentd's names) marked
 * as written; texts of regexp parameters are compiled. Sections that are not given are undefined, or empty where there may be several.
 */
export function boundParams(shape: Shape, values: Readonly<Record<string, unknown>> = {}): never {
  const bound: Record<string | symbol, unknown> = {}
  const places: Record<string, Position> = {}
  for (const [name, param] of Object.entries(shape.params)) {
    bound[camelCase(name)] = param.options.default
  }
  for (const [name, section] of Object.entries(shape.sections ?? {})) {
    bound[camelCase(name)] = section.options.multi === true ? [] : undefined
  }
  for (const [name, value] of Object.entries(values)) {
    const key = camelCase(name)
    if (!(key in bound)) throw new Error(`${name} is not declared`)
    const compiled = shape.params[name]?.kind === 'regexp' && typeof value === 'string'
    bound[key] = compiled ? compileRegexp(value, placeOf(name)) : value
    places[key] = placeOf(name)
  }
  const origin = { section: placeOf('section'), values: places }
  return Object.defineProperty(bound, ORIGIN, { value: origin }) as never
}

import parse from 'yargs-parser'
import type { OptionSpec } from './options.ts'

/** The command line has something that cannot be understood. */
export class UsageError extends Error {
  override readonly name = 'UsageError'
}

export interface ParsedOptions {
  flag(name: string): boolean
  count(name: string): number
  /** '' for an optional value that was left out. */
  text(name: string): string | undefined
  /** All values of an option that may stand several times. */
  list(name: string): readonly string[]
  /** Throws UsageError unless it is a whole number in the range. */
  integer(name: string, range: { min: number; max: number }): number | undefined
  /** Options that were written, in the table's order. */
  readonly written: readonly OptionSpec[]
  readonly positionals: readonly string[]
}

/** Reads `args` by the table. Throws UsageError for unknown options and missing values. */
export function parseOptions(specs: readonly OptionSpec[], args: readonly string[]): ParsedOptions {
  const names = (...kinds: OptionSpec['kind'][]) =>
    specs.filter((spec) => kinds.includes(spec.kind)).map((spec) => spec.name)
  const withValue = names('value', 'list')
  const outcome = parse.detailed(expand(specs, args), {
    alias: Object.fromEntries(
      specs.flatMap(({ name, short }) => (short === undefined ? [] : [[name, short]])),
    ),
    boolean: names('flag'),
    count: names('count'),
    string: names('value', 'optional', 'list'),
    narg: Object.fromEntries(withValue.map((name) => [name, 1])),
    configuration: {
      'boolean-negation': false,
      'camel-case-expansion': false,
      'dot-notation': false,
      'duplicate-arguments-array': true,
      'nargs-eats-options': true,
      'parse-numbers': false,
      'parse-positional-numbers': false,
    },
  })
  if (outcome.error !== null) throw new UsageError(outcome.error.message)
  const values = outcome.argv as Record<string, unknown>
  const known = new Set(specs.flatMap(({ name, short }) => [name, short]))
  for (const key of Object.keys(values)) {
    if (key !== '_' && key !== '--' && !known.has(key)) {
      throw new UsageError(`unknown option ${key.length === 1 ? '-' : '--'}${key}`)
    }
  }

  const text = (name: string): string | undefined => {
    const value = values[name]
    return value === undefined ? undefined : String(Array.isArray(value) ? value.at(-1) : value)
  }
  const isWritten = ({ name, kind }: OptionSpec): boolean =>
    kind === 'count' ? Number(values[name] ?? 0) > 0 : values[name] !== undefined
  return {
    flag: (name) => text(name) === 'true',
    count: (name) => Number(values[name] ?? 0),
    text,
    list: (name) => [values[name] ?? []].flat().map(String),
    integer(name, { min, max }) {
      const written = text(name)
      if (written === undefined) return undefined
      const value = /^\d{1,15}$/.test(written) ? Number(written) : Number.NaN
      if (value >= min && value <= max) return value
      throw new UsageError(
        `--${name} expects a whole number from ${min} to ${max}, not "${written}"`,
      )
    },
    written: specs.filter(isWritten),
    positionals: outcome.argv._.map(String),
  }
}

/** `-cPATH` → `-c PATH`, `-vc PATH` → `-v -c PATH`: bundles as Ruby's OptionParser reads them. */
function expand(specs: readonly OptionSpec[], args: readonly string[]): string[] {
  const byShort = new Map(specs.map((spec) => [spec.short, spec]))
  const expanded: string[] = []
  let valueNext = false
  for (const arg of args) {
    if (valueNext || !/^-[^-]./.test(arg)) {
      expanded.push(arg)
      valueNext = !valueNext && takesValue(specs, arg)
      continue
    }
    for (let at = 1; at < arg.length; at++) {
      const letter = arg[at] as string
      expanded.push(`-${letter}`)
      const kind = byShort.get(letter)?.kind
      if (kind === 'flag' || kind === 'count') continue
      const rest = arg.slice(at + 1)
      if (rest !== '') expanded.push(rest)
      valueNext = rest === '' && (kind === 'value' || kind === 'list')
      break
    }
  }
  return expanded
}

function takesValue(specs: readonly OptionSpec[], arg: string): boolean {
  return specs.some(
    ({ name, short, kind }) =>
      (kind === 'value' || kind === 'list') && (arg === `--${name}` || arg === `-${short}`),
  )
}

import { didYouMean } from '../config/suggest.ts'
import { ConfigError, type Position } from '../core/errors.ts'

/** Patterns that one expression may be put together of, and its longest form. */
const expansionLimit = 2000
const lengthLimit = 256 * 1024

/** `%{NAME}`, `%{NAME:field}`, `%{NAME:field:type}`. */
const reference =
  /%\{([A-Za-z0-9_]+)(?::([@[\]A-Za-z0-9_:.-]+?)(?::(string|bool|integer|float|time(?::.+?)?|array(?::.)?))?)?\}/

export interface Expanded {
  /** A regular expression with the fields as its named groups. */
  readonly source: string
  /** By field. */
  readonly types: Readonly<Record<string, string>>
}

/** Puts the patterns in the place of their names, inside of patterns too. Throws ConfigError. */
export function expandGrok(
  written: string,
  patterns: ReadonlyMap<string, string>,
  position: Position | undefined,
): Expanded {
  const types: Record<string, string> = Object.create(null)
  let source = written
  for (let count = 0; ; count++) {
    const found = reference.exec(source)
    if (found === null) return { source, types }
    if (count > expansionLimit || source.length > lengthLimit) {
      throw new ConfigError(`the grok pattern is too long: ${written.slice(0, 100)}`, {
        position,
        hint: 'a pattern that names itself, or others that do, never ends',
      })
    }
    const [all, name = '', field, type] = found
    const pattern = patterns.get(name)
    if (pattern === undefined) {
      throw new ConfigError(`grok pattern not found: %{${name}}`, {
        position,
        hint:
          didYouMean(name, patterns.keys()) ??
          'custom_pattern_path names a file with patterns of your own',
      })
    }
    let group = `(?:${pattern})`
    if (field !== undefined) {
      const key = plainName(field)
      types[key] = type ?? 'string'
      group = `(?<${key}>${pattern})`
    }
    source = source.slice(0, found.index) + group + source.slice(found.index + all.length)
  }
}

/** `[source][address]` is the field source.address. */
function plainName(field: string): string {
  return /^\[.*\]$/.test(field) ? field.slice(1, -1).split('][').join('.') : field
}

/** Lines of a patterns file: a name, blanks, an expression. */
export function readPatterns(text: string): [string, string][] {
  return text.split(/\r?\n/).flatMap((line): [string, string][] => {
    const parts = line.startsWith('#') ? null : /^(\S+)\s+(.*)$/.exec(line)
    return parts === null ? [] : [[parts[1] as string, parts[2] as string]]
  })
}

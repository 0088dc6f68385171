import { ConfigError } from '../core/errors.ts'
import { compileRegexp } from '../text/regexp.ts'
import { jsonProblem } from './json-check.ts'
import type { Param, ParamKind } from './schema.ts'

/**
 * Texts → values, by Fluentd's types (lib/fluent/config/types.rb). Where Fluentd takes what it can
 * find in a text ("12abc" is 12, "1.5h" is 5 hours, "maybe" is nil) we refuse: those are accidents.
 */

export type ValueOutcome =
  | { readonly ok: true; readonly value: unknown }
  /** `expected` completes "'name' …"; `hint` is a sentence. */
  | { readonly ok: false; readonly problem: string; readonly hint?: string | undefined }

const maxItems = 100_000

/** Parses `text` for a parameter. Does not run `options.check`. */
export function parseValue(param: Param<unknown>, text: string): ValueOutcome {
  switch (param.kind) {
    case 'enum':
      return enumValue(param.values ?? [], text)
    case 'array':
      return arrayValue(param.items ?? 'string', text)
    case 'hash':
      return hashValue(text)
    default:
      return scalarValue(param.kind, text)
  }
}

function good(value: unknown): ValueOutcome {
  return { ok: true, value }
}

function bad(problem: string, hint?: string): ValueOutcome {
  return { ok: false, problem, hint }
}

function shown(text: string): string {
  const cut = text.length > 60 ? `${text.slice(0, 60)}…` : text
  return text === '' ? 'nothing' : `\`${cut.replace(/[\u0000-\u001f\u007f-\u009f]/g, ' ')}\``
}

function scalarValue(kind: ParamKind, text: string): ValueOutcome {
  switch (kind) {
    case 'integer':
      return integerValue(text)
    case 'float':
      return floatValue(text)
    case 'bool':
      return boolValue(text)
    case 'size':
      return sizeValue(text)
    case 'time':
      return timeValue(text)
    case 'regexp':
      return regexpValue(text)
    default:
      return good(text)
  }
}

/** Underscores between digits as in Ruby; hexadecimal too. */
function integerValue(text: string): ValueOutcome {
  const plain = text.trim().replace(/(?<=[0-9a-fA-F])_(?=[0-9a-fA-F])/g, '')
  const hex = /^([-+]?)0[xX]([0-9a-fA-F]+)$/.exec(plain)
  if (hex === null && !/^[-+]?[0-9]+$/.test(plain)) {
    return bad(`must be an integer, but got ${shown(text)}`, fractionHint(plain))
  }
  const value = hex === null ? Number(plain) : Number(`0x${hex[2]}`) * (hex[1] === '-' ? -1 : 1)
  if (!Number.isSafeInteger(value))
    return bad(`must be an integer up to 2^53, but got ${shown(text)}`)
  return good(value === 0 ? 0 : value)
}

function fractionHint(text: string): string | undefined {
  if (/^[-+]?[0-9]+\s*[a-zA-Z]+$/.test(text)) return 'it takes no unit: write the digits alone'
  return undefined
}

function floatValue(text: string): ValueOutcome {
  const plain = text.trim().replace(/(?<=[0-9])_(?=[0-9])/g, '')
  if (!/^[-+]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][-+]?[0-9]+)?$/.test(plain)) {
    return bad(`must be a number, but got ${shown(text)}`)
  }
  const value = Number(plain)
  return Number.isFinite(value)
    ? good(value)
    : bad(`must be a finite number, but got ${shown(text)}`)
}

function boolValue(text: string): ValueOutcome {
  // A comment in place of a value is how Fluentd reads `param # words`.
  if (text === '' || text.startsWith('#')) return good(true)
  if (text === 'true' || text === 'yes' || text === 'on') return good(true)
  if (text === 'false' || text === 'no' || text === 'off') return good(false)
  const lower = text.trim().toLowerCase()
  const hint =
    boolWords.has(lower) && lower !== text ? `write it in lower case: ${lower}` : undefined
  return bad(`parameter is required to be true or false (yes or no), but got ${shown(text)}`, hint)
}
const boolWords = new Set(['true', 'yes', 'on', 'false', 'no', 'off'])

const sizeUnits: Readonly<Record<string, number>> = {
  '': 1,
  k: 1024,
  m: 1024 ** 2,
  g: 1024 ** 3,
  t: 1024 ** 4,
}

/**
 * Bytes: `8m`, `1G`, `512k`, `2t`, `100`; a `b` or `ib` behind the unit is taken as well, as
 * Fluentd does.
 */
function sizeValue(text: string): ValueOutcome {
  const parts = /^([-+]?[0-9][0-9_]*)([kmgt]?)(i?b)?$/i.exec(text.trim())
  const unit = sizeUnits[(parts?.[2] ?? '').toLowerCase()]
  if (parts === null || unit === undefined || (parts[1]!.startsWith('-') && unit > 1)) {
    const fraction = /^[0-9]*\.[0-9]+[kmgt]/i.test(text.trim())
    return bad(
      `must be a size such as 8m, 512k, 1g or a number of bytes, but got ${shown(text)}`,
      fraction ? 'a size has no fraction: use the next smaller unit' : undefined,
    )
  }
  const value = Number(parts[1]!.replaceAll('_', '')) * unit
  return Number.isSafeInteger(value) ? good(value) : bad(`is too large: ${shown(text)}`)
}

const timeUnits: Readonly<Record<string, number>> = { '': 1, s: 1, m: 60, h: 3600, d: 86_400 }

/** Seconds: `10s`, `5m`, `1h`, `2d`, `0.5`; fractions with a unit mean what they say. */
function timeValue(text: string): ValueOutcome {
  const parts = /^([-+]?(?:[0-9][0-9_]*\.?[0-9]*|\.[0-9]+)(?:[eE][-+]?[0-9]+)?)([smhd]?)$/.exec(
    text.trim(),
  )
  const value = parts && Number(parts[1]!.replaceAll('_', '')) * timeUnits[parts[2]!]!
  if (parts === null || value === null || (value < 0 && parts[2] !== '')) {
    const hint = /^[0-9]+\s*ms$/.test(text)
      ? 'there is no unit for milliseconds: 500 ms are 0.5'
      : /^[0-9.]+\s*[SMHD]$/.test(text)
        ? 'units are lower case'
        : undefined
    return bad(
      `must be a time such as 10s, 5m, 1h, 2d or a number of seconds, but got ${shown(text)}`,
      hint,
    )
  }
  return Number.isFinite(value) ? good(value) : bad(`must be a finite time, but got ${shown(text)}`)
}

/** `/…/imx`; without slashes the whole text is the expression. */
function regexpValue(text: string): ValueOutcome {
  try {
    return good(compileRegexp(text))
  } catch (thrown) {
    if (!(thrown instanceof ConfigError)) throw thrown
    return bad(`must be a regular expression: ${thrown.message}`, thrown.hint)
  }
}

function enumValue(values: readonly string[], text: string): ValueOutcome {
  return values.includes(text)
    ? good(text)
    : bad(`must be one of ${values.join(', ')} but got ${text === '' ? 'nothing' : text}`)
}

/** Ruby's split by commas: blanks around them fall away, so do empty items at the end. */
function splitCommas(text: string): string[] {
  const trimmed = text.trim()
  if (trimmed === '') return []
  const items = trimmed.split(',').map((item) => item.trim())
  while (items.at(-1) === '') items.pop()
  return items
}

function arrayValue(items: ParamKind, text: string): ValueOutcome {
  const json = text.startsWith('[')
  const problem = json ? jsonProblem(text) : undefined
  if (problem !== undefined) {
    return bad(`must be an array: ${problem}`, 'an array looks like a,b,c or ["a", "b", "c"]')
  }
  const list: unknown = json ? JSON.parse(text) : splitCommas(text)
  const given = list as readonly unknown[]
  if (given.length > maxItems) return bad(`has more than ${maxItems} items`)
  const out: unknown[] = []
  for (const item of given) {
    const outcome = scalarValue(items, textOf(item))
    if (!outcome.ok) return bad(`${outcome.problem} (in the array)`, outcome.hint)
    out.push(outcome.value)
  }
  return good(out)
}

function textOf(item: unknown): string {
  if (item === null) return ''
  return typeof item === 'object' ? JSON.stringify(item) : String(item)
}

/** Objects without a prototype, so that `__proto__` is a key like others. */
function hashValue(text: string): ValueOutcome {
  const hint = 'a hash looks like {"key": "value"} or key:value,other:value'
  const out: Record<string, unknown> = Object.create(null)
  if (!text.startsWith('{')) {
    for (const pair of splitCommas(text)) {
      const colon = pair.indexOf(':')
      if (colon < 0) return bad(`must be a hash, but \`${pair}\` has no colon`, hint)
      out[pair.slice(0, colon)] = pair.slice(colon + 1)
    }
    return good(out)
  }
  const problem = jsonProblem(text)
  if (problem !== undefined) return bad(`must be a hash: ${problem}`, hint)
  return good(
    JSON.parse(text, (_key, value: unknown) =>
      value !== null && typeof value === 'object' && !Array.isArray(value)
        ? Object.assign(Object.create(null), value)
        : value,
    ),
  )
}

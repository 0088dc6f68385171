import { type RegexpFound, RegexpInputError } from '../../text/regexp.ts'
import { fillReplacement, parseReplacement, replaceFound } from '../../text/replace.ts'
import { toFloat, toInteger } from '../../text/ruby-number.ts'
import { splitText } from '../../text/split.ts'
import { integerArgument, methodTable, rangeLength, sliceOf, textArgument } from './method-table.ts'
import { compare } from './operators.ts'
import type { Scope } from './scope.ts'
import {
  bounded,
  ExpressionError,
  float,
  integer,
  isInteger,
  MatchValue,
  madeLimit,
  RangeValue,
  RegexpValue,
  type RubyValue,
  textOf,
} from './values.ts'

/** White space as Ruby strips it. */
const blanks = new Set('\0\t\n\v\f\r ')

function stripped(text: string, sides: { left: boolean; right: boolean }): string {
  let start = 0
  let end = text.length
  while (sides.left && start < end && blanks.has(text[start] as string)) start++
  while (sides.right && end > start && blanks.has(text[end - 1] as string)) end--
  return text.slice(start, end)
}

type On = (text: string, given: readonly RubyValue[], scope: Scope) => RubyValue

/** Runs an expression's work; a text too long for it is an error of the event. */
export function tried<T>(run: () => T): T {
  try {
    return run()
  } catch (error) {
    if (error instanceof RegexpInputError) throw new ExpressionError(error.message)
    throw error
  }
}

/** The first find, which becomes $~. */
export function find(pattern: RubyValue, text: string, scope: Scope): MatchValue | null {
  if (!(pattern instanceof RegexpValue))
    throw new ExpressionError('wrong argument type (expected Regexp)')
  const { matcher } = pattern
  const found = tried(() => matcher.find(text))
  scope.lastMatch = found === undefined ? null : new MatchValue(text, found, matcher)
  return scope.lastMatch
}

/** What [] and slice give. */
function part(text: string, given: readonly RubyValue[], scope: Scope): RubyValue {
  const [which, more] = given
  if (which instanceof RegexpValue) {
    const match = find(which, text, scope)
    if (match === null) return null
    if (more === undefined) return match.group(0)
    return match.group(isInteger(more) ? Number(more) : textArgument(more))
  }
  if (which !== undefined && typeof which === 'string') return text.includes(which) ? which : null
  const chars = [...text]
  if (which instanceof RangeValue) {
    return cut(chars, which.from, rangeLength(chars.length, which.from, which.to))
  }
  const from = integerArgument(which)
  if (more !== undefined) return cut(chars, from, integerArgument(more))
  return chars.at(from) ?? null
}

function cut(chars: readonly string[], from: number, count: number): string | null {
  const place = sliceOf(chars.length, from, count)
  return place === undefined ? null : chars.slice(place.start, place.end).join('')
}

/** gsub and sub: a text or expression, and a replacement or a table of them. */
function replaced(text: string, given: readonly RubyValue[], all: boolean): string {
  const [pattern, replacement] = given
  const table = replacement instanceof Map ? replacement : undefined
  const byTable = (found: string) => textOf(table?.get(found) ?? null)
  if (pattern instanceof RegexpValue) {
    const { matcher } = pattern
    const parts = table === undefined ? parseReplacement(textArgument(replacement), matcher) : []
    const fill = (found: RegexpFound) =>
      table === undefined ? fillReplacement(parts, found) : byTable(found.captures[0] ?? '')
    let made = 0
    return tried(() =>
      replaceFound(
        text,
        matcher,
        (found) => {
          const filled = fill(found)
          made += filled.length
          if (made > madeLimit) throw new ExpressionError('a text becomes too long')
          return filled
        },
        { all },
      ),
    )
  }
  const wanted = textArgument(pattern)
  const filled =
    table === undefined ? plainReplacement(textArgument(replacement), wanted) : byTable(wanted)
  if (!all) {
    const at = text.indexOf(wanted)
    return at < 0 ? text : text.slice(0, at) + filled + text.slice(at + wanted.length)
  }
  const parts = wanted === '' ? ['', ...text, ''] : text.split(wanted)
  if (parts.length * filled.length + text.length > madeLimit) {
    throw new ExpressionError('a text becomes too long')
  }
  return parts.join(filled)
}

/** \0 and \\ mean something beside a plain text too. */
function plainReplacement(written: string, wanted: string): string {
  return written.replace(/\\(?:([0-9&])|(\\))/g, (_, group: string | undefined) => {
    if (group === undefined) return '\\'
    return group === '0' || group === '&' ? wanted : ''
  })
}

/** The characters of tr's and delete's lists: `a-z`, `^…`. */
function charList(list: string): { chars: string[]; negated: boolean } {
  const negated = list.length > 1 && list.startsWith('^')
  const given = [...(negated ? list.slice(1) : list)]
  const chars: string[] = []
  for (let i = 0; i < given.length; i++) {
    const from = given[i] as string
    const to = given[i + 2]
    if (given[i + 1] !== '-' || to === undefined) {
      chars.push(from)
      continue
    }
    const first = from.codePointAt(0) as number
    const last = to.codePointAt(0) as number
    if (last < first)
      throw new ExpressionError(`invalid range "${from}-${to}" in string transliteration`)
    for (let code = first; code <= Math.min(last, first + 0xffff); code++) {
      chars.push(String.fromCodePoint(code))
    }
    i += 2
  }
  return { chars, negated }
}

function transliterate(text: string, from: string, to: string): string {
  const { chars, negated } = charList(from)
  const target = charList(to).chars
  const last = target.at(-1) ?? ''
  const set = new Map(chars.map((char, i) => [char, target[i] ?? last]))
  return [...text]
    .map((char) => (negated ? (set.has(char) ? char : last) : (set.get(char) ?? char)))
    .join('')
}

function without(text: string, list: string): string {
  const { chars, negated } = charList(list)
  const set = new Set(chars)
  return [...text].filter((char) => set.has(char) === negated).join('')
}

function split(text: string, given: readonly RubyValue[]): RubyValue {
  const [pattern, limit] = given
  const most = integerArgument(limit, 0)
  if (pattern instanceof RegexpValue) {
    if (most > 0) throw new ExpressionError('split by an expression takes no limit here')
    return tried(() => pattern.matcher.split(text))
  }
  const by = pattern === undefined || pattern === null ? ' ' : textArgument(pattern)
  if (most <= 0) {
    if (by === '') return [...text]
    return most < 0 ? text.split(by) : splitText(text, by)
  }
  const parts = text.split(by)
  if (parts.length <= most) return parts
  return [...parts.slice(0, most - 1), parts.slice(most - 1).join(by)]
}

function padded(text: string, given: readonly RubyValue[], side: 'left' | 'right'): string {
  const width = integerArgument(given[0])
  const pad = given[1] === undefined ? ' ' : textArgument(given[1])
  const missing = width - [...text].length
  if (missing <= 0) return text
  if (pad === '') throw new ExpressionError('zero width padding')
  if (width > madeLimit) throw new ExpressionError('a text becomes too long')
  const filling = [...pad.repeat(Math.ceil(missing / pad.length))].slice(0, missing).join('')
  return side === 'left' ? filling + text : text + filling
}

function numeral(text: string, base: number): RubyValue {
  if (base === 10) return toInteger(text)
  if (base < 2 || base > 36) throw new ExpressionError(`invalid radix ${base}`)
  const found =
    /^\s*([+-]?)(?:0[xX](?=[0-9a-fA-F])|0[bB](?=[01])|0[oO](?=[0-7]))?([0-9a-zA-Z_]+)/.exec(
      text.slice(0, 100),
    )
  let value = 0n
  for (const char of (found?.[2] ?? '').replaceAll('_', '')) {
    const digit = Number.parseInt(char, 36)
    if (digit >= base) break
    value = value * BigInt(base) + BigInt(digit)
  }
  return integer(found?.[1] === '-' ? -value : value)
}

const capital = (text: string) => {
  const first = String.fromCodePoint(text.codePointAt(0) ?? 0)
  return text === '' ? '' : first.toUpperCase() + text.slice(first.length).toLowerCase()
}

function occurs(
  text: string,
  given: readonly RubyValue[],
  test: (text: string, other: string) => boolean,
): boolean {
  return given.some((other) => test(text, textArgument(other)))
}

const onText: Readonly<Record<string, On>> = {
  'upcase/0': (text) => text.toUpperCase(),
  'downcase/0': (text) => text.toLowerCase(),
  'capitalize/0': capital,
  'swapcase/0': (text) =>
    [...text].map((c) => (c === c.toUpperCase() ? c.toLowerCase() : c.toUpperCase())).join(''),
  'strip/0': (text) => stripped(text, { left: true, right: true }),
  'lstrip/0': (text) => stripped(text, { left: true, right: false }),
  'rstrip/0': (text) => stripped(text, { left: false, right: true }),
  'chomp/0-1': (text, [end]) => {
    if (end === undefined) return text.replace(/(?:\r\n|\r|\n)$/, '')
    const suffix = textArgument(end)
    return text.endsWith(suffix) ? text.slice(0, text.length - suffix.length) : text
  },
  'chop/0': (text) => [...text].slice(0, -1).join(''),
  'chars/0': (text) => [...text],
  'lines/0': (text) => text.match(/[^\n]*\n|[^\n]+/g) ?? [],
  'reverse/0': (text) => [...text].reverse().join(''),
  'length,size/0': (text) => [...text].length,
  'bytesize/0': (text) => Buffer.byteLength(text),
  'empty?/0': (text) => text === '',
  'include?/1': (text, [other]) => text.includes(textArgument(other)),
  'start_with?/1-9': (text, given, scope) =>
    given.some((other) =>
      other instanceof RegexpValue
        ? find(other, text, scope)?.found.start === 0
        : text.startsWith(textArgument(other)),
    ),
  'end_with?/1-9': (text, given) => occurs(text, given, (a, b) => a.endsWith(b)),
  'delete_prefix/1': (text, [other]) => {
    const prefix = textArgument(other)
    return text.startsWith(prefix) ? text.slice(prefix.length) : text
  },
  'delete_suffix/1': (text, [other]) => {
    const suffix = textArgument(other)
    return text.endsWith(suffix) ? text.slice(0, text.length - suffix.length) : text
  },
  'casecmp?/1': (text, [other]) => text.toLowerCase() === textArgument(other).toLowerCase(),
  'index/1': (text, [other], scope) => {
    const at =
      other instanceof RegexpValue
        ? (find(other, text, scope)?.found.start ?? -1)
        : text.indexOf(textArgument(other))
    return at < 0 ? null : [...text.slice(0, at)].length
  },
  '[],slice/1-2': part,
  'gsub/2': (text, given) => replaced(text, given, true),
  'sub/2': (text, given) => replaced(text, given, false),
  'tr/2': (text, [from, to]) => transliterate(text, textArgument(from), textArgument(to)),
  'delete/1': (text, [list]) => without(text, textArgument(list)),
  'split/0-2': split,
  'partition/1': (text, [other]) => {
    const by = textArgument(other)
    const at = text.indexOf(by)
    return at < 0 ? [text, '', ''] : [text.slice(0, at), by, text.slice(at + by.length)]
  },
  'rpartition/1': (text, [other]) => {
    const by = textArgument(other)
    const at = text.lastIndexOf(by)
    return at < 0 ? ['', '', text] : [text.slice(0, at), by, text.slice(at + by.length)]
  },
  'ljust/1-2': (text, given) => padded(text, given, 'right'),
  'rjust/1-2': (text, given) => padded(text, given, 'left'),
  'match/1': (text, [pattern], scope) => find(pattern ?? null, text, scope),
  'match?/1': (text, [pattern]) => {
    if (!(pattern instanceof RegexpValue)) return text.includes(textArgument(pattern))
    return tried(() => pattern.matcher.test(text))
  },
  'scan/1': (text, [pattern]) => scan(text, pattern ?? null),
  'to_i/0-1': (text, [base]) => numeral(text, integerArgument(base, 10)),
  'to_f/0': (text) => float(toFloat(text)),
  'hex/0': (text) => numeral(text, 16),
  'to_str,scrub/0': (text) => text,
  'force_encoding,encode/1': (text, [name]) => {
    if (/^utf-?8$/i.test(textArgument(name))) return text
    throw new ExpressionError('texts are UTF-8 here')
  },
  'concat/1': (text, [other]) => bounded(text + textArgument(other)),
  '<=>/1': (text, [other]) => compare(text, other ?? null) ?? null,
}

function scan(text: string, pattern: RubyValue): RubyValue {
  if (!(pattern instanceof RegexpValue)) {
    const wanted = textArgument(pattern)
    return wanted === '' ? [] : Array.from({ length: text.split(wanted).length - 1 }, () => wanted)
  }
  const found: RubyValue[] = []
  tried(() =>
    replaceFound(text, pattern.matcher, ({ captures }) => {
      const groups = captures.slice(1).map((group) => group ?? null)
      found.push(groups.length === 0 ? (captures[0] ?? '') : groups)
      return ''
    }),
  )
  return found
}

export const textMethods = methodTable(
  Object.fromEntries(
    Object.entries(onText).map(([name, run]) => [
      name,
      (on: RubyValue, given: readonly RubyValue[], scope: Scope) => run(textOf(on), given, scope),
    ]),
  ),
)

import { type CharSet, range, type SetItem, union } from './regexp-syntax.ts'

/** Character classes by name. \d, \w, \s, \h are ASCII in Ruby; [[:…:]] and \p{…} are Unicode. */

const property = (name: string, negated = false): SetItem => ({
  kind: 'property',
  property: name,
  negated,
})
const digits = [range(0x30, 0x39)]
const hexDigits = [range(0x30, 0x39), range(0x41, 0x46), range(0x61, 0x66)]
const asciiWord = [range(0x30, 0x39), range(0x41, 0x5a), range(0x5f), range(0x61, 0x7a)]
const asciiSpace = [range(0x09, 0x0d), range(0x20)]

/** What counts as a letter for \b, which is Unicode in Ruby. */
export const wordProperties = ['L', 'M', 'N', 'Pc'] as const

/** `[[:name:]]` and `\p{name}`. Names are lower-case. */
const named: ReadonlyMap<string, readonly SetItem[]> = new Map([
  ['alnum', [property('Alphabetic'), property('Nd')]],
  ['alpha', [property('Alphabetic')]],
  ['ascii', [range(0, 0x7f)]],
  ['any', [range(0, 0x10ffff)]],
  ['blank', [range(0x09), property('Zs')]],
  ['cntrl', [property('Cc')]],
  ['digit', [property('Nd')]],
  ['lower', [property('Lowercase')]],
  [
    'punct',
    [property('P'), range(0x24), range(0x2b), range(0x3c, 0x3e), range(0x5e), range(0x60)].concat([
      range(0x7c),
      range(0x7e),
    ]),
  ],
  ['space', [property('White_Space')]],
  ['upper', [property('Uppercase')]],
  ['xdigit', hexDigits],
  ['word', wordProperties.map((name) => property(name))],
  ['graph', [{ kind: 'set', set: union(notGraph(), true) } as const]],
  ['print', [{ kind: 'set', set: union(notGraph(), true) } as const, property('Zs')]],
])

function notGraph(): SetItem[] {
  return [property('White_Space'), property('Cc'), property('Cn'), property('Cs')]
}

/** \d \w \s \h and their opposites; undefined if the letter is none of them. */
export function escapedClass(letter: string): CharSet | undefined {
  const items = { d: digits, w: asciiWord, s: asciiSpace, h: hexDigits }[letter.toLowerCase()]
  if (items === undefined) return undefined
  return union(items, letter !== letter.toLowerCase())
}

/** `[[:alpha:]]`, `[[:^alpha:]]`; undefined if there is no such class. */
export function posixClass(name: string, negated: boolean): CharSet | undefined {
  if (name === 'any') return undefined
  const items = named.get(name)
  return items === undefined ? undefined : union(items, negated)
}

/** \p{Alpha}, \p{Lu}, \p{Hiragana}; case, spaces, - and _ in names do not matter. undefined: unknown. */
export function propertyClass(written: string, negated: boolean): CharSet | undefined {
  const plain = written.toLowerCase().replace(/[ _-]/g, '')
  const items = named.get(plain)
  if (items !== undefined) return union(items, negated)
  const words = written
    .split(/[ _-]/)
    .map((word) => word.slice(0, 1).toUpperCase() + word.slice(1).toLowerCase())
    .join('_')
  for (const name of [words, `Script=${words}`, written]) {
    if (isProperty(name)) return union([property(name)], negated)
  }
  return undefined
}

function isProperty(name: string): boolean {
  if (!/^[A-Za-z0-9_=]+$/.test(name)) return false
  try {
    return new RegExp(`\\p{${name}}`, 'u').source !== ''
  } catch {
    // The engine knows no such property: that is the answer.
    return false
  }
}

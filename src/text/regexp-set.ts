import { escapedClass, posixClass } from './regexp-classes.ts'
import { readEscape } from './regexp-escape.ts'
import { type CharSet, type RegexpSyntaxError, range, type SetItem } from './regexp-syntax.ts'

/** The place in an expression that is being read. */
export interface Cursor {
  readonly source: string
  at: number
  error(message: string, at?: number): RegexpSyntaxError
  /** Reads \p{…} whose p stands at the cursor. */
  property(): CharSet
}

/** Sets inside each other. */
const setDepthLimit = 50

/** Reads `[…]` to its end; the cursor stands behind the opening bracket. */
export function readSet(cursor: Cursor, start: number, depth = 0): CharSet {
  if (depth > setDepthLimit) throw cursor.error('sets are nested too deep', start)
  const { source } = cursor
  const negated = source[cursor.at] === '^'
  if (negated) cursor.at += 1
  const parts: SetItem[][] = [[]]
  // A closing bracket in first place is itself, where another one follows.
  let first = source[cursor.at] === ']' && source.indexOf(']', cursor.at + 1) >= 0
  for (;;) {
    const items = parts[parts.length - 1] as SetItem[]
    if (cursor.at >= source.length) throw cursor.error('premature end of char-class', start)
    if (source[cursor.at] === ']' && !first) break
    if (source.startsWith('&&', cursor.at)) {
      cursor.at += 2
      parts.push([])
      continue
    }
    const before = cursor.at
    const item = readItem(cursor, start, depth)
    first = false
    if (Array.isArray(item)) items.push(...item)
    else if (item.kind === 'range') items.push(readRange(cursor, item.from, before, start, depth))
    else items.push(item)
  }
  cursor.at += 1
  if (parts.length === 1 && parts[0]?.length === 0) throw cursor.error('empty char-class', start)
  return { negated, parts }
}

/** `from` was read; a `-` with a character behind it makes it a range. */
function readRange(
  cursor: Cursor,
  from: number,
  at: number,
  start: number,
  depth: number,
): SetItem {
  const { source } = cursor
  const next = source[cursor.at + 1]
  const isRange = source[cursor.at] === '-' && next !== undefined && next !== ']'
  if (!isRange || source.startsWith('-&&', cursor.at)) return range(from)
  const dash = cursor.at
  cursor.at += 1
  const to = readItem(cursor, start, depth)
  if (Array.isArray(to) || to.kind !== 'range') {
    // [a-\d]: the dash is itself, and what follows is read again.
    cursor.at = dash
    return range(from)
  }
  if (to.to < from) throw cursor.error('empty range in char class', at)
  return range(from, to.to)
}

function readItem(cursor: Cursor, start: number, depth: number): SetItem | SetItem[] {
  const { source } = cursor
  const at = cursor.at
  if (source[at] === '[') {
    const posix = /^\[:(\^?)([a-z]+):\]/.exec(source.slice(at, at + 20))
    if (posix !== null) {
      const set = posixClass(posix[2] as string, posix[1] === '^')
      if (set === undefined) throw cursor.error(`there is no class [:${posix[2]}:]`, at)
      cursor.at += posix[0].length
      return { kind: 'set', set }
    }
    cursor.at += 1
    return { kind: 'set', set: readSet(cursor, at, depth + 1) }
  }
  if (source[at] === '\\') {
    cursor.at += 1
    const letter = source[cursor.at]
    if (letter === undefined) throw cursor.error('too short escape sequence', start)
    const known = escapedClass(letter)
    if (known !== undefined) {
      cursor.at += 1
      return { kind: 'set', set: known }
    }
    if (letter === 'p' || letter === 'P') return { kind: 'set', set: cursor.property() }
    if (letter === 'R' || letter === 'X')
      throw cursor.error(`\\${letter} cannot stand in a set`, at)
    const codes = readEscape(cursor, at, true)
    return codes.length === 1 ? range(codes[0] as number) : codes.map((code) => range(code))
  }
  const code = source.codePointAt(at) as number
  cursor.at += code > 0xffff ? 2 : 1
  return range(code)
}

import { Alphabet } from './regexp-alphabet.ts'
import type { Leaf } from './regexp-program.ts'
import type { CharSet, RegexpNode, SetItem } from './regexp-syntax.ts'

/** Characters that are alike to an expression. */
export interface TextSymbol {
  /** By leaf: whether it holds them. */
  readonly leaves: Uint8Array
  /** ASCII's white space. */
  readonly isSpace: boolean
}

const isSpace = (code: number) => code === 0x20 || (code >= 0x09 && code <= 0x0d)

/**
 * One symbol for each class of ASCII characters, and one for all others together, which is in each set that holds any of
 * them: more ways than there are, never fewer.
 */
export function symbolsOf(leaves: readonly Leaf[], oneLine: boolean): TextSymbol[] {
  const alphabet = new Alphabet(leaves)
  const symbols = new Map<string, TextSymbol>()
  for (let code = 0; code < 0x80; code++) {
    if (code === 10 && oneLine) continue
    const found = alphabet.classOf(code)
    const symbol = { leaves: alphabet.members[found] as Uint8Array, isSpace: isSpace(code) }
    symbols.set(`${found}${symbol.isSpace}`, symbol)
  }
  const beyond = Uint8Array.from(leaves, (leaf) => (holdsAnyBeyond(leaf.node) ? 1 : 0))
  return [...symbols.values(), { leaves: beyond, isSpace: false }]
}

/** Whether a set holds a character beyond ASCII; true where that is not sure. */
function holdsAnyBeyond(node: RegexpNode): boolean {
  if (node.kind === 'char') return node.code >= 0x80 || node.ignoreCase
  if (node.kind !== 'set' || node.ignoreCase) return true
  return !isAscii(node.set)
}

/** Whether a set holds all characters beyond ASCII; false where that is not sure. */
export function holdsAllBeyond(node: RegexpNode): boolean {
  if (node.kind === 'any') return true
  return node.kind === 'set' && !node.ignoreCase && node.set.negated && isAscii(node.set, false)
}

function isAscii(set: CharSet, negated = set.negated): boolean {
  return !negated && set.parts.every((part) => part.every(isAsciiItem))
}

function isAsciiItem(item: SetItem): boolean {
  if (item.kind === 'range') return item.to < 0x80
  return item.kind === 'set' && isAscii(item.set)
}

import { wordProperties } from './regexp-classes.ts'
import {
  type CharSet,
  type RegexpNode,
  RegexpSyntaxError,
  type RegexpTree,
  range,
  type SetItem,
} from './regexp-syntax.ts'

/** A JavaScript expression (flags s and v or u, no m) with the same meaning. */
export interface EmittedRegexp {
  readonly source: string
  /** '' or 'i', beside s and v or u. */
  readonly flags: string
  /**
   * Sets inside sets need JavaScript's flag v; all else is written for u, since with v V8 misses matches of
   * (?:[^a]b)+ and the like (seen in 11.3, of Node 20).
   */
  readonly unicodeSets: boolean
  /** JavaScript's group number by capture index. */
  readonly groups: readonly number[]
}

/**
 * Writes the tree as a JavaScript expression. Ruby's ^ and $ are always those of lines, and only \n ends a line, so
 * they become lookarounds; `oneLine` writes the simpler and faster form for texts without any \n. An atomic group
 * becomes a lookahead (which is atomic in JavaScript) and a reference to what it found.
 */
export function emitRegexp(tree: RegexpTree, oneLine: boolean): EmittedRegexp {
  const letters = caseMarks(tree.node)
  const ignoreCase = letters.size === 1 && letters.has(true)
  const groups: number[] = []
  const options = { oneLine, spellCases: letters.size > 1, groups }
  // Groups are numbered as they are written; the second time a reference knows numbers that come later.
  new Emitter(options).node(tree.node)
  const emitter = new Emitter(options)
  const source = emitter.node(tree.node)
  return { source, flags: ignoreCase ? 'i' : '', unicodeSets: emitter.unicodeSets, groups }
}

/** Which of "ignores case" and "does not" the nodes say, where it matters. */
function caseMarks(node: RegexpNode, marks = new Set<boolean>()): Set<boolean> {
  switch (node.kind) {
    case 'char':
      if (caseVariants(node.code).length > 1) marks.add(node.ignoreCase)
      break
    case 'set':
      marks.add(node.ignoreCase)
      break
    case 'sequence':
    case 'alternatives':
      for (const item of node.nodes) caseMarks(item, marks)
      break
    case 'group':
    case 'atomic':
    case 'look':
    case 'repeat':
      caseMarks(node.node, marks)
      break
    default:
  }
  return marks
}

function caseVariants(code: number): readonly number[] {
  const text = String.fromCodePoint(code)
  const codes = [text.toLowerCase(), text.toUpperCase()]
    .filter((variant) => [...variant].length === 1)
    .map((variant) => variant.codePointAt(0) as number)
  return [...new Set([code, ...codes])]
}

interface EmitOptions {
  readonly oneLine: boolean
  /** Parts differ in ignoring case: it is written out, for lack of such options in JavaScript. */
  readonly spellCases: boolean
  readonly groups: number[]
}

const word = `[${wordProperties.map((name) => `\\p{${name}}`).join('')}]`

class Emitter {
  unicodeSets = false
  private readonly options: EmitOptions
  private count = 0
  private lookbehinds = 0

  constructor(options: EmitOptions) {
    this.options = options
  }

  node(node: RegexpNode): string {
    switch (node.kind) {
      case 'char':
        return this.character(node.code, node.ignoreCase)
      case 'any':
        return node.newline || this.options.oneLine ? '.' : '[^\\n]'
      case 'set':
        return this.set(node.set, node.ignoreCase && this.options.spellCases)
      case 'anchor':
        return this.anchor(node.at)
      case 'sequence':
        return node.nodes.map((item) => this.inSequence(item)).join('')
      case 'alternatives':
        return node.nodes.map((item) => this.node(item)).join('|')
      case 'group':
        return this.group(node.capture, node.node)
      case 'atomic':
        return this.atomic(() => this.node(node.node))
      case 'look':
        return this.look(node)
      case 'repeat':
        return this.repeat(node)
      case 'backreference':
        return this.backreference(node.captures)
    }
  }

  private inSequence(node: RegexpNode): string {
    return node.kind === 'alternatives' ? `(?:${this.node(node)})` : this.node(node)
  }

  private character(code: number, ignoreCase: boolean): string {
    if (ignoreCase && this.options.spellCases) {
      const variants = caseVariants(code)
      if (variants.length > 1) return `[${variants.map(escapeCode).join('')}]`
    }
    return escapeCode(code)
  }

  private anchor(at: string): string {
    const { oneLine } = this.options
    switch (at) {
      case 'text_start':
        return '^'
      case 'text_end':
        return '$'
      case 'text_end_before_newline':
        return oneLine ? '$' : '(?=\\n?$)'
      case 'line_start':
        return oneLine ? '^' : '(?:^|(?<=\\n)(?=.))'
      case 'line_end':
        return oneLine ? '$' : '(?![^\\n])'
      case 'word_boundary':
        return `(?:(?<=${word})(?!${word})|(?<!${word})(?=${word}))`
      default:
        return `(?:(?<=${word})(?=${word})|(?<!${word})(?!${word}))`
    }
  }

  private group(capture: number | undefined, node: RegexpNode): string {
    if (capture === undefined) return `(?:${this.node(node)})`
    this.count += 1
    this.options.groups[capture] = this.count
    return `(${this.node(node)})`
  }

  private atomic(inside: () => string): string {
    if (this.lookbehinds > 0) {
      throw new RegexpSyntaxError('an atomic group cannot stand in a look-behind', 0)
    }
    this.count += 1
    const number = this.count
    return `(?:(?=(${inside()}))\\${number})`
  }

  private look(node: RegexpNode & { kind: 'look' }): string {
    if (!node.ahead) this.lookbehinds += 1
    const inside = this.node(node.node)
    if (!node.ahead) this.lookbehinds -= 1
    const opening = `${node.ahead ? '' : '<'}${node.negative ? '!' : '='}`
    // In a group, so that a quantifier may follow.
    return `(?:(?${opening}${inside}))`
  }

  private repeat(node: RegexpNode & { kind: 'repeat' }): string {
    const { min, max, mode } = node
    const inside = () => {
      const text = this.node(node.node)
      const single =
        node.node.kind === 'char' || node.node.kind === 'any' || node.node.kind === 'set'
      return `${single || node.node.kind === 'group' ? text : `(?:${text})`}${times(min, max)}`
    }
    if (max === 1 && min === 0 && canBeEmpty(node.node)) return this.optional(node)
    if (mode === 'possessive') return this.atomic(inside)
    return mode === 'lazy' ? `${inside()}?` : inside()
  }

  /**
   * `(x*)?`: where x matches nothing, Ruby's group holds an empty text. JavaScript takes back what a quantifier's turn
   * matched if that is empty, and the group would have no part in the match; so it is written as alternatives.
   */
  private optional(node: RegexpNode & { kind: 'repeat' }): string {
    const alternatives = () => {
      const text = this.inSequence(node.node)
      return node.mode === 'lazy' ? `|${text}` : `${text}|`
    }
    return node.mode === 'possessive' ? this.atomic(alternatives) : `(?:${alternatives()})`
  }

  private backreference(captures: readonly number[]): string {
    const found = captures.map((capture) => `\\${this.options.groups[capture] ?? 0}`).reverse()
    return `(?:${found.join('|')})`
  }

  private set(set: CharSet, spellCases: boolean): string {
    const parts = set.parts.map((items) => this.items(items, spellCases))
    if (parts.length > 1) this.unicodeSets = true
    const inside = parts.length === 1 ? parts[0] : parts.map((part) => `[${part}]`).join('&&')
    return `[${set.negated ? '^' : ''}${inside}]`
  }

  private items(items: readonly SetItem[], spellCases: boolean): string {
    const all = spellCases ? items.flatMap(withCases) : items
    return all.map((item) => this.setItem(item, spellCases)).join('')
  }

  private setItem(item: SetItem, spellCases: boolean): string {
    switch (item.kind) {
      case 'range':
        return item.from === item.to
          ? escapeCode(item.from)
          : `${escapeCode(item.from)}-${escapeCode(item.to)}`
      case 'property':
        return `\\${item.negated ? 'P' : 'p'}{${item.property}}`
      case 'set': {
        const { negated, parts } = item.set
        // What is only a list inside a list needs no brackets.
        if (!negated && parts.length === 1) return this.items(parts[0] ?? [], spellCases)
        this.unicodeSets = true
        return this.set(item.set, spellCases)
      }
    }
  }
}

/** Ranges larger than this are taken to hold both cases of their letters already. */
const caseRangeLimit = 1024

function withCases(item: SetItem): SetItem[] {
  if (item.kind !== 'range' || item.to - item.from >= caseRangeLimit) return [item]
  const extra: SetItem[] = []
  for (let code = item.from; code <= item.to; code++) {
    for (const variant of caseVariants(code)) {
      if (variant < item.from || variant > item.to) extra.push(range(variant))
    }
  }
  return [item, ...extra]
}

/** Whether it can match without taking a character. */
export function canBeEmpty(node: RegexpNode): boolean {
  switch (node.kind) {
    case 'char':
    case 'any':
    case 'set':
      return false
    case 'anchor':
    case 'look':
    case 'backreference':
      return true
    case 'group':
    case 'atomic':
      return canBeEmpty(node.node)
    case 'repeat':
      return node.min === 0 || canBeEmpty(node.node)
    case 'sequence':
      return node.nodes.every(canBeEmpty)
    case 'alternatives':
      return node.nodes.some(canBeEmpty)
  }
}

function times(min: number, max: number): string {
  if (min === 0 && max === Infinity) return '*'
  if (min === 1 && max === Infinity) return '+'
  if (min === 0 && max === 1) return '?'
  if (min === max) return `{${min}}`
  return `{${min},${max === Infinity ? '' : max}}`
}

/** Letters, digits and what is not ASCII as they are; the rest by number, which means itself everywhere. */
function escapeCode(code: number): string {
  const text = String.fromCodePoint(code)
  if (/^[A-Za-z0-9_]$/.test(text)) return text
  return `\\u{${code.toString(16)}}`
}

export function toRegExp(emitted: EmittedRegexp): RegExp {
  return new RegExp(emitted.source, `${emitted.unicodeSets ? 'v' : 'u'}s${emitted.flags}`)
}

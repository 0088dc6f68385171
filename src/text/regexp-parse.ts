import { escapedClass, propertyClass } from './regexp-classes.ts'
import { readEscape } from './regexp-escape.ts'
import { type Cursor, readSet } from './regexp-set.ts'
import {
  type Anchor,
  type RegexpNode,
  RegexpSyntaxError,
  type RegexpTree,
} from './regexp-syntax.ts'

export interface RegexpOptions {
  readonly ignoreCase: boolean
  /** Ruby's m: `.` takes newlines too. */
  readonly multiline: boolean
  readonly extended: boolean
}

/** Groups inside each other. */
const groupDepthLimit = 250
/** Ruby's own limit of {n,m}. */
const repeatLimit = 100_000

/** Parses Ruby's syntax. Throws RegexpSyntaxError for what is wrong and for what cannot be matched here. */
export function parseRegexp(source: string, options: RegexpOptions): RegexpTree {
  const parser = new Parser(source, options)
  return parser.parse()
}

class Parser implements Cursor {
  readonly source: string
  at = 0
  private options: RegexpOptions
  private readonly named: boolean
  private readonly captures: (string | undefined)[] = []
  private readonly references: { captures: number[]; wanted: string; at: number }[] = []
  private depth = 0

  constructor(source: string, options: RegexpOptions) {
    this.source = source
    this.options = options
    // With a named group anywhere, plain ones do not capture.
    this.named = hasNamedGroup(source)
  }

  parse(): RegexpTree {
    const node = this.alternatives()
    if (this.at < this.source.length) throw this.error('unmatched close parenthesis')
    for (const reference of this.references) this.resolve(reference)
    return { node, captures: this.captures }
  }

  error(message: string, at = this.at): RegexpSyntaxError {
    return new RegexpSyntaxError(message, at)
  }

  private peek(text: string): boolean {
    return this.source.startsWith(text, this.at)
  }

  private take(text: string): boolean {
    if (!this.peek(text)) return false
    this.at += text.length
    return true
  }

  private alternatives(): RegexpNode {
    const nodes = [this.sequence()]
    while (this.take('|')) nodes.push(this.sequence())
    return nodes.length === 1 ? (nodes[0] as RegexpNode) : { kind: 'alternatives', nodes }
  }

  private sequence(): RegexpNode {
    const nodes: RegexpNode[] = []
    while (this.at < this.source.length && !this.peek('|') && !this.peek(')')) {
      const before = this.options
      const node = this.item()
      if (node !== undefined) nodes.push(node)
      // `a(?i)b|c`: what follows an option without a group, to the end of the enclosing group, is its own group.
      if (this.options !== before) {
        nodes.push({ kind: 'group', capture: undefined, node: this.alternatives() })
        this.options = before
      }
    }
    return nodes.length === 1 ? (nodes[0] as RegexpNode) : { kind: 'sequence', nodes }
  }

  /** One item with its quantifiers; undefined: a comment, white space (x), a change of options. */
  private item(): RegexpNode | undefined {
    if (this.options.extended && this.skipExtended()) return undefined
    let node = this.atom()
    if (node === undefined) return undefined
    for (;;) {
      if (this.options.extended) while (this.skipExtended());
      const repeat = this.quantifier()
      if (repeat === undefined) return node
      if (node.kind === 'anchor') {
        // Ruby lets an anchor be repeated: it either holds or, with a minimum of 0, does not matter.
        node = repeat.min === 0 ? { kind: 'sequence', nodes: [] } : node
      } else {
        node = { kind: 'repeat', node, ...repeat }
      }
    }
  }

  private skipExtended(): boolean {
    const found = /^(?:\s+|#[^\n]*\n?)/.exec(this.source.slice(this.at))
    if (found === null) return false
    this.at += found[0].length
    return true
  }

  private atom(): RegexpNode | undefined {
    const { ignoreCase, multiline } = this.options
    const start = this.at
    const character = String.fromCodePoint(this.source.codePointAt(start) as number)
    this.at += character.length
    switch (character) {
      case '(':
        return this.group(start)
      case '[':
        return { kind: 'set', set: readSet(this, start), ignoreCase }
      case '.':
        return { kind: 'any', newline: multiline }
      case '^':
        return { kind: 'anchor', at: 'line_start' }
      case '$':
        return { kind: 'anchor', at: 'line_end' }
      case '\\':
        return this.escape(start)
      case '*':
      case '+':
      case '?':
        throw this.error(`target of repeat operator is not specified: ${character}`, start)
      default:
        return { kind: 'char', code: character.codePointAt(0) as number, ignoreCase }
    }
  }

  private quantifier(): Pick<RegexpNode & { kind: 'repeat' }, 'min' | 'max' | 'mode'> | undefined {
    const simple = { '*': [0, Infinity], '+': [1, Infinity], '?': [0, 1] }[
      this.source[this.at] ?? ''
    ]
    if (simple !== undefined) {
      this.at += 1
      const mode = this.take('?') ? 'lazy' : this.take('+') ? 'possessive' : 'greedy'
      return { min: simple[0] as number, max: simple[1] as number, mode }
    }
    const interval = /^\{(?:(\d+)(?:(,)(\d*))?|,(\d+))\}/.exec(
      this.source.slice(this.at, this.at + 20),
    )
    if (interval === null) return undefined
    const [text, from, comma, to, upTo] = interval
    const min = Number(from ?? 0)
    const max = upTo ? Number(upTo) : comma === undefined ? min : to ? Number(to) : Infinity
    if (min > repeatLimit || (max > repeatLimit && max !== Infinity)) {
      throw this.error('too big number in {n,m}')
    }
    this.at += text.length
    // `{n}?` is an optional {n}, not a lazy one; {n,m}+ repeats the whole: both are read as a second quantifier.
    const lazy = comma === undefined && upTo === undefined ? false : this.take('?')
    // {5,2} is {2,5}, possessive, in Ruby.
    if (max < min) return { min: max, max: min, mode: 'possessive' }
    return { min, max, mode: lazy ? 'lazy' : 'greedy' }
  }

  /** Behind the opening parenthesis. */
  private group(start: number): RegexpNode | undefined {
    this.depth += 1
    if (this.depth > groupDepthLimit) throw this.error('groups are nested too deep', start)
    const node = this.take('?') ? this.specialGroup(start) : this.plainGroup(start)
    this.depth -= 1
    return node
  }

  private plainGroup(start: number): RegexpNode {
    const capture = this.named ? undefined : this.captures.push(undefined) - 1
    return { kind: 'group', capture, node: this.inside(start) }
  }

  /** All up to the closing parenthesis, which it takes; options set inside end there. */
  private inside(start: number, options = this.options): RegexpNode {
    const before = this.options
    this.options = options
    const node = this.alternatives()
    this.options = before
    if (!this.take(')')) throw this.error('end pattern with unmatched parenthesis', start)
    return node
  }

  private specialGroup(start: number): RegexpNode | undefined {
    if (this.take('#')) return this.comment(start)
    if (this.take(':')) return { kind: 'group', capture: undefined, node: this.inside(start) }
    if (this.take('>')) return { kind: 'atomic', node: this.inside(start) }
    for (const [opening, ahead, negative] of looks) {
      if (this.take(opening)) return { kind: 'look', ahead, negative, node: this.inside(start) }
    }
    if (this.peek('~')) throw this.error('an absence operator (?~…) cannot be used here', start)
    if (this.peek('(')) throw this.error('a condition (?(…)…) cannot be used here', start)
    if (this.peek('<') || this.peek("'")) return this.namedGroup(start)
    return this.optionGroup(start)
  }

  private comment(start: number): undefined {
    const end = /(?<!\\)(?:\\\\)*\)/g
    end.lastIndex = this.at
    const found = end.exec(this.source)
    if (found === null) throw this.error('end pattern in group', start)
    this.at = end.lastIndex
    return undefined
  }

  private namedGroup(start: number): RegexpNode {
    const name = this.name(this.peek('<') ? '>' : "'", start)
    const capture = this.captures.push(name) - 1
    return { kind: 'group', capture, node: this.inside(start) }
  }

  /** A name between `<` and `>` or two quotes: at its opening. */
  private name(close: string, start: number): string {
    const end = this.source.indexOf(close, this.at + 1)
    const name = end < 0 ? '' : this.source.slice(this.at + 1, end)
    if (name === '' || name.includes(')')) throw this.error('group name is empty', start)
    this.at = end + 1
    return name
  }

  private optionGroup(start: number): RegexpNode | undefined {
    const found = /^([a-z]*)(?:-([a-z]*))?([:)])/.exec(this.source.slice(this.at, this.at + 20))
    if (found === null) throw this.error('undefined group option', start)
    const [text, on = '', off = '', close] = found
    const unknown = /[^imx]/.exec(on + off)
    if (unknown !== null) {
      throw this.error(`the group option ${unknown[0]} cannot be used here`, start)
    }
    this.at += text.length
    const changed = {
      ignoreCase: (this.options.ignoreCase || on.includes('i')) && !off.includes('i'),
      multiline: (this.options.multiline || on.includes('m')) && !off.includes('m'),
      extended: (this.options.extended || on.includes('x')) && !off.includes('x'),
    }
    if (close === ':') {
      return { kind: 'group', capture: undefined, node: this.inside(start, changed) }
    }
    this.options = changed
    return undefined
  }

  /** Behind the backslash, outside of a set. */
  private escape(start: number): RegexpNode {
    const { ignoreCase } = this.options
    const letter = this.source[this.at]
    if (letter === undefined) throw this.error('too short escape sequence', start)
    const anchor = anchors[letter]
    if (anchor !== undefined) {
      this.at += 1
      return { kind: 'anchor', at: anchor }
    }
    const refusal = refused[letter]
    if (refusal !== undefined) throw this.error(refusal, start)
    const known = escapedClass(letter)
    if (known !== undefined) {
      this.at += 1
      return { kind: 'set', set: known, ignoreCase }
    }
    if (letter === 'R') {
      this.at += 1
      return lineBreak
    }
    if (letter === 'p' || letter === 'P') return { kind: 'set', set: this.property(), ignoreCase }
    if (letter === 'k' || this.isGroupNumber()) return this.backreference(letter, start)
    const codes = readEscape(this, start, false)
    const nodes = codes.map((code): RegexpNode => ({ kind: 'char', code, ignoreCase }))
    return nodes.length === 1
      ? (nodes[0] as RegexpNode)
      : { kind: 'group', capture: undefined, node: { kind: 'sequence', nodes } }
  }

  /** At the p of \p{…} or \P{…}. */
  property() {
    const start = this.at - 1
    const found = /^[pP]\{(\^?)([^}]+)\}/.exec(this.source.slice(this.at, this.at + 80))
    if (found === null) throw this.error('invalid character property name', start)
    const [text, caret, name] = found
    const set = propertyClass(name as string, (caret === '^') !== text.startsWith('P'))
    if (set === undefined) throw this.error(`unknown character property {${name}}`, start)
    this.at += text.length
    return set
  }

  /** \1 to \9 refer to groups; longer numbers only if there can be so many groups, and are octal otherwise. */
  private isGroupNumber(): boolean {
    const digits = /^[1-9]\d*/.exec(this.source.slice(this.at))?.[0] ?? ''
    if (digits.length < 2) return digits !== ''
    return Number(digits) < this.source.split('(').length || !/^[0-7]{2}/.test(digits)
  }

  private backreference(letter: string, start: number): RegexpNode {
    let wanted: string
    if (letter === 'k') {
      this.at += 1
      if (!this.peek('<') && !this.peek("'")) throw this.error('invalid backref', start)
      wanted = this.name(this.peek('<') ? '>' : "'", start)
    } else {
      wanted = (/^\d+/.exec(this.source.slice(this.at)) as RegExpExecArray)[0]
      this.at += wanted.length
    }
    if (/^\d+$/.test(wanted) && this.named) {
      throw this.error('numbered backref is not allowed. (use name)', start)
    }
    const captures: number[] = []
    this.references.push({ captures, wanted, at: start })
    return { kind: 'backreference', captures }
  }

  private resolve(reference: { captures: number[]; wanted: string; at: number }): void {
    const number = /^\d+$/.test(reference.wanted) ? Number(reference.wanted) : undefined
    this.captures.forEach((name, index) => {
      if (number === undefined ? name === reference.wanted : index + 1 === number) {
        reference.captures.push(index)
      }
    })
    if (reference.captures.length === 0) {
      throw this.error(`there is no group ${reference.wanted} to refer to`, reference.at)
    }
  }
}

const looks = [
  ['=', true, false],
  ['!', true, true],
  ['<=', false, false],
  ['<!', false, true],
] as const

const anchors: Readonly<Record<string, Anchor | undefined>> = {
  A: 'text_start',
  z: 'text_end',
  Z: 'text_end_before_newline',
  b: 'word_boundary',
  B: 'not_word_boundary',
}

const refused: Readonly<Record<string, string | undefined>> = {
  G: '\\G cannot be used here',
  K: '\\K cannot be used here',
  X: '\\X cannot be used here',
  g: 'a call of a group (\\g<…>) cannot be used here',
}

const character = (code: number): RegexpNode => ({ kind: 'char', code, ignoreCase: false })

/** \R: CR LF together, or one of the other line breaks; never given back in part. */
const lineBreak: RegexpNode = {
  kind: 'atomic',
  node: {
    kind: 'alternatives',
    nodes: [
      { kind: 'sequence', nodes: [character(0x0d), character(0x0a)] },
      ...[0x0a, 0x0b, 0x0c, 0x0d, 0x85, 0x2028, 0x2029].map(character),
    ],
  },
}

/** Whether `(?<name>` or `(?'name'` stands outside of escapes and sets. */
function hasNamedGroup(source: string): boolean {
  const plain = source.replace(/\\[\s\S]/g, '').replace(/\[\^?\]?[^\]]*\]/g, '')
  return /\(\?(?:<(?![=!])|')/.test(plain)
}

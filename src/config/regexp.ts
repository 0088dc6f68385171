import { classEscapes, escapes, literal, longEscape, posix } from './regexp-tables.ts'

/**
 * Ruby's regular expressions (Onigmo) in JavaScript's terms. What means the same is kept, what
 * differs is rewritten: `^ $` are line anchors always, `\A \z \Z \h \R`, POSIX classes, `x` and
 * comments, possessive and atomic groups, ASCII-only `\s`, `m` for a dot that takes line ends. What
 * has no counterpart is an error.
 *
 * The result has the flags `v` (so that classes nest and intersect as in Ruby), and `i`, `s` as
 * asked; never `m`, whose line ends are others than Ruby's.
 */

const maxLength = 65_536

/** Ruby's words for V8's complaints, where golden output names them. */
const complaints: readonly (readonly [RegExp, string])[] = [
  [/unterminated group|unmatched '\)'/i, 'end pattern with unmatched parenthesis'],
  [/unterminated character class|lone .*bracket/i, 'premature end of char-class'],
  [/nothing to repeat/i, 'target of repeat operator is not specified'],
]

/**
 * Compiles Ruby's expression. `flags`: any of i, m, x. Throws SyntaxError with a message for
 * people.
 */
export function rubyRegexp(source: string, flags = ''): RegExp {
  if (source.length > maxLength) throw new SyntaxError('the expression is too long')
  const translated = new Translator(source, flags).run()
  const own = `${flags.includes('i') ? 'i' : ''}${flags.includes('m') ? 's' : ''}v`
  try {
    return new RegExp(translated, own)
  } catch (thrown) {
    const message = (thrown as Error).message
    const known = complaints.find(([pattern]) => pattern.test(message))?.[1]
    const reason = known ?? message.slice(message.lastIndexOf(': ') + 2)
    throw new SyntaxError(`${reason}: /${source}/`)
  }
}

class Translator {
  readonly source: string
  readonly extended: boolean
  readonly dotAll: boolean
  readonly named: boolean
  offset = 0
  out: string[] = []
  /** JavaScript's number of each of Ruby's groups: groups of our own come between. */
  groups: number[] = []
  made = 0

  constructor(source: string, flags: string) {
    this.source = source
    this.extended = flags.includes('x')
    this.dotAll = flags.includes('m')
    // With named groups, Ruby's plain parentheses do not capture.
    this.named = /\(\?<[A-Za-z_]/.test(source)
  }

  run(): string {
    /** What each open parenthesis needs behind its end. */
    const open: { start: number; behind: string }[] = []
    let last = 0
    while (this.offset < this.source.length) {
      const c = this.source[this.offset]!
      if (c === '(') {
        const start = this.out.length
        const behind = this.group()
        if (behind !== undefined) open.push({ start, behind })
      } else if (c === ')') {
        const group = open.pop()
        this.offset++
        this.out.push(`)${group?.behind ?? ''}`)
        last = group?.start ?? last
      } else if (this.extended && this.skipExtended(c)) continue
      else if (/[*+?{]/.test(c)) this.quantifier(last)
      else {
        last = this.out.length
        this.out.push(this.atom(c))
      }
    }
    return this.out.join('')
  }

  skipExtended(c: string): boolean {
    if (/\s/.test(c)) this.offset++
    else if (c === '#') {
      const end = this.source.indexOf('\n', this.offset)
      this.offset = end < 0 ? this.source.length : end + 1
    } else return false
    return true
  }

  /** Reads what follows `(`; gives what stands behind its `)`, undefined for a comment. */
  group(): string | undefined {
    const rest = this.source.slice(this.offset, this.offset + 80)
    if (rest.startsWith('(?#')) {
      const end = this.source.indexOf(')', this.offset)
      if (end < 0) throw new SyntaxError(`end pattern in group: /${this.source}/`)
      this.offset = end + 1
      return undefined
    }
    if (rest.startsWith('(?>')) {
      this.offset += 3
      this.made++
      this.out.push('(?=(')
      return `)\\${this.made}`
    }
    const plain = /^\(\?(?:[:=!]|<[=!])/.exec(rest)?.[0]
    if (plain !== undefined) return this.openWith(plain, plain.length)
    const name = /^\(\?(?:<([A-Za-z_]\w*)>|'([A-Za-z_]\w*)')/.exec(rest)
    if (name !== null) {
      this.groups.push(++this.made)
      return this.openWith(`(?<${name[1] ?? name[2]}>`, name[0].length)
    }
    if (rest.startsWith('(?')) {
      const shown = /^\(\?[^)]{0,8}/.exec(rest)![0]
      throw new SyntaxError(`\`${shown}\` is not supported in regular expressions here`)
    }
    if (this.named) return this.openWith('(?:', 1)
    this.groups.push(++this.made)
    return this.openWith('(', 1)
  }

  openWith(text: string, length: number): string {
    this.offset += length
    this.out.push(text)
    return ''
  }

  /** `*`, `+?`, `{2,3}`; a possessive one makes its atom, from `last` on, an atomic group. */
  quantifier(last: number): void {
    const rest = this.source.slice(this.offset, this.offset + 40)
    const braces = /^\{(\d*)(,?)(\d*)\}/.exec(rest)
    const usable = braces !== null && (braces[1] !== '' || (braces[2] === ',' && braces[3] !== ''))
    if (rest[0] === '{' && !usable) {
      this.offset++
      this.out.push('\\{')
      return
    }
    const core = braces === null ? rest[0]! : `{${braces[1] || '0'}${braces[2]}${braces[3]}}`
    const length = braces === null ? 1 : braces[0].length
    const mode = rest[length]
    this.offset += length
    if (mode === '?') {
      this.offset++
      this.out.push(`${core}?`)
    } else if (mode === '+' && braces === null) {
      this.offset++
      this.possessive(core, last)
    } else this.out.push(core)
  }

  possessive(core: string, last: number): void {
    const atom = this.out.splice(last).join('')
    if (/\((?!\?)|\(\?</.test(atom)) {
      throw new SyntaxError(
        `a possessive \`${core}+\` behind a capturing group is not supported here`,
      )
    }
    this.made++
    this.out.push(`(?=(${atom}${core}))\\${this.made}`)
  }

  atom(c: string): string {
    if (c === '[') return this.characterClass(0)
    if (c === '\\') return this.escape(false)
    this.offset++
    // Only \n ends a line: not \r, not U+2028, as JavaScript has it.
    if (c === '^') return '(?<![^\\n])'
    if (c === '$') return '(?![^\\n])'
    if (c === '.' && !this.dotAll) return '[^\\n]'
    return /[\]}/]/.test(c) ? `\\${c}` : c
  }

  /** An escape; in a class, what would be more than one character is left to the caller's form. */
  escape(inClass: boolean): string {
    const next = this.source[this.offset + 1]
    if (next === undefined) throw new SyntaxError(`too short escape sequence: /${this.source}/`)
    const rest = this.source.slice(this.offset, this.offset + 40)
    const long = /^\\(?:x[0-9a-fA-F]{1,2}|u\{?[0-9a-fA-F]{1,6}\}?|[pP]\{\^?[\w ]+\})/.exec(
      rest,
    )?.[0]
    if (long !== undefined) {
      this.offset += long.length
      return longEscape(long)
    }
    const named = /^\\k(?:<([A-Za-z_]\w*)>|'([A-Za-z_]\w*)')/.exec(rest)
    if (named !== null && !inClass) {
      this.offset += named[0].length
      return `\\k<${named[1] ?? named[2]}>`
    }
    const back = /^\\[1-9]\d?/.exec(rest)?.[0]
    if (back !== undefined && !inClass) return this.backReference(back)
    this.offset += 2
    const table = inClass ? classEscapes : escapes
    if (Object.hasOwn(table, next)) return table[next]!
    if (/[wWdDSnrtfvbB0]/.test(next)) return `\\${next}`
    if (/[GKXgNCMc]/.test(next)) throw new SyntaxError(`\`\\${next}\` is not supported here`)
    return literal(next, inClass)
  }

  backReference(text: string): string {
    const number = Number(text.slice(1))
    const target = this.groups[number - 1]
    if (target === undefined) throw new SyntaxError(`invalid backref number: ${text}`)
    this.offset += text.length
    return `(?:\\${target})`
  }

  characterClass(depth: number): string {
    if (depth > 16) throw new SyntaxError('character classes are nested too deep')
    const start = this.offset++
    const operands: string[] = []
    const negated = this.source[this.offset] === '^' ? '^' : ''
    this.offset += negated.length
    let out = ''
    let first = true
    while (this.offset < this.source.length) {
      const c = this.source[this.offset]!
      const rest = this.source.slice(this.offset, this.offset + 20)
      const set = /^\[:(\^?)(\w+):\]/.exec(rest)
      if (set !== null && Object.hasOwn(posix, set[2]!)) {
        this.offset += set[0].length
        out += `[${set[1]}${posix[set[2]!]}]`
      } else if (c === '[') out += this.characterClass(depth + 1)
      else if (c === ']' && !first) {
        this.offset++
        // Each side of && becomes a class of its own: `v` takes no range as an operand.
        if (operands.length === 0) return `[${negated}${out}]`
        return `[${negated}${[...operands, out].map((one) => `[${one}]`).join('&&')}]`
      } else if (c === '\\') out += this.escape(true)
      else if (rest.startsWith('&&')) {
        this.offset += 2
        operands.push(out)
        out = ''
      } else {
        this.offset++
        out += c === '-' && this.isRange(out) ? '-' : literal(c, true)
      }
      first = false
    }
    throw new SyntaxError(`premature end of char-class: /${this.source.slice(start)}/`)
  }

  /** Whether the `-` just read stands between two characters. */
  isRange(out: string): boolean {
    const next = this.source[this.offset]
    const ends = next === undefined || next === ']' || next === '['
    return !ends && out !== '' && !/\\[wWdDsShHpP]$|[^\\]\]$|\}$|\\v$/.test(out)
  }
}

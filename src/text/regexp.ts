import { ConfigError, type Position } from '../core/errors.ts'
import { isLinear } from './regexp-analysis.ts'
import { type EmittedRegexp, emitRegexp, toRegExp } from './regexp-emit.ts'
import { RegexpInputError, regexpInputLimitChars } from './regexp-limits.ts'
import { parseRegexp, type RegexpOptions } from './regexp-parse.ts'
import { compileProgram } from './regexp-program.ts'
import { RegexpSyntaxError, type RegexpTree } from './regexp-syntax.ts'
import { Walker } from './regexp-walk.ts'

export { RegexpInputError, regexpInputLimitChars } from './regexp-limits.ts'

/** One place where an expression is found. */
export interface RegexpFound {
  /** UTF-16 offsets in the text. */
  readonly start: number
  readonly end: number
  /**
   * By number, as Ruby's MatchData: all of it, then what each group holds; undefined stands for a group that took no part.
   * Where groups have names, plain ones have no number.
   */
  readonly captures: readonly (string | undefined)[]
}

/** A user's regular expression (Ruby's syntax), ready to be tried on lines, tags and field values. */
export interface LineMatcher {
  /** As written, without slashes and options. */
  readonly source: string
  /** Ruby's options behind the slash: any of i, m, x. */
  readonly flags: string
  /** Names of its groups, in order, each once. */
  readonly names: readonly string[]
  /** By a group's number less one: its name, undefined for a plain one. */
  readonly groupNames: readonly (string | undefined)[]
  /** Whether it is found anywhere in the text. Throws RegexpInputError. */
  test(text: string): boolean
  /**
   * What the named groups hold, by the order of `names`; undefined stands for a group that took no part, and in place of
   * all where the expression is not found. Of groups with one name the last that took part counts. Throws RegexpInputError.
   */
  match(text: string): readonly (string | undefined)[] | undefined
  /** The first place at or behind `from` where it is found; what stands before `from` is looked at by ^, \b and the like. Throws RegexpInputError. */
  find(text: string, from?: number): RegexpFound | undefined
  /** The text between the places where it is found, as Ruby's String#split (without empty ones at the end). Throws RegexpInputError. */
  split(text: string): string[]
  /** `/source/flags` */
  toString(): string
}

export function isLineMatcher(value: unknown): value is LineMatcher {
  return value instanceof TreeMatcher || value instanceof DeferredMatcher
}

/**
 * Compiles what a parameter holds: `/…/` with the options i, m, x, or the expression itself. Throws ConfigError, at
 * `position`, for what is wrong, and for what Ruby has and this does not. `flags` replace those behind the slash.
 */
export function compileRegexp(written: string, position?: Position, flags?: string): LineMatcher {
  const literal = readLiteral(written, position)
  return compileRegexpSource(literal.source, position, flags ?? literal.flags)
}

/** The same for an expression without slashes around it. */
export function compileRegexpSource(source: string, position?: Position, flags = ''): LineMatcher {
  const options = optionsOf(flags)
  try {
    const tree = parseRegexp(source, options)
    return new TreeMatcher(source, flags, tree)
  } catch (error) {
    if (!(error instanceof RegexpSyntaxError) && !(error instanceof SyntaxError)) throw error
    throw new ConfigError(`invalid regexp: ${error.message}: /${source}/`, { position })
  }
}

/** An expression of our own, known to be right: compiled when it is first used, so that a start need not. */
export function deferredRegexp(written: string): LineMatcher {
  return new DeferredMatcher(written)
}

class DeferredMatcher implements LineMatcher {
  private readonly written: string
  private compiled: LineMatcher | undefined

  constructor(written: string) {
    this.written = written
  }

  private get matcher(): LineMatcher {
    this.compiled ??= compileRegexp(this.written)
    return this.compiled
  }

  get source(): string {
    return this.matcher.source
  }

  get flags(): string {
    return this.matcher.flags
  }

  get names(): readonly string[] {
    return this.matcher.names
  }

  get groupNames(): readonly (string | undefined)[] {
    return this.matcher.groupNames
  }

  test(text: string): boolean {
    return this.matcher.test(text)
  }

  find(text: string, from?: number): RegexpFound | undefined {
    return this.matcher.find(text, from)
  }

  match(text: string): readonly (string | undefined)[] | undefined {
    return this.matcher.match(text)
  }

  split(text: string): string[] {
    return this.matcher.split(text)
  }

  toString(): string {
    return this.written
  }
}

function readLiteral(
  written: string,
  position: Position | undefined,
): { source: string; flags: string } {
  const found = /^\/([\s\S]*)\/([a-z]*)$/.exec(written)
  if (found === null) {
    if (written.startsWith('/')) {
      throw new ConfigError(`invalid regexp: missing right slash: ${written}`, { position })
    }
    return { source: written, flags: '' }
  }
  const [, source = '', flags = ''] = found
  const unknown = /[^imx]/.exec(flags)
  if (unknown !== null) {
    throw new ConfigError(`invalid regexp: unknown option ${unknown[0]}: ${written}`, {
      position,
      hint: 'the options are i (ignore case), m (. matches newlines) and x (white space and comments)',
    })
  }
  return { source, flags }
}

function optionsOf(flags: string): RegexpOptions {
  return {
    ignoreCase: flags.includes('i'),
    multiline: flags.includes('m'),
    extended: flags.includes('x'),
  }
}

/** What finds an expression in texts; as the engines below. Groups are numbered as captures, from 0. */
interface Engine {
  test(text: string): boolean
  /** The text of each capture; undefined in place of all: not found. */
  match(text: string): readonly (string | undefined)[] | undefined
  find(text: string, from: number): RegexpFound | undefined
  split(text: string): string[]
}

/** An expression that two engines can find: JavaScript's where that is safe, ours elsewhere (regexp-analysis.ts). */
class TreeMatcher implements LineMatcher {
  readonly source: string
  readonly flags: string
  readonly names: readonly string[]
  readonly groupNames: readonly (string | undefined)[]
  private readonly tree: RegexpTree
  /** By name: numbers of its captures, last first. */
  private readonly captures: readonly (readonly number[])[]
  private oneLine: Engine | undefined
  private whole: Engine | undefined

  constructor(source: string, flags: string, tree: RegexpTree) {
    this.source = source
    this.flags = flags
    this.groupNames = tree.captures
    this.tree = tree
    // Both can say that an expression cannot be had.
    toRegExp(emitRegexp(tree, true))
    compileProgram(tree)
    const names = tree.captures.filter((name) => name !== undefined)
    this.names = [...new Set(names)]
    this.captures = this.names.map((name) =>
      tree.captures.flatMap((other, index) => (other === name ? [index] : [])).reverse(),
    )
  }

  test(text: string): boolean {
    return this.for(text).test(text)
  }

  match(text: string): readonly (string | undefined)[] | undefined {
    const found = this.for(text).match(text)
    if (found === undefined) return undefined
    return this.captures.map((numbers) => {
      const number = numbers.length === 1 ? numbers[0] : numbers.find((n) => found[n] !== undefined)
      return number === undefined ? undefined : found[number]
    })
  }

  find(text: string, from = 0): RegexpFound | undefined {
    return this.for(text).find(text, from)
  }

  split(text: string): string[] {
    const parts = this.for(text).split(text)
    let length = parts.length
    while (length > 0 && (parts[length - 1] ?? '') === '') length -= 1
    return parts.slice(0, length).map((part) => part ?? '')
  }

  toString(): string {
    return `/${this.source}/${this.flags}`
  }

  private for(text: string): Engine {
    if (text.length > regexpInputLimitChars) {
      throw new RegexpInputError(
        `text of ${text.length} characters is too long for a regular expression (${regexpInputLimitChars})`,
      )
    }
    if (text.includes('\n')) {
      this.whole ??= createEngine(this.tree, false)
      return this.whole
    }
    this.oneLine ??= createEngine(this.tree, true)
    return this.oneLine
  }
}

/** Made when the first text comes, so that a start need not wait. */
function createEngine(tree: RegexpTree, oneLine: boolean): Engine {
  const program = compileProgram(tree)
  const emitted = emitRegexp(tree, oneLine)
  if (!emitted.unicodeSets && isLinear(tree, program, oneLine)) return new NativeEngine(emitted)
  return new LinearEngine(new Walker(program))
}

class NativeEngine implements Engine {
  private readonly regexp: RegExp
  private readonly groups: readonly number[]
  private searching: RegExp | undefined

  constructor(emitted: EmittedRegexp) {
    this.regexp = toRegExp(emitted)
    this.groups = emitted.groups
  }

  test(text: string): boolean {
    return this.regexp.test(text)
  }

  match(text: string): readonly (string | undefined)[] | undefined {
    const found = this.regexp.exec(text)
    return found === null ? undefined : this.groups.map((number) => found[number])
  }

  find(text: string, from: number): RegexpFound | undefined {
    this.searching ??= new RegExp(this.regexp.source, `${this.regexp.flags}g`)
    this.searching.lastIndex = from
    const found = this.searching.exec(text)
    if (found === null) return undefined
    return {
      start: found.index,
      end: found.index + found[0].length,
      captures: [found[0], ...this.groups.map((number) => found[number])],
    }
  }

  split(text: string): string[] {
    return text.split(this.regexp)
  }
}

class LinearEngine implements Engine {
  private readonly walker: Walker

  constructor(walker: Walker) {
    this.walker = walker
  }

  test(text: string): boolean {
    return this.walker.test(text)
  }

  match(text: string): readonly (string | undefined)[] | undefined {
    return this.find(text, 0)?.captures.slice(1)
  }

  find(text: string, from: number): RegexpFound | undefined {
    const found = this.walker.match(text, from)
    if (found === undefined) return undefined
    const captures: (string | undefined)[] = []
    for (let i = 0; i < found.length; i += 2) {
      const start = found[i] as number
      const end = found[i + 1] as number
      captures.push(start < 0 || end < 0 ? undefined : text.slice(start, end))
    }
    return { start: found[0] as number, end: found[1] as number, captures }
  }

  split(text: string): string[] {
    return this.walker.split(text)
  }
}

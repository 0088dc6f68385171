import { ConfigError, type Position } from '../core/errors.ts'
import { emitRegexp, toRegExp } from './regexp-emit.ts'
import {
  createEngines,
  type Engine,
  type Engines,
  engineFor,
  type RegexpFound,
} from './regexp-engine.ts'
import { RegexpInputError, regexpInputLimitChars } from './regexp-limits.ts'
import { parseRegexp, type RegexpOptions } from './regexp-parse.ts'
import { compileProgram } from './regexp-program.ts'
import { RegexpSyntaxError, type RegexpTree } from './regexp-syntax.ts'

export type { RegexpFound } from './regexp-engine.ts'
export { RegexpInputError, regexpInputLimitChars } from './regexp-limits.ts'

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

/** An expression that two engines can find: JavaScript's where that is safe, ours elsewhere (regexp-analysis.ts). */
class TreeMatcher implements LineMatcher {
  readonly source: string
  readonly flags: string
  readonly names: readonly string[]
  readonly groupNames: readonly (string | undefined)[]
  private readonly tree: RegexpTree
  /** By name: numbers of its captures, last first. */
  private readonly captures: readonly (readonly number[])[]
  /** The engine for all texts; noEngine: that depends on the text. */
  private everywhere: Engine | undefined
  private oneLine: Engines | undefined
  private whole: Engines | undefined

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
    if (from === 0 || lastSearched.text !== text || lastSearched.by !== this) {
      lastSearched = { by: this, text, engine: this.for(text, true) }
    }
    return lastSearched.engine.find(text, from)
  }

  split(text: string): string[] {
    const parts = this.for(text, true).split(text)
    let length = parts.length
    while (length > 0 && (parts[length - 1] ?? '') === '') length -= 1
    return parts.slice(0, length).map((part) => part ?? '')
  }

  toString(): string {
    return `/${this.source}/${this.flags}`
  }

  /** `repeated`: it is searched for behind each place where it is found. */
  private for(text: string, repeated = false): Engine {
    if (text.length > regexpInputLimitChars) {
      throw new RegexpInputError(
        `text of ${text.length} characters is too long for a regular expression (${regexpInputLimitChars})`,
      )
    }
    const everywhere = this.everywhere ?? this.judge()
    if (everywhere !== noEngine && !repeated) return everywhere
    if (text.includes('\n')) {
      this.whole ??= createEngines(this.tree, false)
      return engineFor(this.whole, text, repeated)
    }
    this.oneLine ??= createEngines(this.tree, true)
    return engineFor(this.oneLine, text, repeated)
  }

  /** An expression to which a newline is a character like others is the same for texts with and without. */
  private judge(): Engine {
    this.everywhere = noEngine
    const { tree } = this
    if (emitRegexp(tree, true).source === emitRegexp(tree, false).source) {
      this.whole = createEngines(tree, false)
      const { native, unsafe } = this.whole
      if (native !== undefined && unsafe === undefined) this.everywhere = native
    }
    return this.everywhere
  }
}

/** Stands for "none", so that this is found out once. */
const noEngine: Engine = {
  test: () => false,
  match: () => undefined,
  find: () => undefined,
  split: () => [],
}

/** The text in which an expression is looked for again and again, so that it is not judged each time. */
let lastSearched: { by: object | undefined; text: string; engine: Engine } = {
  by: undefined,
  text: '',
  engine: noEngine,
}

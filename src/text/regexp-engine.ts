import { anyRun, linearity } from './regexp-analysis.ts'
import { type EmittedRegexp, emitRegexp, toRegExp } from './regexp-emit.ts'
import { compileProgram } from './regexp-program.ts'
import type { RegexpTree } from './regexp-syntax.ts'
import { Walker } from './regexp-walk.ts'

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

/** What finds an expression in texts. Groups are numbered as captures, from 0. */
export interface Engine {
  test(text: string): boolean
  /** The text of each capture; undefined in place of all: not found. */
  match(text: string): readonly (string | undefined)[] | undefined
  find(text: string, from: number): RegexpFound | undefined
  split(text: string): string[]
}

/** JavaScript's engine for the texts on which it is safe, ours for all others; each made when a text needs it. */
export interface Engines {
  readonly native: Engine | undefined
  /** In a text where this is found the native engine is not safe. */
  readonly unsafe: RegExp | undefined
  /** The native engine is safe for a search that begins again where a match ended. */
  readonly repeated: boolean
  readonly linear: () => Engine
}

export function createEngines(tree: RegexpTree, oneLine: boolean): Engines {
  const program = compileProgram(tree)
  const emitted = emitRegexp(tree, oneLine)
  const safe = emitted.unicodeSets ? undefined : linearity(tree, program, oneLine)
  let engine: Engine | undefined
  const linear = (): Engine => {
    engine ??= new LinearEngine(new Walker(program))
    return engine
  }
  if (safe === undefined) return { native: undefined, unsafe: undefined, repeated: false, linear }
  const unsafe =
    safe.spaceRun === anyRun ? undefined : new RegExp(`[\\t-\\r ]{${safe.spaceRun + 1}}`)
  return { native: new NativeEngine(emitted), unsafe, repeated: safe.repeated, linear }
}

export function engineFor(engines: Engines, text: string, repeated: boolean): Engine {
  const { native, unsafe } = engines
  if (native === undefined || (repeated && !engines.repeated)) return engines.linear()
  return unsafe?.test(text) ? engines.linear() : native
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

import { ConfigError, type Position } from '../core/errors.ts'
import { tagRegexp } from './tag-regexp.ts'

/**
 * Match patterns of <match> and <filter>, with Fluentd's meaning (lib/fluent/match.rb, 1.19.3):
 *
 * - `*` any run of characters without a dot, the empty one too; a part may be mixed (`web*.access`)
 * - `**` any run of characters; `a.**` matches `a` itself as well, and `**.z` matches `z`
 * - `{x,y}` either, nested and with wildcards inside
 * - several patterns separated by white space: any of them
 * - `/…/` a regular expression over the whole tag
 * - `\` takes the next character as it is; a dot at the very end of a pattern is ignored
 * - nothing at all: everything
 *
 * Wildcards run as a set of states over the tag, not as a regular expression: tags come from
 * outside, and `**.a.**.b` as a backtracking expression takes cubic time for a hostile one.
 */
export interface Pattern {
  readonly text: string
  matches(tag: string): boolean
}

/** Compiles what stands behind <match or <filter. Throws ConfigError at `position`. */
export function compilePattern(text: string, position?: Position): Pattern {
  const words = text.split(/\s+/).filter((word) => word !== '')
  const one = words.map((word) => compileWord(word, position))
  if (one.length === 0) return { text: '**', matches: () => true }
  if (one.length === 1) return { text, matches: one[0]! }
  return { text, matches: (tag) => one.some((matches) => matches(tag)) }
}

function compileWord(word: string, position: Position | undefined): (tag: string) => boolean {
  if (word === '**') return () => true
  if (word.startsWith('/')) {
    if (word.length < 2 || !word.endsWith('/')) {
      throw new ConfigError(`invalid match pattern: the regular expression ${word} has no end`, {
        position,
        hint: 'end it with `/`; write white space in it as `\\s`',
      })
    }
    return tagRegexp(word.slice(1, -1), position)
  }
  if (!/[*{}\\]/.test(word)) {
    const literal = word.replace(/\.$/, '')
    return (tag) => tag === literal
  }
  const program = new Program()
  const end = compileGlob(word, program)
  program.accept = end
  return (tag) => program.run(tag)
}

// ---- the state machine

/** What an edge asks for. Those below `CHAR` take no character. */
const FREE = 0
/** Only at the tag's start. */
const AT_START = 1
/** Only before a dot or at the tag's end: `a.**` matches `a` and `a.b`, not `ab`. */
const BEFORE_DOT = 2
const CHAR = 3
const NOT_DOT = 4
const ANY = 5

interface Edge {
  readonly kind: number
  /** UTF-16 unit, for CHAR. */
  readonly unit: number
  readonly to: number
}

class Program {
  readonly #edges: Edge[][] = [[]]
  accept = 0

  state(): number {
    return this.#edges.push([]) - 1
  }

  edge(from: number, kind: number, to: number, unit = 0): void {
    this.#edges[from]!.push({ kind, unit, to })
  }

  /** Takes time proportional to the tag's length times the pattern's. */
  run(tag: string): boolean {
    let current = new Set<number>()
    this.#enter(current, 0, tag, 0)
    for (let at = 0; at < tag.length && current.size > 0; at++) {
      const unit = tag.charCodeAt(at)
      const next = new Set<number>()
      for (const state of current) {
        for (const edge of this.#edges[state]!) {
          if (takes(edge, unit)) this.#enter(next, edge.to, tag, at + 1)
        }
      }
      current = next
    }
    return current.has(this.accept)
  }

  /** Adds a state and all that can be reached from it without a character. */
  #enter(states: Set<number>, first: number, tag: string, at: number): void {
    const open = [first]
    for (let state = open.pop(); state !== undefined; state = open.pop()) {
      if (states.has(state)) continue
      states.add(state)
      for (const edge of this.#edges[state]!) {
        if (edge.kind === FREE) open.push(edge.to)
        else if (edge.kind === AT_START && at === 0) open.push(edge.to)
        else if (edge.kind === BEFORE_DOT && (at === tag.length || tag[at] === '.')) {
          open.push(edge.to)
        }
      }
    }
  }
}

const dot = 0x2e

function takes(edge: Edge, unit: number): boolean {
  if (edge.kind === CHAR) return unit === edge.unit
  if (edge.kind === NOT_DOT) return unit !== dot
  return edge.kind === ANY
}

/** An open `{`: where its alternatives start and where they meet. */
interface Choice {
  readonly start: number
  readonly end: number
}

/** Builds the states for one word from state 0 on; returns the state at its end. */
function compileGlob(word: string, program: Program): number {
  const choices: Choice[] = []
  let at = 0
  let pendingDot = false
  const literal = (unit: number): void => {
    const next = program.state()
    program.edge(at, CHAR, next, unit)
    at = next
  }
  const repeat = (kind: number): void => {
    const loop = program.state()
    program.edge(at, FREE, loop)
    program.edge(loop, kind, loop)
    at = loop
  }
  const closeAlternative = (choice: Choice): void => program.edge(at, FREE, choice.end)

  for (let i = 0; i < word.length; i++) {
    const c = word[i]!
    if (c === '*' && word[i + 1] === '*') {
      if (pendingDot) at = follow(program, at, BEFORE_DOT)
      pendingDot = false
      i++
      if (word[i + 1] === '.') {
        i++
        at = anyParts(program, at)
      } else repeat(ANY)
      continue
    }
    if (pendingDot) literal(dot)
    pendingDot = c === '.'
    const choice = choices.at(-1)
    if (c === '\\') {
      // A backslash at the very end stands for nothing.
      if (++i < word.length) literal(word.charCodeAt(i))
    } else if (c === '*') repeat(NOT_DOT)
    else if (c === '{') {
      choices.push({ start: at, end: program.state() })
      at = follow(program, at, FREE)
    } else if (c === '}' && choice !== undefined) {
      closeAlternative(choice)
      at = choice.end
      choices.pop()
    } else if (c === ',' && choice !== undefined) {
      closeAlternative(choice)
      at = follow(program, choice.start, FREE)
    } else if (c !== '.') literal(word.charCodeAt(i))
  }
  // What was opened and not closed ends with the pattern.
  for (let choice = choices.pop(); choice !== undefined; choice = choices.pop()) {
    closeAlternative(choice)
    at = choice.end
  }
  return at
}

function follow(program: Program, from: number, kind: number): number {
  const next = program.state()
  program.edge(from, kind, next)
  return next
}

/** `**.`: whole parts with the dot behind them, or nothing at the tag's start. */
function anyParts(program: Program, from: number): number {
  const loop = follow(program, from, FREE)
  program.edge(loop, ANY, loop)
  const end = program.state()
  program.edge(loop, CHAR, end, dot)
  program.edge(from, AT_START, end)
  return end
}

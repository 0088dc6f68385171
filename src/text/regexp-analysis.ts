import { canBeEmpty } from './regexp-emit.ts'
import { type Instruction, ops, type RegexpProgram } from './regexp-program.ts'
import { holdsAllBeyond, symbolsOf, type TextSymbol } from './regexp-symbols.ts'
import type { RegexpNode, RegexpTree } from './regexp-syntax.ts'

/** For which texts JavaScript's engine, which backtracks, does a bounded amount of work for each character. */
export interface Linearity {
  /** Texts without more white space (ASCII's) in a row than this; `anyRun`: all texts. */
  readonly spaceRun: number
  /**
   * A search that begins again where the last match ended looks at what is in front of it once, not again and again: all
   * matches in a text take work that grows with its length.
   */
  readonly repeated: boolean
}

export const anyRun = Number.POSITIVE_INFINITY

/**
 * Whether JavaScript's engine does a bounded amount of work for each character, and finds what Ruby finds.
 *
 * Such an engine tries, at worst, every way through an expression's automaton that the text has characters for. So we
 * count ways: from the beginning, over all texts at once, those alive are followed in the order in which they are tried
 * (a subset construction of lists). If the ways alive stay few, whatever the text, the work is linear; if they grow, as in
 * (a+)+ or \d+$, or if it takes long to find out, it is not for that engine. Many an expression for lines of fields
 * is only wrong where white space repeats (` +(.*?) +`): so that is tried first for texts where it does not.
 */
export function linearity(
  tree: RegexpTree,
  program: RegexpProgram,
  oneLine: boolean,
): Linearity | undefined {
  if (differsInLoops(tree.node)) return undefined
  const ways = new Ways(program, oneLine)
  let best: Linearity | undefined
  // What is wrong for few texts is wrong for more.
  for (const spaceRun of [1, 2, anyRun]) {
    const found = ways.stayFew(spaceRun)
    if (found === undefined) break
    best = { spaceRun, repeated: !found.overscans }
  }
  return best
}

/** Ways alive at a place of a text up to which an expression is called linear. */
const waysLimit = 16
/** Places told apart, and work in all, that finding out may take. */
const placesLimit = 2000
const workLimit = 250_000

/**
 * What Ruby's groups hold where JavaScript's do not: a group in a loop keeps what it took in an earlier turn, and a
 * turn that takes nothing counts.
 */
function differsInLoops(node: RegexpNode): boolean {
  switch (node.kind) {
    case 'repeat':
      if (node.max > 1 && (canBeEmpty(node.node) || mayLeaveOut(node.node))) return true
      return differsInLoops(node.node)
    case 'group':
    case 'atomic':
    case 'look':
      return differsInLoops(node.node)
    case 'sequence':
    case 'alternatives':
      return node.nodes.some(differsInLoops)
    default:
      return false
  }
}

/** Whether it has a capture that takes no part in some of its matches. */
function mayLeaveOut(node: RegexpNode, inChoice = false): boolean {
  switch (node.kind) {
    case 'group':
      return (inChoice && node.capture !== undefined) || mayLeaveOut(node.node, inChoice)
    case 'repeat':
      return mayLeaveOut(node.node, inChoice || node.min === 0)
    case 'atomic':
    case 'look':
      return mayLeaveOut(node.node, inChoice)
    case 'sequence':
      return node.nodes.some((item) => mayLeaveOut(item, inChoice))
    case 'alternatives':
      return node.nodes.some((item) => mayLeaveOut(item, true))
    default:
      return false
  }
}

/** A place is reached by something whose ways cannot be counted. */
class NotLinear extends Error {}

/** Where ways go on: to instructions that take a character, in the order in which they are tried. */
interface Onward {
  /** Each is the instruction's number twice, and one more for a way that is there only if some condition holds. */
  readonly to: readonly number[]
  /** Where all of these fail, it matches here, whatever comes. */
  readonly matched: boolean
}

/** What is known at a place of a text. */
interface Place {
  /** As Onward.to: each instruction as often as there are ways to it, those tried first in front. */
  readonly ways: readonly number[]
  /** Nothing is found yet for certain: the search may begin here again. */
  readonly restarts: boolean
  /** Something is found for certain, but ways that would be taken before it may go on. */
  readonly pending: boolean
  /** White space in front. */
  readonly spaces: number
}

class Ways {
  private readonly program: RegexpProgram
  private readonly oneLine: boolean
  private readonly symbols: readonly TextSymbol[]
  private readonly everything: readonly boolean[]
  private readonly onward = new Map<string, Onward>()
  private spaceRun = anyRun
  private overscans = false
  private work = 0

  constructor(program: RegexpProgram, oneLine: boolean) {
    this.program = program
    this.oneLine = oneLine
    this.symbols = symbolsOf(program.leaves, oneLine)
    this.everything = program.leaves.map(
      (leaf, at) => this.symbols.every((s) => s.leaves[at] === 1) && holdsAllBeyond(leaf.node),
    )
  }

  /** In texts with white space up to `spaceRun` in a row. undefined: they do not stay few, or it takes long to find out. */
  stayFew(spaceRun: number): { readonly overscans: boolean } | undefined {
    this.spaceRun = spaceRun
    this.overscans = false
    this.work = 0
    try {
      return this.follow() ? { overscans: this.overscans } : undefined
    } catch (error) {
      if (!(error instanceof NotLinear)) throw error
      return undefined
    }
  }

  private follow(): boolean {
    const first = this.from(this.program.start, 'text start')
    const seen = new Set<string>()
    const again = this.from(this.program.start, 'certain')
    // A repeated search can begin anywhere.
    const open = [first, again].map(
      ({ to, matched }): Place => ({ ways: to, restarts: !matched, pending: matched, spaces: 0 }),
    )
    for (let at = open.pop(); at !== undefined; at = open.pop()) {
      this.count(at.ways.length + 1)
      const key = `${at.restarts}${at.pending}${at.spaces};${at.ways.join()}`
      if (seen.has(key)) continue
      seen.add(key)
      if (seen.size > placesLimit) return false
      for (const symbol of this.symbols) {
        const spaces = symbol.isSpace && this.spaceRun !== anyRun ? at.spaces + 1 : 0
        if (spaces > this.spaceRun) continue
        const next = this.step(at, symbol, spaces)
        if (next === undefined) return false
        if (next.ways.length > 0 || next.restarts) open.push(next)
      }
    }
    return true
  }

  /** undefined: too many ways. */
  private step(at: Place, symbol: TextSymbol, spaces: number): Place | undefined {
    const ways: number[] = []
    let matched = false
    let alive = 0
    for (const way of at.ways) {
      this.count(1)
      const instruction = this.program.code[way >> 1] as Instruction
      if (symbol.leaves[instruction.index] !== 1) continue
      alive += 1
      if (alive > waysLimit) return undefined
      const onward = this.from(instruction.next, way & 1 ? 'conditional' : 'certain')
      this.count(onward.to.length)
      ways.push(...onward.to)
      // What would be tried later than a match that is certain is not tried at all.
      matched = onward.matched
      if (matched) break
    }
    if (at.restarts && !matched) {
      const again = this.from(this.program.start, 'certain')
      ways.push(...again.to)
      return { ways, restarts: !again.matched, pending: again.matched, spaces }
    }
    if (at.pending && !matched && ways.length > 0) this.overscans = true
    return { ways, restarts: false, pending: at.pending || matched, spaces }
  }

  private count(steps: number): void {
    this.work += steps
    if (this.work > workLimit) throw new NotLinear()
  }

  /** All ways from an instruction to those that take a character, up to one that has matched. */
  private from(start: number, how: 'certain' | 'conditional' | 'text start'): Onward {
    const key = `${how}${start}`
    const known = this.onward.get(key)
    if (known !== undefined) return known
    const textStart = how === 'text start'
    const to: number[] = []
    const path = new Set<number>()
    /** Whether it has matched for certain. */
    const visit = (at: number, conditional: boolean): boolean => {
      this.count(1)
      if (path.has(at)) throw new NotLinear()
      path.add(at)
      const matched = this.visitFrom(at, { to, textStart, conditional }, visit)
      path.delete(at)
      return matched
    }
    const matched = visit(start, how === 'conditional')
    const found = { to, matched }
    this.onward.set(key, found)
    return found
  }

  private visitFrom(
    at: number,
    from: { to: number[]; textStart: boolean; conditional: boolean },
    visit: (at: number, conditional: boolean) => boolean,
  ): boolean {
    const instruction = this.program.code[at] as Instruction
    const { conditional } = from
    switch (instruction.op) {
      case ops.char:
        from.to.push(at * 2 + (conditional ? 1 : 0))
        return false
      case ops.split:
        if (this.takesAll(instruction, at)) return !conditional
        return instruction.targets.some((target) => visit(target, conditional))
      case ops.save:
        return visit(instruction.next, conditional)
      case ops.assert: {
        const holds = this.holds(instruction, from.textStart)
        return holds !== 'never' && visit(instruction.next, conditional || holds === 'maybe')
      }
      case ops.behindSet:
        return visit(instruction.next, true)
      case ops.match:
        return !conditional
      default:
        throw new NotLinear()
    }
  }

  private holds(instruction: Instruction, textStart: boolean): 'always' | 'maybe' | 'never' {
    const { anchor } = instruction
    if (anchor !== 'text_start' && anchor !== 'line_start') return 'maybe'
    if (textStart) return 'always'
    return anchor === 'text_start' || this.oneLine ? 'never' : 'maybe'
  }

  /** A loop that takes every character to the end, where the expression ends: it cannot fail. */
  private takesAll(split: Instruction, at: number): boolean {
    const { code } = this.program
    const [one, other] = split.targets as [number, number]
    if (split.targets.length !== 2) return false
    const isLoop = (target: number) =>
      code[target]?.op === ops.char && (code[target] as Instruction).next === at
    const loop = isLoop(one) ? one : isLoop(other) ? other : undefined
    if (loop === undefined) return false
    const { index } = code[loop] as Instruction
    const isLine = this.program.leaves[index]?.node.kind === 'any'
    let exit = code[loop === one ? other : one] as Instruction
    let sawLineEnd = false
    while (exit.op === ops.save || (exit.op === ops.assert && isEndAnchor(exit))) {
      sawLineEnd ||= exit.anchor === 'line_end'
      if (exit.anchor !== undefined && exit.anchor !== 'line_end' && !this.everything[index]) {
        return false
      }
      exit = code[exit.next] as Instruction
    }
    if (exit.op !== ops.match) return false
    return this.everything[index] === true || (isLine && sawLineEnd)
  }
}

function isEndAnchor(instruction: Instruction): boolean {
  const { anchor } = instruction
  return anchor === 'line_end' || anchor === 'text_end' || anchor === 'text_end_before_newline'
}

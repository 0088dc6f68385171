import { Alphabet } from './regexp-alphabet.ts'
import { canBeEmpty } from './regexp-emit.ts'
import { type Instruction, type Leaf, ops, type RegexpProgram } from './regexp-program.ts'
import type { CharSet, RegexpNode, RegexpTree, SetItem } from './regexp-syntax.ts'

/**
 * Whether JavaScript's engine, which backtracks, does a bounded amount of work for each character of any text, and
 * finds what Ruby finds.
 *
 * Such an engine tries, at worst, every way through an expression's automaton that the text has characters for. So we
 * count ways: from the beginning, over all texts at once, the number of ways to each instruction is followed (a subset
 * construction with numbers). If the ways alive stay few, whatever the text, the work is linear; if they grow, as in
 * (a+)+ or \d+$, or if it takes long to find out, it is not for that engine.
 */
export function isLinear(tree: RegexpTree, program: RegexpProgram, oneLine: boolean): boolean {
  if (differsInLoops(tree.node)) return false
  return new Ways(program, oneLine).stayFew()
}

/** Ways alive at a place of a text up to which an expression is called linear. */
const waysLimit = 16
/** Sets of ways, and work in all, that finding out may take. */
const setsLimit = 1000
const workLimit = 30_000

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

/** Where ways go on: how many to each instruction that takes a character. */
interface Onward {
  readonly ways: ReadonlyMap<number, number>
  /** One of them has matched, whatever comes. */
  readonly matched: boolean
}

class Ways {
  private readonly program: RegexpProgram
  private readonly oneLine: boolean
  /** By symbol, which stands for characters alike: whether each leaf holds it. */
  private readonly symbols: readonly Uint8Array[]
  private readonly everything: readonly boolean[]
  private readonly onward = new Map<number, Onward>()
  private work = 0

  constructor(program: RegexpProgram, oneLine: boolean) {
    this.program = program
    this.oneLine = oneLine
    this.symbols = symbolsOf(program.leaves, oneLine)
    this.everything = program.leaves.map(
      (leaf, at) => this.symbols.every((symbol) => symbol[at] === 1) && holdsAllBeyond(leaf.node),
    )
  }

  stayFew(): boolean {
    try {
      return this.follow()
    } catch (error) {
      if (!(error instanceof NotLinear)) throw error
      return false
    }
  }

  private follow(): boolean {
    const first = this.from(this.program.start, true)
    const again = this.from(this.program.start, false)
    const seen = new Set<string>()
    const open = [{ ways: first.ways, restarts: !first.matched }]
    for (let at = open.pop(); at !== undefined; at = open.pop()) {
      const { ways, restarts } = at
      this.count(ways.size)
      const key = `${restarts}${[...ways].sort(([a], [b]) => a - b).join(';')}`
      if (seen.has(key)) continue
      seen.add(key)
      if (seen.size > setsLimit) return false
      for (const symbol of this.symbols) {
        const next = this.step(ways, symbol)
        if (next === undefined) return false
        const goesOn = restarts && !next.matched
        if (goesOn) for (const [to, count] of again.ways) add(next.ways, to, count)
        open.push({ ways: next.ways, restarts: goesOn && !again.matched })
      }
    }
    return true
  }

  /** undefined: too many ways. */
  private step(
    ways: ReadonlyMap<number, number>,
    symbol: Uint8Array,
  ): { ways: Map<number, number>; matched: boolean } | undefined {
    const next = new Map<number, number>()
    let matched = false
    let alive = 0
    for (const [at, count] of ways) {
      this.count(1)
      const instruction = this.program.code[at] as Instruction
      if (symbol[instruction.index] !== 1) continue
      alive += count
      if (alive > waysLimit) return undefined
      const onward = this.from(instruction.next, false)
      matched ||= onward.matched
      for (const [to, more] of onward.ways) {
        this.count(1)
        add(next, to, count * more)
      }
    }
    return { ways: next, matched }
  }

  private count(steps: number): void {
    this.work += steps
    if (this.work > workLimit) throw new NotLinear()
  }

  /** All ways from an instruction to those that take a character. */
  private from(start: number, textStart: boolean): Onward {
    const key = textStart ? -1 : start
    const known = this.onward.get(key)
    if (known !== undefined) return known
    const ways = new Map<number, number>()
    let matched = false
    const visit = (at: number, conditional: boolean, path: readonly number[]): void => {
      this.count(1)
      if (path.includes(at)) throw new NotLinear()
      const instruction = this.program.code[at] as Instruction
      const onPath = [...path, at]
      switch (instruction.op) {
        case ops.char:
          add(ways, at, 1)
          return
        case ops.split:
          if (this.takesAll(instruction, at)) {
            if (!conditional) matched = true
            return
          }
          for (const target of instruction.targets) visit(target, conditional, onPath)
          return
        case ops.save:
          visit(instruction.next, conditional, onPath)
          return
        case ops.assert:
          if (this.mayHold(instruction, textStart)) visit(instruction.next, true, onPath)
          return
        case ops.behindSet:
          visit(instruction.next, true, onPath)
          return
        case ops.match:
          if (!conditional) matched = true
          return
        default:
          throw new NotLinear()
      }
    }
    visit(start, false, [])
    const found = { ways, matched }
    this.onward.set(key, found)
    return found
  }

  private mayHold(instruction: Instruction, textStart: boolean): boolean {
    if (instruction.anchor === 'text_start') return textStart
    if (instruction.anchor === 'line_start') return textStart || !this.oneLine
    return true
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

function add(ways: Map<number, number>, at: number, count: number): void {
  ways.set(at, (ways.get(at) ?? 0) + count)
}

/**
 * One symbol for each class of ASCII characters, and one for all others together, which is in each set that holds any of
 * them: more ways than there are, never fewer.
 */
function symbolsOf(leaves: readonly Leaf[], oneLine: boolean): Uint8Array[] {
  const alphabet = new Alphabet(leaves)
  const classes = new Set<number>()
  for (let code = 0; code < 0x80; code++) {
    if (code !== 10 || !oneLine) classes.add(alphabet.classOf(code))
  }
  const beyond = Uint8Array.from(leaves, (leaf) => (holdsAnyBeyond(leaf.node) ? 1 : 0))
  return [...[...classes].map((c) => alphabet.members[c] as Uint8Array), beyond]
}

/** Whether a set holds a character beyond ASCII; true where that is not sure. */
function holdsAnyBeyond(node: RegexpNode): boolean {
  if (node.kind === 'char') return node.code >= 0x80 || node.ignoreCase
  if (node.kind !== 'set' || node.ignoreCase) return true
  return !isAscii(node.set)
}

/** Whether a set holds all characters beyond ASCII; false where that is not sure. */
function holdsAllBeyond(node: RegexpNode): boolean {
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

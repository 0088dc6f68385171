import { wordProperties } from './regexp-classes.ts'
import { canBeEmpty, emitRegexp, toRegExp } from './regexp-emit.ts'
import {
  type Anchor,
  type RegexpNode,
  RegexpSyntaxError,
  type RegexpTree,
} from './regexp-syntax.ts'

/** What an instruction does; the names say what stands in its fields. */
export const ops = {
  /** Takes one character of the set `index`. */
  char: 0,
  /** Goes on at one of `targets`, the first ones first. */
  split: 1,
  /** Puts the position into slot `index`. */
  save: 2,
  /** Goes on if `anchor` holds here. */
  assert: 3,
  /** Goes on if the character before is in the set `index` (`negative`: is not). */
  behindSet: 4,
  /** Goes on if `body` is found from here (backwards if `reverse`), or is not (`negative`). */
  look: 5,
  /** Takes what `body` takes first, for good. `plain` is the same body without the last words. */
  atomic: 6,
  /** Takes what one of `captures` holds. */
  backreference: 7,
  /** Puts the position into register `index`: a turn of a loop begins. */
  turnStart: 8,
  /** Goes on at targets[0], another turn; but at targets[1], behind the loop, if the turn took nothing. */
  turnEnd: 9,
  /** The body of a look or an atomic group ends. */
  end: 10,
  /** The expression is found. */
  match: 11,
} as const

export interface Instruction {
  readonly op: (typeof ops)[keyof typeof ops]
  readonly next: number
  readonly targets: readonly number[]
  readonly index: number
  readonly anchor: Anchor | undefined
  readonly negative: boolean
  readonly reverse: boolean
  readonly body: number
  readonly plain: number
  /** Of a look: where its body can be found is known for certain beforehand. */
  readonly certain: boolean
  /** Of a look: its body has captures. */
  readonly capturing: boolean
  readonly captures: readonly number[]
  /** How many looks and atomic groups it stands in; -1 in what is tried backwards. */
  readonly depth: number
}

/** A set of characters that instructions share. */
export interface Leaf {
  /** Tells whether a text of one character is in it: by the same engine as everything else here. */
  readonly pattern: RegExp
  readonly node: RegexpNode
}

/** An expression as instructions; `start` is the first one. */
export interface RegexpProgram {
  readonly code: readonly Instruction[]
  readonly start: number
  readonly leaves: readonly Leaf[]
  readonly captureCount: number
  readonly registerCount: number
  readonly maxDepth: number
  /** A first choice that can still succeed always does: no choice is ever taken back. */
  readonly exact: boolean
  readonly ignoreCase: boolean
  /** Leaves for what anchors ask about; -1: no anchor does. */
  readonly newlineLeaf: number
  readonly wordLeaf: number
}

/** Instructions an expression may become: `{n,m}` is written out. */
export const regexpProgramLimit = 20_000

/** Throws RegexpSyntaxError if it is larger than the limit. */
export function compileProgram(tree: RegexpTree): RegexpProgram {
  return new Compiler(tree).compile()
}

interface Place {
  readonly depth: number
  readonly reverse: boolean
}

const newlineNode: RegexpNode = { kind: 'char', code: 10, ignoreCase: false }

class Compiler {
  private readonly tree: RegexpTree
  private readonly code: Instruction[] = []
  private readonly leaves: Leaf[] = []
  private readonly leafIndex = new Map<string, number>()
  private registers = 0
  private maxDepth = 0
  private exact = true
  private newlineLeaf = -1
  private wordLeaf = -1

  constructor(tree: RegexpTree) {
    this.tree = tree
  }

  compile(): RegexpProgram {
    const match = this.add({ op: ops.match }, { depth: 0, reverse: false })
    const start = this.node(this.tree.node, match, { depth: 0, reverse: false })
    return {
      code: this.code,
      start,
      leaves: this.leaves,
      captureCount: this.tree.captures.length,
      registerCount: this.registers,
      maxDepth: this.maxDepth,
      exact: this.exact,
      ignoreCase: emitRegexp(this.tree, true).flags === 'i',
      newlineLeaf: this.newlineLeaf,
      wordLeaf: this.wordLeaf,
    }
  }

  private add(fields: Partial<Instruction> & Pick<Instruction, 'op'>, place: Place): number {
    if (this.code.length >= regexpProgramLimit) {
      throw new RegexpSyntaxError(
        `written out it has more than ${regexpProgramLimit} steps: use smaller numbers in {n,m}`,
        0,
      )
    }
    // One shape for all, so that the matcher's loops stay fast.
    return (
      this.code.push({
        next: -1,
        targets: [],
        index: -1,
        anchor: undefined,
        negative: false,
        reverse: place.reverse,
        body: -1,
        plain: -1,
        certain: false,
        capturing: false,
        captures: [],
        depth: place.reverse ? -1 : place.depth,
        ...fields,
      }) - 1
    )
  }

  /** The first instruction of `node`, behind which `next` comes. */
  private node(node: RegexpNode, next: number, place: Place): number {
    switch (node.kind) {
      case 'char':
      case 'any':
      case 'set':
        return this.add({ op: ops.char, index: this.leaf(node), next }, place)
      case 'anchor':
        return this.anchor(node.at, next, place)
      case 'sequence':
        return this.sequence(node.nodes, next, place)
      case 'alternatives': {
        const targets = node.nodes.map((item) => this.node(item, next, place))
        return this.add({ op: ops.split, targets }, place)
      }
      case 'group':
        return this.group(node.capture, node.node, next, place)
      case 'atomic':
        return this.atomic(node.node, next, place)
      case 'look':
        return this.look(node, next, place)
      case 'repeat':
        return this.repeat(node, next, place)
      case 'backreference':
        this.exact = false
        return this.add({ op: ops.backreference, captures: node.captures, next }, place)
    }
  }

  private sequence(nodes: readonly RegexpNode[], next: number, place: Place): number {
    const ordered = place.reverse ? nodes : [...nodes].reverse()
    return ordered.reduce((following, item) => this.node(item, following, place), next)
  }

  private leaf(node: RegexpNode): number {
    const emitted = emitRegexp({ node, captures: [] }, false)
    const key = `${emitted.source}/${emitted.flags}`
    let index = this.leafIndex.get(key)
    if (index === undefined) {
      const pattern = toRegExp({ ...emitted, source: `^${emitted.source}$` })
      index = this.leaves.push({ pattern, node }) - 1
      this.leafIndex.set(key, index)
    }
    return index
  }

  private anchor(at: Anchor, next: number, place: Place): number {
    if (at === 'word_boundary' || at === 'not_word_boundary') {
      if (this.wordLeaf < 0) this.wordLeaf = this.leaf(wordNode)
    } else {
      this.newlineLeaf = this.leaf(newlineNode)
    }
    return this.add({ op: ops.assert, anchor: at, next }, place)
  }

  private group(capture: number | undefined, node: RegexpNode, next: number, place: Place): number {
    if (capture === undefined) return this.node(node, next, place)
    const [first, last] = place.reverse ? [1, 0] : [0, 1]
    const close = this.add({ op: ops.save, index: capture * 2 + last, next }, place)
    const body = this.node(node, close, place)
    return this.add({ op: ops.save, index: capture * 2 + first, next: body }, place)
  }

  private atomic(node: RegexpNode, next: number, place: Place): number {
    this.exact = false
    const plain = this.node(node, next, place)
    const inner = this.inner(place)
    const body = this.node(node, this.add({ op: ops.end }, inner), inner)
    return this.add({ op: ops.atomic, body, plain, next }, place)
  }

  private inner(place: Place): Place {
    const depth = place.depth + 1
    this.maxDepth = Math.max(this.maxDepth, depth)
    return { depth, reverse: place.reverse }
  }

  private look(node: RegexpNode & { kind: 'look' }, next: number, place: Place): number {
    const { negative } = node
    const single = node.ahead ? undefined : singleLeaf(node.node)
    if (single !== undefined) {
      return this.add({ op: ops.behindSet, index: this.leaf(single), negative, next }, place)
    }
    const inner = { ...this.inner(place), reverse: !node.ahead }
    const outerExact = this.exact
    this.exact = true
    const body = this.node(node.node, this.add({ op: ops.end }, inner), inner)
    const certain = this.exact && node.ahead
    this.exact = outerExact && certain
    const capturing = hasCapture(node.node)
    return this.add(
      { op: ops.look, body, negative, reverse: !node.ahead, certain, capturing, next },
      place,
    )
  }

  private repeat(node: RegexpNode & { kind: 'repeat' }, next: number, place: Place): number {
    const { min, max, mode } = node
    if (mode === 'possessive') return this.atomic({ ...node, mode: 'greedy' }, next, place)
    const ordered = (again: number, exit: number) =>
      mode === 'lazy' ? [exit, again] : [again, exit]
    let start = next
    let copies = min
    if (max === Infinity) {
      start = this.loop(node, next, place, min > 0)
      if (min > 0) copies -= 1
    } else {
      for (let i = min; i < max; i++) {
        const body = this.node(node.node, start, place)
        start = this.add({ op: ops.split, targets: ordered(body, next) }, place)
      }
    }
    for (let i = 0; i < copies; i++) start = this.node(node.node, start, place)
    return start
  }

  /** A loop; `once`: one turn comes before the first choice. A turn that takes nothing is the last one, as in Ruby. */
  private loop(
    node: RegexpNode & { kind: 'repeat' },
    next: number,
    place: Place,
    once: boolean,
  ): number {
    const choice = this.add({ op: ops.split }, place)
    let body: number
    if (canBeEmpty(node.node)) {
      this.exact = false
      const index = this.registers++
      const close = this.add({ op: ops.turnEnd, index, targets: [choice, next] }, place)
      body = this.node(node.node, close, place)
      body = this.add({ op: ops.turnStart, index, next: body }, place)
    } else {
      body = this.node(node.node, choice, place)
    }
    const targets = node.mode === 'lazy' ? [next, body] : [body, next]
    this.code[choice] = { ...(this.code[choice] as Instruction), targets }
    return once ? body : choice
  }
}

const wordNode: RegexpNode = {
  kind: 'set',
  ignoreCase: false,
  set: {
    negated: false,
    parts: [wordProperties.map((property) => ({ kind: 'property', property, negated: false }))],
  },
}

/** The node if it is one character out of a set, perhaps in a group that does not capture. */
function singleLeaf(node: RegexpNode): RegexpNode | undefined {
  if (node.kind === 'char' || node.kind === 'any' || node.kind === 'set') return node
  return node.kind === 'group' && node.capture === undefined ? singleLeaf(node.node) : undefined
}

function hasCapture(node: RegexpNode): boolean {
  switch (node.kind) {
    case 'group':
      return node.capture !== undefined || hasCapture(node.node)
    case 'atomic':
    case 'look':
    case 'repeat':
      return hasCapture(node.node)
    case 'sequence':
    case 'alternatives':
      return node.nodes.some(hasCapture)
    default:
      return false
  }
}

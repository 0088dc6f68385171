import { Alphabet, noClass, trailClass } from './regexp-alphabet.ts'
import { RegexpInputError, regexpCacheBytes, regexpLearnSteps } from './regexp-limits.ts'
import { type Instruction, ops, type RegexpProgram } from './regexp-program.ts'

/**
 * Reads a text once, from its end to its beginning, and knows then for each place which instructions can still lead to
 * a match from there. With that, finding the match that a backtracking engine would find takes no backtracking: at a
 * choice the first one that can succeed is the one.
 *
 * What can succeed at a place follows from what can at the next one, and the characters around: so sets are states of
 * an automaton (run backwards), found when they are first needed, and kept. Cost: one look-up a character.
 */
export class Oracle {
  readonly alphabet: Alphabet
  private readonly program: RegexpProgram
  private readonly words: number
  private readonly predecessors: readonly (readonly number[])[]
  private readonly levels: readonly Level[]
  private readonly behindLeaves: readonly number[]
  private readonly kindKeys = new Map<string, number>()
  /** By kind: a class of it. */
  private readonly kindClass: number[] = []
  /** By class. */
  private kinds = new Uint16Array(0)
  private classCapacity = 16
  private kindCapacity = 4
  private states = new States(0, 0)
  private learnt = 0

  constructor(program: RegexpProgram) {
    this.program = program
    this.alphabet = new Alphabet(program.leaves)
    this.words = Math.ceil(program.code.length / 32)
    this.predecessors = findPredecessors(program.code)
    this.levels = findLevels(program)
    this.behindLeaves = [
      ...new Set(program.code.filter((i) => i.op === ops.behindSet).map((i) => i.index)),
    ]
    this.kindOf(noClass)
    this.clear()
  }

  /**
   * The first place from which a match may begin; -1: none. Fills `classes` and `states` with what stands at each place.
   * Throws RegexpInputError.
   */
  read(text: string, view: TextView): number {
    view.prepare(text)
    const { classes, states: ids } = view
    this.alphabet.classify(text, classes)
    this.makeRoom()
    this.learnt = 0
    const { kinds, kindCapacity } = this
    const { length } = text
    let before = length === 0 ? noClass : classAt(classes, length - 1)
    let state = this.initial(before === noClass ? 0 : (kinds[before] as number))
    ids[length] = state
    const { width } = this.states
    let { table, begins } = this.states
    let first = begins[state] === 1 ? length : -1
    for (let p = length - 1; p >= 0; p--) {
      const c = before
      if (classes[p] === trailClass) p -= 1
      before = p === 0 ? noClass : classAt(classes, p - 1)
      const k = p === 0 ? 0 : (kinds[before] as number)
      const at = state * width + c * kindCapacity + k
      const known = table[at] as number
      if (known > 0) {
        state = known - 1
      } else {
        state = this.learn(state, c, k, at)
        table = this.states.table
        begins = this.states.begins
      }
      ids[p] = state
      if (begins[state] === 1) first = p
    }
    return first
  }

  /** Steps that learning took for the last text. */
  get steps(): number {
    return this.learnt
  }

  /** By state, `words` numbers of 32 bits each: which instructions can lead to a match from there. */
  get sets(): { readonly bits: Uint32Array; readonly words: number } {
    return { bits: this.states.bits, words: this.words }
  }

  /** Whether the instruction can lead to a match from there. */
  can(instruction: number, state: number): boolean {
    const word = this.states.bits[state * this.words + (instruction >>> 5)] as number
    return (word & (1 << (instruction & 31))) !== 0
  }

  /** Classes are of one kind if no condition on the character before tells them apart. */
  private kindOf(c: number): number {
    const { newlineLeaf, wordLeaf } = this.program
    const has = (leaf: number) => (leaf >= 0 && this.alphabet.has(leaf, c) ? '1' : '0')
    const key =
      c === noClass ? '-' : [newlineLeaf, wordLeaf, ...this.behindLeaves].map(has).join('')
    let kind = this.kindKeys.get(key)
    if (kind === undefined) {
      kind = this.kindClass.push(c) - 1
      this.kindKeys.set(key, kind)
    }
    return kind
  }

  /** Before a text: forgets all if it takes too much room, or if the table is too narrow for new classes. */
  private makeRoom(): void {
    const classes = this.alphabet.members.length
    if (this.kinds.length !== classes) {
      this.kinds = Uint16Array.from({ length: classes }, (_, c) => this.kindOf(c))
    }
    const narrow = classes > this.classCapacity || this.kindClass.length > this.kindCapacity
    while (classes > this.classCapacity) this.classCapacity *= 2
    while (this.kindClass.length > this.kindCapacity) this.kindCapacity *= 2
    if (narrow || this.states.byteLength > regexpCacheBytes.resting) this.clear()
  }

  private clear(): void {
    this.states = new States(this.words, this.classCapacity * this.kindCapacity)
  }

  /** The state at the end of a text. */
  private initial(kind: number): number {
    const known = this.states.initial[kind]
    if (known !== undefined) return known
    const state = this.step({ after: -1, next: noClass, kind })
    this.states.initial[kind] = state
    return state
  }

  private learn(after: number, next: number, kind: number, at: number): number {
    const state = this.step({ after, next, kind })
    this.states.table[at] = state + 1
    return state
  }

  private step(around: Around): number {
    const { program, words, states } = this
    const set = new Uint32Array(words)
    let steps = words
    for (let depth = program.maxDepth; depth >= 0; depth--) {
      const queue = this.seeds(depth, around)
      for (const instruction of queue) set[instruction >>> 5]! |= 1 << (instruction & 31)
      for (let i = 0; i < queue.length; i++) {
        const reached = queue[i] as number
        for (const before of this.predecessors[reached] as readonly number[]) {
          if ((set[before >>> 5] as number) & (1 << (before & 31))) continue
          if (!this.passes(program.code[before] as Instruction, set, around)) continue
          set[before >>> 5]! |= 1 << (before & 31)
          queue.push(before)
        }
      }
      steps += queue.length
    }
    this.learnt += steps
    if (this.learnt > regexpLearnSteps || states.byteLength > regexpCacheBytes.working) {
      throw new RegexpInputError('a regular expression takes too many steps for this text')
    }
    return states.find(set, around.after < 0, program.start)
  }

  /** What can succeed at a depth because of the next character, or by itself. */
  private seeds(depth: number, around: Around): number[] {
    const level = this.levels[depth] as Level
    const seeds = [...level.ends]
    if (around.after < 0) return seeds
    const { code } = this.program
    const member = this.alphabet.members[around.next] as Uint8Array
    for (const at of level.characters) {
      const { index, next } = code[at] as Instruction
      if (member[index] === 1 && this.can(next, around.after)) seeds.push(at)
    }
    // A reference may take any characters: what it takes in truth is known later.
    for (const at of level.references) if (this.can(at, around.after)) seeds.push(at)
    return seeds
  }

  /** Whether an instruction that takes no character can lead to one that can succeed here. */
  private passes(instruction: Instruction, set: Uint32Array, around: Around): boolean {
    switch (instruction.op) {
      case ops.assert:
        return this.holds(instruction, around)
      case ops.behindSet: {
        const before = this.kindClass[around.kind] as number
        const inSet = before !== noClass && this.alphabet.has(instruction.index, before)
        return inSet !== instruction.negative
      }
      case ops.look: {
        if (instruction.reverse) return true
        const { body } = instruction
        const may = ((set[body >>> 5] as number) & (1 << (body & 31))) !== 0
        return instruction.negative ? !may || !instruction.certain : may
      }
      default:
        return true
    }
  }

  private holds(instruction: Instruction, around: Around): boolean {
    const before = this.kindClass[around.kind] as number
    const { next } = around
    const { newlineLeaf, wordLeaf } = this.program
    const isIn = (leaf: number, c: number) => c !== noClass && this.alphabet.has(leaf, c)
    switch (instruction.anchor) {
      case 'text_start':
        return before === noClass
      case 'text_end':
        return next === noClass
      case 'text_end_before_newline':
        return next === noClass || (isIn(newlineLeaf, next) && this.states.isEnd(around.after))
      case 'line_start':
        return before === noClass || (isIn(newlineLeaf, before) && next !== noClass)
      case 'line_end':
        return next === noClass || isIn(newlineLeaf, next)
      case 'word_boundary':
        return isIn(wordLeaf, before) !== isIn(wordLeaf, next)
      default:
        return isIn(wordLeaf, before) === isIn(wordLeaf, next)
    }
  }
}

/** The class of the character that ends with this unit. */
function classAt(classes: Uint16Array, at: number): number {
  const c = classes[at] as number
  return c === trailClass ? (classes[at - 1] as number) : c
}

/** The place for which a set is found. */
interface Around {
  /** The state behind the next character; -1: there is none. */
  readonly after: number
  /** The next character's class. */
  readonly next: number
  /** The kind of the character before. */
  readonly kind: number
}

/** Instructions of one depth from which finding a set begins. */
interface Level {
  readonly ends: number[]
  readonly characters: number[]
  readonly references: number[]
}

function findLevels(program: RegexpProgram): Level[] {
  const levels = Array.from(
    { length: program.maxDepth + 1 },
    (): Level => ({ ends: [], characters: [], references: [] }),
  )
  program.code.forEach((instruction, at) => {
    const level = levels[instruction.depth]
    if (level === undefined) return
    if (instruction.op === ops.match || instruction.op === ops.end) level.ends.push(at)
    if (instruction.op === ops.char) level.characters.push(at)
    if (instruction.op === ops.backreference) level.references.push(at)
  })
  return levels
}

/** By instruction: those that lead to it without taking a character. */
function findPredecessors(code: readonly Instruction[]): number[][] {
  const found: number[][] = code.map(() => [])
  code.forEach((instruction, at) => {
    if (instruction.op === ops.char || instruction.depth < 0) return
    const targets =
      instruction.op === ops.atomic
        ? [instruction.plain]
        : instruction.next >= 0
          ? [instruction.next]
          : instruction.targets
    for (const target of targets) found[target]?.push(at)
  })
  return found
}

/** The sets found so far, by number. */
class States {
  readonly width: number
  /** By state, class and kind: the state before that character, plus one; 0: not known yet. */
  table: Int32Array
  bits: Uint32Array
  begins: Uint8Array
  readonly initial: (number | undefined)[] = []
  private readonly words: number
  private readonly byKey = new Map<string, number>()
  private ends: Uint8Array
  private count = 0
  private capacity = 16

  constructor(words: number, width: number) {
    this.words = words
    this.width = width
    this.table = new Int32Array(this.capacity * width)
    this.bits = new Uint32Array(this.capacity * words)
    this.begins = new Uint8Array(this.capacity)
    this.ends = new Uint8Array(this.capacity)
  }

  get byteLength(): number {
    // The key's text and the map's entry too.
    return this.table.byteLength + this.count * (this.words * 8 + 64)
  }

  isEnd(state: number): boolean {
    return this.ends[state] === 1
  }

  find(set: Uint32Array, isEnd: boolean, start: number): number {
    const key = `${isEnd ? 'e' : ''}${String.fromCharCode(...new Uint16Array(set.buffer))}`
    const known = this.byKey.get(key)
    if (known !== undefined) return known
    if (this.count === this.capacity) this.grow()
    const state = this.count
    this.count += 1
    this.byKey.set(key, state)
    this.bits.set(set, state * this.words)
    this.ends[state] = isEnd ? 1 : 0
    this.begins[state] = ((set[start >>> 5] as number) >>> (start & 31)) & 1
    return state
  }

  private grow(): void {
    this.capacity *= 2
    const { table, bits, begins, ends } = this
    this.table = new Int32Array(this.capacity * this.width)
    this.table.set(table)
    this.bits = new Uint32Array(this.capacity * this.words)
    this.bits.set(bits)
    this.begins = new Uint8Array(this.capacity)
    this.begins.set(begins)
    this.ends = new Uint8Array(this.capacity)
    this.ends.set(ends)
  }
}

/** Room for what is known about each place of a text; one for all expressions, as only one is tried at a time. */
export class TextView {
  classes = new Uint16Array(1024)
  states = new Int32Array(1025)
  text = ''
  /** Whose the rest is. */
  reader: object | undefined

  prepare(text: string): void {
    this.text = text
    if (text.length <= this.classes.length) return
    const size = 2 ** Math.ceil(Math.log2(text.length))
    this.classes = new Uint16Array(size)
    this.states = new Int32Array(size + 1)
  }
}

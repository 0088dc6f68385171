import { noClass, trailClass } from './regexp-alphabet.ts'
import { RegexpInputError, regexpBacktrackSteps } from './regexp-limits.ts'
import { Oracle, TextView } from './regexp-oracle.ts'
import { type Instruction, ops, type RegexpProgram } from './regexp-program.ts'
import { splitText } from './regexp-split.ts'

const view = new TextView()

/** Marks on the stack of choices: a slot's or a register's former value. */
const slotMark = -1
const registerMark = -2

/**
 * Finds matches as Ruby does (the first place, the first of several ways), in time that grows with the text's length:
 * the oracle says beforehand which choices can succeed. Where it cannot know for certain, choices are taken back, as
 * often as `regexpBacktrackSteps` lets it.
 */
export class Walker {
  /** Choices made and taken back in the last text. */
  private choices = 0
  private readonly program: RegexpProgram
  private readonly oracle: Oracle
  private readonly slots: Int32Array
  private readonly registers: Int32Array
  /** Choices not taken yet: instruction and place; and what to put back, which has three numbers. */
  private stack: number[] = []
  // The same instructions as lists of numbers, for the way that most expressions go.
  private readonly opCodes: Uint8Array
  private readonly nexts: Int32Array
  private readonly firsts: Int32Array
  private readonly slotsOf: Int32Array
  private readonly depths: Int32Array
  private limit = 0
  private length = 0

  constructor(program: RegexpProgram) {
    this.program = program
    this.oracle = new Oracle(program)
    this.slots = new Int32Array(program.captureCount * 2)
    this.registers = new Int32Array(program.registerCount)
    const { code } = program
    this.opCodes = Uint8Array.from(code, (i) => i.op)
    this.nexts = Int32Array.from(code, (i) => i.next)
    this.firsts = Int32Array.from(code, (i) => i.targets[0] ?? -1)
    this.slotsOf = Int32Array.from(code, (i) => i.index)
    this.depths = Int32Array.from(code, (i) => i.depth)
  }

  /** Steps that the last text took beyond reading it once. */
  get steps(): number {
    return this.oracle.steps + this.choices
  }

  /** Whether it is found anywhere. Throws RegexpInputError. */
  test(text: string): boolean {
    const first = this.begin(text)
    if (first < 0 || this.program.exact) return first >= 0
    return this.search(first, text.length) !== undefined
  }

  /**
   * Where it begins and ends, at `from` or later, and then each capture; -1 where one took no part. Throws
   * RegexpInputError. Asked again about the same text, with a later `from`, it does not read that again.
   */
  match(text: string, from = 0): readonly number[] | undefined {
    const first = from > 0 && view.reader === this && view.text === text ? 0 : this.begin(text)
    if (first < 0) return undefined
    const found = this.search(Math.max(first, from), text.length)
    return found === undefined ? undefined : [found.start, found.end, ...this.slots]
  }

  /** As JavaScript's String#split, captures included. Throws RegexpInputError. */
  split(text: string): string[] {
    const first = this.begin(text)
    if (first < 0) return [text]
    return splitText(text, first, (from) => {
      const found = this.search(from, Math.max(0, text.length - 1))
      return found && { ...found, slots: this.slots }
    })
  }

  private begin(text: string): number {
    this.choices = 0
    this.length = text.length
    this.limit = regexpBacktrackSteps(text.length)
    view.reader = undefined
    const first = this.oracle.read(text, view)
    view.reader = this
    return first
  }

  /** The first match that begins at `from` or later, but not behind `last`. */
  private search(from: number, last: number): { start: number; end: number } | undefined {
    const { start } = this.program
    const { states, classes } = view
    for (let p = from; p <= last; p++) {
      if (p < this.length && classes[p] === trailClass) continue
      if (!this.oracle.can(start, states[p] as number)) continue
      this.slots.fill(-1)
      this.stack.length = 0
      const end = this.walk(start, p)
      if (end >= 0) return { start: p, end }
    }
    return undefined
  }

  private walk(from: number, at: number): number {
    const { exact } = this.program
    return exact && this.depths[from] !== -1 ? this.walkOn(from, at) : this.walkBack(from, at)
  }

  /**
   * From an instruction that can succeed to the end of what it belongs to, where nothing but what can succeed is ever
   * chosen: characters and conditions are known to be right.
   */
  private walkOn(from: number, at: number): number {
    const { opCodes, nexts, firsts, slotsOf, slots } = this
    const { states, classes } = view
    const { bits, words } = this.oracle.sets
    let pc = from
    let p = at
    for (;;) {
      switch (opCodes[pc]) {
        case ops.char:
          p += 1
          if (classes[p] === trailClass && p < this.length) p += 1
          pc = nexts[pc] as number
          break
        case ops.split: {
          const target = firsts[pc] as number
          const word = bits[(states[p] as number) * words + (target >>> 5)] as number
          pc = (word >>> (target & 31)) & 1 ? target : this.otherTarget(pc, p)
          break
        }
        case ops.save:
          slots[slotsOf[pc] as number] = p
          pc = nexts[pc] as number
          break
        case ops.end:
        case ops.match:
          return p
        case ops.look: {
          const { negative, capturing, body } = this.program.code[pc] as Instruction
          if (capturing && !negative) {
            // The same text can be looked at from many places.
            this.choices += this.walkOn(body, p) - p
            this.step()
          }
          pc = nexts[pc] as number
          break
        }
        default:
          pc = nexts[pc] as number
      }
    }
  }

  private otherTarget(pc: number, p: number): number {
    const { targets } = this.program.code[pc] as Instruction
    const last = targets.length - 1
    const state = view.states[p] as number
    for (let i = 1; i < last; i++) {
      if (this.oracle.can(targets[i] as number, state)) return targets[i] as number
    }
    return targets[last] as number
  }

  /** From an instruction to the end of what it belongs to: the place where that is; -1: it is not found there. */
  private walkBack(from: number, at: number): number {
    const { code } = this.program
    const { stack } = this
    const base = stack.length
    let pc = from
    let p = at
    for (;;) {
      const instruction = code[pc] as Instruction
      let next = -1
      switch (instruction.op) {
        case ops.char: {
          const to = this.take(instruction, p)
          if (to >= 0) {
            p = to
            next = instruction.next
          }
          break
        }
        case ops.split:
          next = this.choose(instruction, p)
          break
        case ops.save:
          this.save(this.slots, slotMark, instruction.index, p)
          next = instruction.next
          break
        case ops.end:
        case ops.match:
          return p
        default: {
          const to = this.other(instruction, p)
          if (to.at >= 0) p = to.at
          next = to.next
        }
      }
      if (next >= 0) {
        pc = next
        continue
      }
      if (!this.takeBack(base)) return -1
      p = stack.pop() as number
      pc = stack.pop() as number
    }
  }

  /** What is done seldom. `next` -1: it does not go on here. */
  private other(instruction: Instruction, p: number): { next: number; at: number } {
    const { next, index } = instruction
    const go = (ok: boolean) => ({ next: ok ? next : -1, at: p })
    switch (instruction.op) {
      case ops.assert:
        return go(this.holds(instruction, p))
      case ops.behindSet: {
        const before = this.classBefore(p)
        const inSet = before !== noClass && this.oracle.alphabet.has(index, before)
        return go(inSet !== instruction.negative)
      }
      case ops.look:
        return go(this.look(instruction, p))
      case ops.atomic: {
        const end = this.once(instruction.body, p)
        return { next: end < 0 ? -1 : next, at: end }
      }
      case ops.backreference: {
        const end = this.reference(instruction, p)
        return { next: end < 0 ? -1 : next, at: end }
      }
      case ops.turnStart:
        this.save(this.registers, registerMark, index, p)
        return go(true)
      case ops.turnEnd: {
        const [again, exit] = instruction.targets as [number, number]
        return { next: this.registers[index] === p ? exit : again, at: p }
      }
      default:
        return { next: -1, at: p }
    }
  }

  /** The place behind the character, or -1. */
  private take(instruction: Instruction, p: number): number {
    const { classes } = view
    if (instruction.reverse) return this.takeBefore(instruction, p)
    if (p >= this.length) return -1
    const c = classes[p] as number
    if (!this.oracle.alphabet.has(instruction.index, c)) return -1
    const after = p + 1
    return after < this.length && classes[after] === trailClass ? after + 1 : after
  }

  private takeBefore(instruction: Instruction, p: number): number {
    const c = this.classBefore(p)
    if (c === noClass || !this.oracle.alphabet.has(instruction.index, c)) return -1
    return view.classes[p - 1] === trailClass ? p - 2 : p - 1
  }

  private classBefore(p: number): number {
    if (p === 0) return noClass
    const before = view.classes[p - 1] as number
    return before === trailClass ? (view.classes[p - 2] as number) : before
  }

  /** The first target that may succeed; the others wait on the stack. */
  private choose(instruction: Instruction, p: number): number {
    const { targets, depth } = instruction
    const state = view.states[p] as number
    let chosen = -1
    for (let i = targets.length - 1; i >= 0; i--) {
      const target = targets[i] as number
      if (depth >= 0 && !this.oracle.can(target, state)) continue
      if (chosen >= 0) this.stack.push(chosen, p)
      chosen = target
    }
    this.step()
    return chosen
  }

  private step(): void {
    this.choices += 1
    if (this.choices > this.limit) {
      throw new RegexpInputError('a regular expression takes too many steps for this text')
    }
  }

  private save(values: Int32Array, mark: number, index: number, p: number): void {
    if (!this.program.exact) this.stack.push(values[index] as number, index, mark)
    values[index] = p
  }

  /** Back to the last choice, which is on the stack's top then; false: there is none above `base`. */
  private takeBack(base: number): boolean {
    const { stack } = this
    this.step()
    while (stack.length > base) {
      const top = stack[stack.length - 1] as number
      if (top >= 0) return true
      stack.pop()
      const values = top === slotMark ? this.slots : this.registers
      const index = stack.pop() as number
      values[index] = stack.pop() as number
    }
    return false
  }

  /** Walks a body to its end and lets its choices go; what to put back stays known. */
  private once(body: number, p: number): number {
    const base = this.stack.length
    const end = this.walk(body, p)
    if (end >= 0) this.forgetChoices(base)
    return end
  }

  private forgetChoices(base: number): void {
    const { stack } = this
    const kept: number[] = []
    for (let i = stack.length - 1; i >= base; ) {
      if ((stack[i] as number) < 0) {
        kept.push(stack[i] as number, stack[i - 1] as number, stack[i - 2] as number)
        i -= 3
      } else {
        i -= 2
      }
    }
    stack.length = base
    for (let i = kept.length - 1; i >= 0; i--) stack.push(kept[i] as number)
  }

  private look(instruction: Instruction, p: number): boolean {
    const { body, negative, certain, capturing } = instruction
    if (certain && (negative || !capturing)) {
      return this.oracle.can(body, view.states[p] as number) !== negative
    }
    const base = this.stack.length
    const found = this.once(body, p) >= 0
    if (negative && found) {
      // Captures inside have no meaning outside.
      this.takeBack(base)
    }
    return found !== negative
  }

  private reference(instruction: Instruction, p: number): number {
    const { captures } = instruction
    for (let i = captures.length - 1; i >= 0; i--) {
      const start = this.slots[(captures[i] as number) * 2] as number
      const end = this.slots[(captures[i] as number) * 2 + 1] as number
      if (start < 0 || end < 0) continue
      const length = Math.max(0, end - start)
      this.choices += length >>> 3
      this.step()
      const from = instruction.reverse ? p - length : p
      if (from < 0 || from + length > this.length) continue
      if (this.same(start, from, length)) return instruction.reverse ? from : p + length
    }
    return -1
  }

  private same(one: number, other: number, length: number): boolean {
    const a = view.text.slice(one, one + length)
    const b = view.text.slice(other, other + length)
    if (a === b) return true
    return this.program.ignoreCase && a.toLowerCase() === b.toLowerCase()
  }

  private holds(instruction: Instruction, p: number): boolean {
    const { newlineLeaf, wordLeaf } = this.program
    const isIn = (leaf: number, c: number) => c !== noClass && this.oracle.alphabet.has(leaf, c)
    const before = this.classBefore(p)
    const next = p < this.length ? (view.classes[p] as number) : noClass
    switch (instruction.anchor) {
      case 'text_start':
        return p === 0
      case 'text_end':
        return next === noClass
      case 'text_end_before_newline':
        return next === noClass || (isIn(newlineLeaf, next) && p === this.length - 1)
      case 'line_start':
        return p === 0 || (isIn(newlineLeaf, before) && next !== noClass)
      case 'line_end':
        return next === noClass || isIn(newlineLeaf, next)
      case 'word_boundary':
        return isIn(wordLeaf, before) !== isIn(wordLeaf, next)
      default:
        return isIn(wordLeaf, before) === isIn(wordLeaf, next)
    }
  }
}

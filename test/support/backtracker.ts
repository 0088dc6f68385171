import { type Instruction, ops, type RegexpProgram } from '../../src/text/regexp-program.ts'

/**
 * Finds an expression as an engine that backtracks does, and counts the characters it takes, those that it gives back too: what the proof that an expression
 * is linear is held against. Looks around, atomic groups, references and loops of what may be empty are not there.
 */
export class Backtracker {
  /** Characters taken since it was made. */
  taken = 0
  private readonly program: RegexpProgram
  private readonly limit: number

  /** Gives up, by an error, beyond `limit` characters taken. */
  constructor(program: RegexpProgram, limit = 10_000_000) {
    this.program = program
    this.limit = limit
  }

  /** Where the first match at or behind `from` begins and ends. */
  find(text: string, from = 0): { start: number; end: number } | undefined {
    for (let start = from; start <= text.length; start++) {
      const end = this.from(text, start)
      if (end >= 0) return { start, end }
    }
    return undefined
  }

  private from(text: string, start: number): number {
    const stack = [this.program.start, start]
    while (stack.length > 0) {
      const at = stack.pop() as number
      const instruction = this.program.code[stack.pop() as number] as Instruction
      switch (instruction.op) {
        case ops.char:
          if (at < text.length && this.has(instruction.index, text[at] as string)) {
            this.taken += 1
            if (this.taken > this.limit) throw new Error('too many steps')
            stack.push(instruction.next, at + 1)
          }
          break
        case ops.split:
          for (const target of [...instruction.targets].reverse()) stack.push(target, at)
          break
        case ops.save:
          stack.push(instruction.next, at)
          break
        case ops.assert:
          if (this.holds(instruction, text, at)) stack.push(instruction.next, at)
          break
        case ops.behindSet:
          if (
            (at > 0 && this.has(instruction.index, text[at - 1] as string)) !== instruction.negative
          ) {
            stack.push(instruction.next, at)
          }
          break
        case ops.match:
          return at
        default:
          throw new Error(`not for instruction ${instruction.op}`)
      }
    }
    return -1
  }

  private has(leaf: number, character: string): boolean {
    return this.program.leaves[leaf]?.pattern.test(character) ?? false
  }

  private holds(instruction: Instruction, text: string, at: number): boolean {
    const isWord = (i: number) => i >= 0 && i < text.length && /\w/.test(text[i] as string)
    switch (instruction.anchor) {
      case 'text_start':
        return at === 0
      case 'line_start':
        return at === 0 || (text[at - 1] === '\n' && at < text.length)
      case 'text_end':
        return at === text.length
      case 'text_end_before_newline':
        return at === text.length || (text[at] === '\n' && at === text.length - 1)
      case 'line_end':
        return at === text.length || text[at] === '\n'
      case 'word_boundary':
        return isWord(at - 1) !== isWord(at)
      default:
        return isWord(at - 1) === isWord(at)
    }
  }
}

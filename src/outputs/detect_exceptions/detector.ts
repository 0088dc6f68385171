import { RegexpInputError } from '../../text/regexp.ts'
import { type Rule, type State, startState } from './languages.ts'

/** What a line is to the trace at hand. */
export type LineKind = 'none' | 'starts' | 'inside' | 'ends'

/** The patterns of some languages, by state. Stateless: who follows a trace keeps its state. */
export class Detector {
  readonly #rules = new Map<State, Rule[]>()

  constructor(rules: readonly Rule[]) {
    for (const rule of new Set(rules)) {
      for (const from of rule.from) {
        const known = this.#rules.get(from) ?? []
        known.push(rule)
        this.#rules.set(from, known)
      }
    }
  }

  /** What `line` is after `state`, and the state after it. A line that does not go on with one trace may begin another. */
  look(state: State, line: string): { readonly kind: LineKind; readonly state: State } {
    const next = this.#after(state, line)
    const after = next ?? this.#after(startState, line) ?? startState
    const goesOn = after !== startState
    if (next === undefined) return { kind: goesOn ? 'starts' : 'none', state: after }
    return { kind: goesOn ? 'inside' : 'ends', state: after }
  }

  #after(state: State, line: string): State | undefined {
    for (const { pattern, to } of this.#rules.get(state) ?? []) {
      if (found(pattern, line)) return to
    }
    return undefined
  }
}

/** A line too long for an expression is part of no trace. */
function found(pattern: Rule['pattern'], line: string): boolean {
  try {
    return pattern.test(line)
  } catch (error) {
    if (error instanceof RegexpInputError) return false
    throw error
  }
}

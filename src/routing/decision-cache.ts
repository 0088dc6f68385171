import { decisionCharsPerGeneration, decisionsPerGeneration } from './limits.ts'

/**
 * What was decided for a tag, bounded: tags are chosen by clients. Two generations stand in for a
 * list in order of use: a hit costs one lookup, and what was used since the last change of
 * generation is never lost.
 */
export class DecisionCache<T> {
  readonly #entryLimit: number
  readonly #charLimit: number
  #young = new Map<string, T>()
  #old = new Map<string, T>()
  #youngChars = 0

  constructor(limits: { entries?: number; chars?: number } = {}) {
    this.#entryLimit = limits.entries ?? decisionsPerGeneration
    this.#charLimit = limits.chars ?? decisionCharsPerGeneration
  }

  get(tag: string): T | undefined {
    const decision = this.#young.get(tag)
    if (decision !== undefined) return decision
    const older = this.#old.get(tag)
    if (older !== undefined) this.set(tag, older)
    return older
  }

  set(tag: string, decision: T): void {
    // A single tag longer than the limit is not worth remembering.
    if (tag.length > this.#charLimit) return
    if (this.#young.size >= this.#entryLimit || this.#youngChars + tag.length > this.#charLimit) {
      this.#old = this.#young
      this.#young = new Map()
      this.#youngChars = 0
    }
    this.#young.set(tag, decision)
    this.#youngChars += tag.length
  }

  get size(): number {
    return this.#young.size + this.#old.size
  }
}

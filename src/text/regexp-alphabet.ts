import type { Leaf } from './regexp-program.ts'

/** The second half of a character of two UTF-16 units. */
export const trailClass = 0xffff
/** Stands for "no character": the text begins, or ends, here. */
export const noClass = 0xfffe

const pageChars = 256

/**
 * Characters by class: those that are in the same sets of an expression are one to it. Classes are found page by page,
 * when a text first has a character of the page.
 */
export class Alphabet {
  /** By class: which leaves hold its characters. */
  readonly members: Uint8Array[] = []
  private readonly leaves: readonly Leaf[]
  private readonly classes = new Map<string, number>()
  private readonly pages = new Map<number, Uint16Array>()
  private first: Uint16Array | undefined

  constructor(leaves: readonly Leaf[]) {
    this.leaves = leaves
  }

  has(leaf: number, characterClass: number): boolean {
    return (this.members[characterClass] as Uint8Array)[leaf] === 1
  }

  /** Writes the class of each unit of the text. */
  classify(text: string, into: Uint16Array): void {
    this.first ??= this.page(0)
    const first = this.first
    for (let i = 0; i < text.length; i++) {
      const unit = text.charCodeAt(i)
      if (unit < pageChars) {
        into[i] = first[unit] as number
      } else if (unit >= 0xd800 && unit < 0xdc00) {
        const code = text.codePointAt(i) as number
        into[i] = this.classOf(code)
        if (code > 0xffff) {
          i += 1
          into[i] = trailClass
        }
      } else {
        into[i] = this.classOf(unit)
      }
    }
  }

  classOf(code: number): number {
    const number = code >> 8
    let page = this.pages.get(number)
    if (page === undefined) {
      page = this.page(number)
      this.pages.set(number, page)
    }
    return page[code & 0xff] as number
  }

  private page(number: number): Uint16Array {
    const page = new Uint16Array(pageChars)
    for (let i = 0; i < pageChars; i++) {
      const character = String.fromCodePoint(number * pageChars + i)
      const member = Uint8Array.from(this.leaves, (leaf) => (leaf.pattern.test(character) ? 1 : 0))
      const key = member.join('')
      let found = this.classes.get(key)
      if (found === undefined) {
        found = this.members.push(member) - 1
        this.classes.set(key, found)
      }
      page[i] = found
    }
    return page
  }
}

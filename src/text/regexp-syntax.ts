/**
 * A Ruby (Onigmo) regular expression as a tree: what the parser gives, and what a matcher is made from. Options are
 * dealt with already: case-insensitive nodes are marked, `.` knows whether it takes a newline.
 */
export type RegexpNode =
  | { readonly kind: 'char'; readonly code: number; readonly ignoreCase: boolean }
  | { readonly kind: 'any'; readonly newline: boolean }
  | { readonly kind: 'set'; readonly set: CharSet; readonly ignoreCase: boolean }
  | { readonly kind: 'anchor'; readonly at: Anchor }
  /** `capture`: index into RegexpTree.captures; undefined: only groups. */
  | { readonly kind: 'group'; readonly capture: number | undefined; readonly node: RegexpNode }
  | { readonly kind: 'atomic'; readonly node: RegexpNode }
  | {
      readonly kind: 'look'
      readonly ahead: boolean
      readonly negative: boolean
      readonly node: RegexpNode
    }
  | {
      readonly kind: 'repeat'
      readonly node: RegexpNode
      readonly min: number
      readonly max: number
      readonly mode: 'greedy' | 'lazy' | 'possessive'
    }
  | { readonly kind: 'sequence'; readonly nodes: readonly RegexpNode[] }
  | { readonly kind: 'alternatives'; readonly nodes: readonly RegexpNode[] }
  /** Any of the captures that took part, the last one first. */
  | { readonly kind: 'backreference'; readonly captures: readonly number[] }

export type Anchor =
  | 'text_start' // \A
  | 'text_end' // \z
  | 'text_end_before_newline' // \Z
  | 'line_start' // ^
  | 'line_end' // $
  | 'word_boundary' // \b
  | 'not_word_boundary' // \B

/** What is in all of `parts`; each part is what is in any of its items. */
export interface CharSet {
  readonly negated: boolean
  readonly parts: readonly (readonly SetItem[])[]
}

export type SetItem =
  | { readonly kind: 'range'; readonly from: number; readonly to: number }
  /** `property`: as JavaScript writes it inside \p{…}. */
  | { readonly kind: 'property'; readonly property: string; readonly negated: boolean }
  | { readonly kind: 'set'; readonly set: CharSet }

export interface RegexpTree {
  readonly node: RegexpNode
  /** By capture index: its name, or undefined for a plain group (only where no group has a name). */
  readonly captures: readonly (string | undefined)[]
}

/** What is wrong with an expression, as a sentence; `at` is the offset in its source. */
export class RegexpSyntaxError extends Error {
  override readonly name = 'RegexpSyntaxError'
  readonly at: number

  constructor(message: string, at: number) {
    super(message)
    this.at = at
  }
}

export const range = (from: number, to = from): SetItem => ({ kind: 'range', from, to })

export const union = (items: readonly SetItem[], negated = false): CharSet => ({
  negated,
  parts: [items],
})

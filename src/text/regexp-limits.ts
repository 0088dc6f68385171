/** UTF-16 units of a text up to which users' expressions are tried on it. */
export const regexpInputLimitChars = 1024 * 1024

/** An expression cannot be tried on the text: that is too long, or the work would have no end. */
export class RegexpInputError extends Error {
  override readonly name = 'RegexpInputError'
}

/** Bytes that what was learnt about one expression may take, between texts and while one is read. */
export const regexpCacheBytes = { resting: 2 * 1024 * 1024, working: 16 * 1024 * 1024 }

/**
 * Instructions that may be looked at to learn how an expression goes on, for one text. What was learnt stays: texts of
 * the same kind need nearly none.
 */
export const regexpLearnSteps = 20_000_000

/**
 * Instructions that may be done beyond those that only go forward, where an expression (one with references, atomic
 * groups, loops of what may be empty) has to take choices back. Grows with the text, within limits.
 */
export function regexpBacktrackSteps(chars: number): number {
  return 20_000 + Math.min(100 * chars, 5_000_000) + 20 * chars
}

import { JsonError } from './json.ts'

/** Offsets of a value in its text: of its first byte, and behind its last one. White space may stand around it. */
export interface JsonRange {
  readonly start: number
  readonly end: number
}

/**
 * The values that a JSON text is made of, so that a long array need not be read at once: the elements where it is an array,
 * the text itself otherwise. Linear; what lies between commas is not looked at (parseJson does). Throws JsonError where the
 * array itself is broken, which may be after some of its elements.
 */
export function* jsonElements(bytes: Uint8Array): Generator<JsonRange, void, void> {
  const first = skipSpace(bytes, 0)
  if (bytes[first] !== 0x5b) {
    yield { start: 0, end: bytes.length }
    return
  }
  let start = first + 1
  if (bytes[skipSpace(bytes, start)] === 0x5d) {
    checkEnd(bytes, skipSpace(bytes, start) + 1)
    return
  }
  for (;;) {
    const end = elementEnd(bytes, start)
    yield { start, end }
    start = end + 1
    if (bytes[end] === 0x5d) break
  }
  checkEnd(bytes, start)
}

/** Where the comma or the bracket behind the element stands. */
function elementEnd(bytes: Uint8Array, from: number): number {
  let depth = 0
  for (let at = from; at < bytes.length; at++) {
    const c = bytes[at] as number
    if (c === 0x22) at = stringEnd(bytes, at)
    else if (c === 0x7b || c === 0x5b) depth += 1
    else if (depth === 0 && (c === 0x2c || c === 0x5d)) return at
    else if (c === 0x7d || c === 0x5d) depth -= 1
  }
  throw new JsonError('incomplete', 'JSON ends inside a value')
}

/** Of the closing quote; `at` is the opening one's. */
function stringEnd(bytes: Uint8Array, at: number): number {
  for (let p = at + 1; p < bytes.length; p++) {
    const c = bytes[p]
    if (c === 0x5c) p += 1
    else if (c === 0x22) return p
  }
  throw new JsonError('incomplete', 'JSON ends inside a value')
}

function checkEnd(bytes: Uint8Array, from: number): void {
  const at = skipSpace(bytes, from)
  if (at < bytes.length) throw new JsonError('invalid', `something follows at byte ${at + 1}`)
}

function skipSpace(bytes: Uint8Array, from: number): number {
  let at = from
  while (bytes[at] === 0x20 || bytes[at] === 0x0a || bytes[at] === 0x0d || bytes[at] === 0x09) at++
  return at
}

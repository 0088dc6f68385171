import { maxDepth } from '../core/batch.ts'

/** Bytes that are not what they should be. `code` is the kind, `at` the offset where it showed. */
export class MsgpackError extends Error {
  readonly code: MsgpackErrorCode
  readonly at: number
  constructor(code: MsgpackErrorCode, at: number) {
    super(`${messages[code]} at byte ${at}`)
    this.name = 'MsgpackError'
    this.code = code
    this.at = at
  }
}

export type MsgpackErrorCode = 'truncated' | 'invalid_byte' | 'too_deep' | 'wrong_type'

const messages: Record<MsgpackErrorCode, string> = {
  truncated: 'the bytes end inside a MessagePack value',
  invalid_byte: 'byte 0xc1, which MessagePack never uses',
  too_deep: `arrays and maps nested more than ${maxDepth} deep`,
  wrong_type: 'a MessagePack value of another type than expected',
}

/**
 * Items still to come at each level of nesting. One for all calls: a walk never calls anything that walks.
 * Doubles, because a map may declare 2^33 - 2 items.
 */
const pending = new Float64Array(maxDepth + 1)

/**
 * Where the value at `at` ends. Reads nothing at or beyond `end`, recurses nowhere, and a count costs nothing until
 * its items are there. `depth` is how many levels of arrays and maps the value itself may have.
 * Throws MsgpackError.
 */
export function skipValue(
  bytes: Uint8Array,
  at: number,
  end = bytes.length,
  depth = maxDepth,
): number {
  let p = at
  let level = 0
  pending[0] = 1
  for (;;) {
    while (pending[level] === 0) {
      if (level === 0) return p
      level--
    }
    pending[level]!--
    if (p >= end) throw new MsgpackError('truncated', p)
    const items = itemsAt(bytes, p, end)
    p += headLength(bytes[p]!)
    if (items < 0) {
      p += -1 - items
      if (p > end) throw new MsgpackError('truncated', end)
      continue
    }
    if (++level > depth) throw new MsgpackError('too_deep', p)
    pending[level] = items
  }
}

export function isMap(head: number): boolean {
  return (head >= 0x80 && head < 0x90) || head === 0xde || head === 0xdf
}

/** How many items the array there says it has; undefined: it is none. Throws MsgpackError. */
export function arrayItems(bytes: Uint8Array, at: number): number | undefined {
  const head = bytes[at] as number
  if (head >= 0x90 && head < 0xa0) return head & 15
  if (head !== 0xdc && head !== 0xdd) return undefined
  if (at + headLength(head) > bytes.length) throw new MsgpackError('truncated', at)
  return head === 0xdc ? uint16At(bytes, at + 1) : uint32At(bytes, at + 1)
}

/** Keys and elements of arrays, at all levels together, of the whole values in [at, end). */
export function countItems(bytes: Uint8Array, at = 0, end = bytes.length): number {
  let count = 0
  for (let p = at; p < end; ) {
    const head = bytes[p]!
    const items = itemsAt(bytes, p, end)
    p += headLength(head)
    if (items < 0) p += -1 - items
    else count += isMap(head) ? items / 2 : items
  }
  return count
}

/**
 * What follows the head at `p`: 0 or more, the items of an array or map (two for each pair); below 0, a scalar whose
 * payload is (-1 - result) bytes long.
 */
function itemsAt(bytes: Uint8Array, p: number, end: number): number {
  const head = bytes[p]!
  if (head < 0x80 || head >= 0xe0) return ~0
  if (head < 0x90) return (head & 15) * 2
  if (head < 0xa0) return head & 15
  if (head < 0xc0) return ~(head & 31)
  if (p + headLength(head) > end) throw new MsgpackError('truncated', end)
  switch (head) {
    case 0xc1:
      throw new MsgpackError('invalid_byte', p)
    case 0xc4:
    case 0xd9:
      return ~bytes[p + 1]!
    case 0xc5:
    case 0xda:
      return ~uint16At(bytes, p + 1)
    case 0xc6:
    case 0xdb:
      return -1 - uint32At(bytes, p + 1)
    case 0xc7:
      return ~(bytes[p + 1]! + 1)
    case 0xc8:
      return ~(uint16At(bytes, p + 1) + 1)
    case 0xc9:
      return -2 - uint32At(bytes, p + 1)
    case 0xdc:
      return uint16At(bytes, p + 1)
    case 0xdd:
      return uint32At(bytes, p + 1)
    case 0xde:
      return uint16At(bytes, p + 1) * 2
    case 0xdf:
      return uint32At(bytes, p + 1) * 2
    default:
      return ~0
  }
}

/** Bytes of the head: the first byte and, where there are any, its length field or its fixed-width value. */
const headLengths = new Uint8Array(256).fill(1)
for (const [head, length] of [
  [0xc4, 2],
  [0xc5, 3],
  [0xc6, 5],
  [0xc7, 2],
  [0xc8, 3],
  [0xc9, 5],
  [0xca, 5],
  [0xcb, 9],
  [0xcc, 2],
  [0xcd, 3],
  [0xce, 5],
  [0xcf, 9],
  [0xd0, 2],
  [0xd1, 3],
  [0xd2, 5],
  [0xd3, 9],
  [0xd4, 3],
  [0xd5, 4],
  [0xd6, 6],
  [0xd7, 10],
  [0xd8, 18],
  [0xd9, 2],
  [0xda, 3],
  [0xdb, 5],
  [0xdc, 3],
  [0xdd, 5],
  [0xde, 3],
  [0xdf, 5],
] as const) {
  headLengths[head] = length
}

export function headLength(head: number): number {
  return headLengths[head]!
}

export function uint16At(bytes: Uint8Array, p: number): number {
  return (bytes[p]! << 8) | bytes[p + 1]!
}

export function uint32At(bytes: Uint8Array, p: number): number {
  return ((bytes[p]! << 24) | (bytes[p + 1]! << 16) | (bytes[p + 2]! << 8) | bytes[p + 3]!) >>> 0
}

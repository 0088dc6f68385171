import type { Receipt } from './receipt.ts'

/**
 * Events of one tag: packed MessagePack entries `[time, record]`, end to end.
 *
 * Invariants, established by the kernel when the bytes arrive and relied upon everywhere after it:
 * every entry is an array of exactly two (0x92), its time an integer or an EventTime (fixext8 or ext8,
 * type 0), its record a map; every length lies inside `packed`; nesting is at most `maxDepth`; `count` is the
 * number of entries walked, never a hint from the wire.
 *
 * Borrowed: `packed` is valid until the synchronous part of the `emit` (or `format`, `apply`) it was
 * handed to returns. It may be a view of kernel memory, which the next read overwrites. Whoever keeps the
 * bytes copies them. Nobody writes to them.
 */
export interface Batch {
  readonly tag: string
  readonly packed: Uint8Array
  readonly count: number
  /** Whoever makes another batch of this one hands it on. */
  readonly receipt?: Receipt | undefined
}

/** Nesting depth (arrays and maps, the entry itself included) that any part of Sluice accepts. */
export const maxDepth = 64

/**
 * Keys and elements of arrays, at all levels together, that a record may have where no parameter says otherwise. It is
 * written in one go, and others wait meanwhile.
 */
export const maxRecordItems = 10_000

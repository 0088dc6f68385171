import type { Stream } from '../../records/streams.ts'
import { HeldReceipts } from '../../routing/slip.ts'

/** Parts of one event that wait for the rest. */
export interface Group extends Stream {
  readonly tag: string
  /** The first part's entry, and where its record begins in it. */
  readonly first: Uint8Array
  readonly firstRecordAt: number
  /** Of all its parts' records. */
  recordBytes: number
  /** Texts of the parts, with the place that they claim, where they claim one. */
  readonly receipts: HeldReceipts
  readonly texts: { readonly bytes: Uint8Array; readonly ordinal: number }[]
}

/** Makes a group of its first part; the bytes are copied. */
export function createGroup(
  identity: string,
  tag: string,
  part: { packed: Uint8Array; start: number; timeEnd: number; end: number },
): Group {
  return {
    identity,
    tag,
    // Not slice: of a Buffer that is a view.
    first: new Uint8Array(part.packed.subarray(part.start, part.end)),
    firstRecordAt: part.timeEnd - part.start,
    recordBytes: 0,
    receipts: new HeldReceipts(),
    texts: [],
    heldBytes: 0,
    touchedMs: 0,
  }
}

/** In the order of their ordinals; those that claim the same place in the order they came in. */
export function joinedText(group: Group, separator: Uint8Array, sorted: boolean): Uint8Array {
  const { texts } = group
  const order = sorted ? [...texts].sort((a, b) => a.ordinal - b.ordinal) : texts
  const pieces: Uint8Array[] = []
  for (const [i, { bytes }] of order.entries()) {
    if (i > 0) pieces.push(separator)
    pieces.push(bytes)
  }
  return Buffer.concat(pieces)
}

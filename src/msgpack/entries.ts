import type { Batch } from '../core/batch.ts'
import { EventTime, type MsgMap, type MsgValue } from '../core/value.ts'
import { decode, integerAt, Reader } from './decode.ts'
import { headLength, MsgpackError, skipValue, uint16At, uint32At } from './walk.ts'

/**
 * Lazy access to a batch's events: an event is three offsets into `packed`, and what is not asked for is not decoded.
 *
 *   eachEntry(batch.packed, (start, timeEnd, end) => {
 *     const at = findField(batch.packed, timeEnd, levelKey)       // of the record's value, or -1
 *     if (at >= 0 && textAt(batch.packed, at) === 'info') encoder.raw(batch.packed, start, end)
 *   })
 *
 * The bytes are those of a Batch, already checked; lengths are checked all the same.
 */
export function eachEntry(
  packed: Uint8Array,
  visit: (start: number, timeEnd: number, end: number) => void,
): void {
  let start = 0
  while (start < packed.length) {
    if (packed[start] !== 0x92) throw new MsgpackError('wrong_type', start)
    const timeEnd = skipValue(packed, start + 1)
    const end = skipValue(packed, timeEnd)
    visit(start, timeEnd, end)
    start = end
  }
}

/** The time of the entry that starts at `start`. A time beyond the safe integers becomes the nearest of them. */
export function decodeTime(packed: Uint8Array, start: number): EventTime {
  const at = start + 1
  const head = packed[at]
  if (head === 0xd7) return new EventTime(uint32At(packed, at + 2), uint32At(packed, at + 6))
  if (head === 0xc7) return new EventTime(uint32At(packed, at + 3), uint32At(packed, at + 7))
  const seconds = Number(integerAt(packed, at))
  const limit = Number.MAX_SAFE_INTEGER
  return new EventTime(Math.min(Math.max(seconds, -limit), limit), undefined)
}

/** The record that starts at `timeEnd`: a Map of its own. Throws MsgpackError if it is no map. */
export function decodeRecord(packed: Uint8Array, timeEnd: number): MsgMap {
  const record = decode(packed, timeEnd)
  if (!(record instanceof Map)) throw new MsgpackError('wrong_type', timeEnd)
  return record
}

/** All of a batch, decoded. For tests and for rare paths: it makes objects for every event. */
export function decodeBatch(batch: Pick<Batch, 'packed'>): { time: EventTime; record: MsgMap }[] {
  const events: { time: EventTime; record: MsgMap }[] = []
  eachEntry(batch.packed, (start, timeEnd) => {
    events.push({
      time: decodeTime(batch.packed, start),
      record: decodeRecord(batch.packed, timeEnd),
    })
  })
  return events
}

/** A record's key, ready to be searched for. Make it once. */
export interface FieldKey {
  readonly name: string
  readonly bytes: Uint8Array
  /** Whether a key sent as bin is the same key (to Ruby it is, as long as it is ASCII). */
  readonly matchesBinary: boolean
}

export function fieldKey(name: string): FieldKey {
  const bytes = new TextEncoder().encode(name)
  return { name, bytes, matchesBinary: bytes.every((byte) => byte < 0x80) }
}

/** Pairs of the map whose head stands at `at`. Throws MsgpackError if it is no map. */
export function pairCount(packed: Uint8Array, at: number): number {
  const head = packed[at]!
  if (head >= 0x80 && head < 0x90) return head & 15
  if (head === 0xde) return uint16At(packed, at + 1)
  if (head === 0xdf) return uint32At(packed, at + 1)
  throw new MsgpackError('wrong_type', at)
}

/**
 * Calls `visit` for the pairs of the map at `at`, in order, and returns where the map ends. Offsets: of the key, of the
 * value, of the value's end.
 */
export function eachPair(
  packed: Uint8Array,
  at: number,
  visit: (keyAt: number, valueAt: number, end: number) => void,
): number {
  const pairs = pairCount(packed, at)
  let p = at + headLength(packed[at]!)
  for (let i = 0; i < pairs; i++) {
    const valueAt = skipValue(packed, p)
    const end = skipValue(packed, valueAt)
    visit(p, valueAt, end)
    p = end
  }
  return p
}

/**
 * Offset of the value that `key` has in the map at `at` (a record: `timeEnd`), or -1. The last of several wins, as in
 * a decoded record. Nested values: search again from the offset found.
 */
export function findField(packed: Uint8Array, at: number, key: FieldKey): number {
  const pairs = pairCount(packed, at)
  let p = at + headLength(packed[at]!)
  let found = -1
  for (let i = 0; i < pairs; i++) {
    const matches = isKey(packed, p, key)
    p = skipValue(packed, p)
    if (matches) found = p
    p = skipValue(packed, p)
  }
  return found
}

/** Whether the value at `at` is the string `key`. */
function isKey(packed: Uint8Array, at: number, key: FieldKey): boolean {
  const length = stringLength(packed, at, key.matchesBinary)
  const bytes = key.bytes
  if (length !== bytes.length) return false
  const start = at + headLength(packed[at]!)
  if (start + length > packed.length) return false
  for (let i = 0; i < length; i++) {
    if (packed[start + i] !== bytes[i]) return false
  }
  return true
}

/** Bytes of the str (or bin, if wanted) whose head stands at `at`; -1 if it is none. */
export function stringLength(packed: Uint8Array, at: number, binaryToo = false): number {
  const head = packed[at]!
  if (head >= 0xa0 && head < 0xc0) return head & 31
  if (head === 0xd9 || (binaryToo && head === 0xc4)) return packed[at + 1]!
  if (head === 0xda || (binaryToo && head === 0xc5)) return uint16At(packed, at + 1)
  if (head === 0xdb || (binaryToo && head === 0xc6)) return uint32At(packed, at + 1)
  return -1
}

/**
 * The text of the str at `at`; undefined if it is something else. Bytes that are not UTF-8 show as U+FFFD: to search in and
 * to print, not to write back.
 */
export function textAt(packed: Uint8Array, at: number): string | undefined {
  const length = stringLength(packed, at)
  if (length < 0) return undefined
  const start = at + headLength(packed[at]!)
  if (start + length > packed.length) throw new MsgpackError('truncated', packed.length)
  return Buffer.from(packed.buffer, packed.byteOffset + start, length).toString('utf8')
}

/** The value at `at`, decoded. */
export function valueAt(packed: Uint8Array, at: number): MsgValue {
  return new Reader(packed, at).value()
}

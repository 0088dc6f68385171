import { RawString } from '../core/value.ts'
import type { Encoder } from '../msgpack/encode.ts'
import { eachPair, stringLength, valueAt } from '../msgpack/entries.ts'
import { headLength, skipValue } from '../msgpack/walk.ts'
import { fieldText } from '../text/field-text.ts'

/** A record inside of packed bytes. */
export interface RecordPlace {
  readonly packed: Uint8Array
  readonly recordAt: number
}

export interface Joined {
  readonly first: RecordPlace
  /** The part that completed it; its fields count where the first has none, and their order is the event's. */
  readonly last: RecordPlace | undefined
  /** The field that is joined (by keyName, as are the names in the sets), and its bytes. */
  readonly key: string
  readonly text: Uint8Array
  /** Fields taken away. */
  readonly without: ReadonlySet<string>
  /** Fields that the last part decides about. */
  readonly fromLast: ReadonlySet<string>
}

/** The bytes of a field's text; of what is no text, as Ruby's to_s has it. Views of `packed` where they can be. */
export function textBytes(packed: Uint8Array, at: number): Uint8Array {
  const length = stringLength(packed, at, true)
  if (length < 0) return Buffer.from(fieldText(valueAt(packed, at)))
  const start = at + headLength(packed[at] as number)
  return packed.subarray(start, start + length)
}

/** Writes the record. Values keep their bytes. */
export function writeJoined(encoder: Encoder, joined: Joined): void {
  const { first, last, without, fromLast } = joined
  const pairs: { key: string; from: Uint8Array; keyAt: number; at: number }[] = []
  const firsts = last === undefined ? undefined : valuesOf(first)
  const seen = new Set<string>()
  const visit = ({ packed, recordAt }: RecordPlace, isLast: boolean) =>
    eachPair(packed, recordAt, (keyAt, at) => {
      const key = keyOf(packed, keyAt, at)
      if (without.has(key) || seen.has(key)) return
      if (!isLast && last !== undefined && fromLast.has(key)) return
      seen.add(key)
      const other = isLast && !fromLast.has(key) ? firsts?.get(key) : undefined
      const from = other === undefined ? packed : first.packed
      pairs.push({ key, from, keyAt: other?.keyAt ?? keyAt, at: other?.at ?? at })
    })
  if (last !== undefined) visit(last, true)
  visit(first, false)
  const values = last === undefined ? valuesOf(first) : undefined
  encoder.mapHeader(pairs.length)
  for (const pair of pairs) {
    const place = values?.get(pair.key) ?? pair
    encoder.raw(pair.from, pair.keyAt, skipValue(pair.from, pair.keyAt))
    if (pair.key === joined.key) encoder.value(new RawString(joined.text))
    else encoder.raw(pair.from, place.at, skipValue(pair.from, place.at))
  }
}

/** Where values stand, by key; of a key that is there twice the last. */
function valuesOf({ packed, recordAt }: RecordPlace): Map<string, { keyAt: number; at: number }> {
  const values = new Map<string, { keyAt: number; at: number }>()
  eachPair(packed, recordAt, (keyAt, at) => {
    values.set(keyOf(packed, keyAt, at), { keyAt, at })
  })
  return values
}

/** How a field's name stands in sets of keys here. */
export function keyName(name: string): string {
  return Buffer.from(name).toString('latin1')
}

/** A text key as keyName has it; another with a mark in front that no text begins with. */
function keyOf(packed: Uint8Array, keyAt: number, end: number): string {
  const length = stringLength(packed, keyAt)
  const buffer = Buffer.from(packed.buffer, packed.byteOffset, packed.byteLength)
  return length >= 0
    ? buffer.toString('latin1', end - length, end)
    : `\uffff${buffer.toString('latin1', keyAt, end)}`
}

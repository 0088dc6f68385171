import type { EventTime, MsgMap, MsgValue } from '../../core/value.ts'
import {
  decodeRecord,
  decodeTime,
  type FieldKey,
  findField,
  valueAt,
} from '../../msgpack/entries.ts'
import type { MatchValue } from './values.ts'

/** What an expression sees of the event at hand. One for all events: set before each. */
export class Scope {
  tag = ''
  tagParts: readonly string[] = []
  lastMatch: MatchValue | null = null
  /** Fields that the filter has set in this event already, where expressions see them. */
  readonly changed = new Map<string, MsgValue>()
  #packed: Uint8Array = new Uint8Array(0)
  #entryAt = 0
  #recordAt = 0

  /** The entry that starts at `entryAt`, and whose record at `recordAt`. */
  setEvent(packed: Uint8Array, entryAt: number, recordAt: number): void {
    this.#packed = packed
    this.#entryAt = entryAt
    this.#recordAt = recordAt
    this.lastMatch = null
    if (this.changed.size > 0) this.changed.clear()
  }

  setTag(tag: string): void {
    if (tag === this.tag && this.tagParts.length > 0) return
    this.tag = tag
    const parts = tag.split('.')
    // As in Ruby's split: nothing empty at the end.
    while (parts.length > 0 && parts.at(-1) === '') parts.pop()
    this.tagParts = parts
  }

  /** undefined: the record has it not. Nothing else of the record is decoded. */
  field(key: FieldKey): MsgValue | undefined {
    const changed = this.changed.get(key.name)
    if (changed !== undefined) return changed
    const at = findField(this.#packed, this.#recordAt, key)
    return at < 0 ? undefined : valueAt(this.#packed, at)
  }

  /** All of it. */
  record(): MsgMap {
    const record = decodeRecord(this.#packed, this.#recordAt)
    for (const [key, value] of this.changed) record.set(key, value)
    return record
  }

  time(): EventTime {
    return decodeTime(this.#packed, this.#entryAt)
  }
}

import type { Batch } from '../../src/core/batch.ts'
import { EventTime, type MsgMap, type MsgValue } from '../../src/core/value.ts'
import { Encoder } from '../../src/msgpack/encode.ts'
import { decodeBatch } from '../../src/msgpack/entries.ts'

/** A record from an object: nested plain objects become maps. */
export function recordOf(object: object): MsgMap {
  return new Map(Object.entries(object).map(([key, value]) => [key, toValue(value)]))
}

function toValue(value: unknown): MsgValue {
  if (Array.isArray(value)) return value.map(toValue)
  const isPlain =
    typeof value === 'object' && value !== null && Object.getPrototypeOf(value) === Object.prototype
  return isPlain ? recordOf(value) : (value as MsgValue)
}

/** Events at 1700000000, 1700000001 … */
export function batchOf(tag: string, records: readonly object[]): Batch {
  const encoder = new Encoder()
  records.forEach((record, i) => {
    encoder.entry(new EventTime(1_700_000_000 + i, undefined))
    encoder.value(record instanceof Map ? record : recordOf(record))
  })
  return { tag, packed: encoder.copy(), count: records.length }
}

/** What is in the batch: `[seconds, record]`, after a look at its count. */
export function eventsOf(batch: Batch | undefined): [number, MsgMap][] {
  if (batch === undefined) return []
  const events = decodeBatch(batch)
  if (events.length !== batch.count) {
    throw new Error(`the batch says ${batch.count} events and has ${events.length}`)
  }
  return events.map(({ time, record }) => [time.seconds, record])
}

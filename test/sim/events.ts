import type { Batch } from '../../src/core/batch.ts'
import { EventTime } from '../../src/core/value.ts'
import { Encoder } from '../../src/msgpack/encode.ts'

/** An event's number says who sent it, and as the how manieth. */
export const eventsPerClient = 1_000_000

export const clientOf = (id: number): number => Math.floor(id / eventsPerClient)

export interface EventPlan {
  readonly id: number
  readonly seconds: number
  /** Characters of padding. */
  readonly padding: number
  /** Value of the field that chunks may be separated by. */
  readonly key: string
}

const encoder = new Encoder()

/** Records `{id, k, pad}`. */
export function batchOfEvents(tag: string, events: readonly EventPlan[]): Batch {
  encoder.reset()
  for (const { id, seconds, padding, key } of events) {
    encoder.entry(new EventTime(seconds, undefined))
    encoder.value(
      new Map<string, string | number>([
        ['id', id],
        ['k', key],
        ['pad', 'x'.repeat(padding)],
      ]),
    )
  }
  return { tag, packed: encoder.copy(), count: events.length }
}

/** The numbers in lines of JSON. Throws if a line is not whole. */
export function idsOf(text: string): number[] {
  if (text !== '' && !text.endsWith('\n')) throw new Error(`torn line: ${text.slice(-100)}`)
  return text
    .split('\n')
    .slice(0, -1)
    .map((line) => {
      const found = /^\{"id":(\d+),"k":"\w*","pad":"x*"(,"added":"[\w.]*")?\}$/.exec(line)
      if (found === null) throw new Error(`torn line: ${line.slice(0, 200)}`)
      return Number(found[1])
    })
}

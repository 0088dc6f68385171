import type { Batch } from '../core/batch.ts'
import type { Filter } from '../core/filter.ts'
import type { Formatter } from '../core/formatter.ts'
import type { EventTime, MsgMap } from '../core/value.ts'
import { Encoder } from '../msgpack/encode.ts'
import { decodeRecord, decodeTime, eachEntry } from '../msgpack/entries.ts'

/**
 * The short way to write a plugin: each event is decoded, and encoded again. Who needs more speed looks at the packed bytes
 * (src/msgpack/entries.ts), as the built-in plugins do.
 */
export interface Event {
  readonly time: EventTime
  readonly record: MsgMap
}

export interface TaggedEvent extends Event {
  readonly tag: string
}

/** Events of one tag, as sources emit them. */
export function packEvents(tag: string, events: Iterable<Event>): Batch {
  const encoder = new Encoder()
  let count = 0
  for (const { time, record } of events) {
    encoder.entry(time)
    encoder.value(record)
    count++
  }
  return { tag, packed: encoder.copy(), count }
}

/**
 * A filter that is shown one event at a time, and gives the record to go on with (it may change the one it was given), or
 * undefined to drop the event. An event for which it throws goes to `emitError`, and is left out.
 */
export function recordFilter(
  change: (event: TaggedEvent) => MsgMap | undefined,
  context: { emitError(batch: Batch, error: Error): void },
): Filter {
  const encoder = new Encoder()
  return {
    apply(batch) {
      const { tag, packed } = batch
      encoder.reset()
      let count = 0
      eachEntry(packed, (start, timeEnd, end) => {
        const event = () => ({
          tag,
          time: decodeTime(packed, start),
          record: decodeRecord(packed, timeEnd),
        })
        const before = encoder.length
        try {
          const record = change(event())
          if (record === undefined) return
          if (!(record instanceof Map)) throw new TypeError('a record must be a Map')
          encoder.raw(packed, start, timeEnd)
          encoder.value(record)
          count++
        } catch (error) {
          encoder.truncate(before)
          const wrong = { ...batch, packed: packed.subarray(start, end), count: 1 }
          context.emitError(wrong, error instanceof Error ? error : new Error(String(error)))
        }
      })
      return count === 0 ? undefined : { ...batch, packed: encoder.bytes, count }
    },
  }
}

/** A formatter of one text an event. Line ends are the text's own. */
export function textFormatter(format: (event: TaggedEvent) => string): Formatter {
  const encoder = new TextEncoder()
  return {
    format({ tag, packed }, maxPieceBytes, piece) {
      let text = ''
      let count = 0
      const flush = (): void => {
        if (count > 0) piece(encoder.encode(text), count)
        text = ''
        count = 0
      }
      eachEntry(packed, (start, timeEnd) => {
        const event = {
          tag,
          time: decodeTime(packed, start),
          record: decodeRecord(packed, timeEnd),
        }
        const one = format(event)
        // A character is three bytes at most; what is longer than a piece is one of its own.
        if (count > 0 && (text.length + one.length) * 3 > maxPieceBytes) flush()
        text += one
        count++
      })
      flush()
    },
  }
}

import type { Batch } from '../core/batch.ts'
import type { Formatter, PieceConsumer } from '../core/formatter.ts'
import { EventTime } from '../core/value.ts'
import { Encoder } from '../msgpack/encode.ts'
import { decodeTime, eachEntry } from '../msgpack/entries.ts'

/** Bytes given out at once where a chunk has room for them: entries need not be looked at then. */
const pieceBytes = 1024 * 1024

/** Packed entries as they came: what a chunk of forward holds is what goes out. */
export const packedEntries: Formatter = {
  pieceBytes,
  format(batch, maxPieceBytes, piece) {
    if (batch.packed.byteLength <= maxPieceBytes) piece(batch.packed, batch.count)
    else cutEntries(batch, maxPieceBytes, piece)
  },
}

function cutEntries({ packed }: Batch, maxPieceBytes: number, piece: PieceConsumer): void {
  let from = 0
  let until = 0
  let count = 0
  eachEntry(packed, (_start, _timeEnd, end) => {
    if (end - from > maxPieceBytes && count > 0) {
      piece(packed.subarray(from, until), count)
      from = until
      count = 0
    }
    until = end
    count += 1
  })
  if (count > 0) piece(packed.subarray(from, until), count)
}

/** `time_as_integer`: the same with times cut to whole seconds. */
export function integerTimeEntries(): Formatter {
  const encoder = new Encoder()
  return {
    format(batch, maxPieceBytes, piece) {
      encoder.reset()
      let count = 0
      eachEntry(batch.packed, (start, timeEnd, end) => {
        if (encoder.length + (end - start) > maxPieceBytes && count > 0) {
          piece(encoder.bytes, count)
          encoder.reset()
          count = 0
        }
        // An integer is kept as it is, also beyond the numbers that are exact here.
        const head = batch.packed[start + 1]
        if (head === 0xd7 || head === 0xc7) {
          encoder.entry(new EventTime(decodeTime(batch.packed, start).seconds, undefined))
          encoder.raw(batch.packed, timeEnd, end)
        } else {
          encoder.raw(batch.packed, start, end)
        }
        count += 1
      })
      if (count > 0) piece(encoder.bytes, count)
    },
  }
}

import type { Batch } from '../core/batch.ts'
import type { Formatter, PieceConsumer } from '../core/formatter.ts'
import type { MsgMap } from '../core/value.ts'
import { decodeRecord, eachEntry } from '../msgpack/entries.ts'

/** One event's place in a batch. */
export interface PackedEvent {
  readonly batch: Batch
  /** Offsets in batch.packed: of the entry, of the record, of the end. */
  readonly start: number
  readonly timeEnd: number
  readonly end: number
}

/** The text of one event, its line end included. */
export type EventWriter = (event: PackedEvent) => string | Uint8Array

/** What the formatters share that make their text event by event, from decoded records. */
export function eventFormatter(write: EventWriter): Formatter {
  return {
    format: (batch, maxPieceBytes, piece) => run(write, batch, maxPieceBytes, piece),
    asLines: () => eventFormatter((event) => asLine(write(event))),
  }
}

/** A formatter that only looks at records, its line end behind them. */
export function recordFormatter(write: (record: MsgMap) => string, newline: string): Formatter {
  return eventFormatter(
    ({ batch, timeEnd }) => write(decodeRecord(batch.packed, timeEnd)) + newline,
  )
}

function run(write: EventWriter, batch: Batch, maxPieceBytes: number, piece: PieceConsumer): void {
  let parts: Uint8Array[] = []
  let bytes = 0
  const hand = (): void => {
    if (parts.length === 0) return
    piece(parts.length === 1 ? parts[0]! : Buffer.concat(parts), parts.length)
    parts = []
    bytes = 0
  }
  eachEntry(batch.packed, (start, timeEnd, end) => {
    const text = write({ batch, start, timeEnd, end })
    const part = typeof text === 'string' ? Buffer.from(text) : text
    if (bytes + part.length > maxPieceBytes) hand()
    parts.push(part)
    bytes += part.length
  })
  hand()
}

/** Ruby's `chomp` (LF, CR LF or CR, once), and an LF. */
export function asLine(text: string | Uint8Array): string | Uint8Array {
  if (typeof text === 'string') return `${text.replace(/(?:\r?\n|\r)$/, '')}\n`
  const bytes = Buffer.from(text)
  let end = bytes.length
  if (bytes[end - 1] === 10) end--
  if (bytes[end - 1] === 13) end--
  return Buffer.concat([bytes.subarray(0, end), Buffer.from('\n')])
}

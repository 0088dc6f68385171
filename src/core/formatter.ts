import type { Batch } from './batch.ts'

/**
 * Takes formatted bytes. `bytes` end at an event's end, hold `count` events, and are borrowed:
 * valid until the call returns.
 */
export type PieceConsumer = (bytes: Uint8Array, count: number) => void

/** Turns packed entries into an output's bytes. Stateless between calls; used from one thread. */
export interface Formatter {
  /**
   * Formats all of the batch, in order, in as few pieces as fit `maxPieceBytes` each (one event
   * that is longer is a piece of its own).
   */
  format(batch: Batch, maxPieceBytes: number, piece: PieceConsumer): void
  /**
   * The same events with exactly one LF more than their text has after one line end at its end was
   * taken off: what Fluentd's stdout output makes of any formatter's text. Absent: use the
   * formatter as it is.
   */
  readonly asLines?: () => Formatter
  /**
   * Pieces it would best be asked for, where they may be larger than usual: one that only hands
   * bytes on need not look for an event's end as often.
   */
  readonly pieceBytes?: number
}

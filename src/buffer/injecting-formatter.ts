import type { Batch } from '../core/batch.ts'
import type { Formatter } from '../core/formatter.ts'

/** A formatter of records that have got more fields before (<inject>). `inject` undefined: the formatter itself. */
export function injectingFormatter(
  formatter: Formatter,
  inject: ((batch: Batch) => Batch) | undefined,
): Formatter {
  if (inject === undefined) return formatter
  return {
    format: (batch, maxPieceBytes, piece) => formatter.format(inject(batch), maxPieceBytes, piece),
  }
}

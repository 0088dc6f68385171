import type { Batch } from './batch.ts'

/** Changes or drops events between a source and an output. Keeps the tag. */
export interface Filter {
  /**
   * What goes on: the same object where nothing changed, another batch, or undefined when every event was
   * dropped on purpose (the caller counts them as dropped{reason="filter"}). Synchronous; takes no copy
   * of the tag's bytes. An event it cannot handle goes to `context.emitError`, and is left out.
   *
   * A new batch's bytes may lie in memory that the filter uses again: they are valid until the next call of `apply`, which
   * the caller does not make before it has dealt with them.
   */
  apply(batch: Batch): Batch | undefined
}

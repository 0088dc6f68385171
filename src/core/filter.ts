import type { Batch } from './batch.ts'

/** What became of events that a filter took and did not give back at once, in numbers that only grow or, of `heldEvents`, change. */
export interface FilterLedger {
  /** Waiting inside for others to come. */
  readonly heldEvents: number
  /** Gone into another event: three lines joined to one are two of these. */
  readonly joinedEvents: number
  /** Sent on another way than `apply`'s: to a label of the filter's own. */
  readonly passedEvents: number
}

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
  /**
   * Set by a filter that keeps something from event to event. It is shown each event once, whatever it reports to
   * `emitError` on the way.
   */
  readonly ledger?: FilterLedger
  /** Sends on, or gives up with a reason, what it holds; later events are not held any more. Safe to call twice. */
  stop?(deadline: AbortSignal): Promise<void>
}

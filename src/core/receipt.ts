/**
 * How the source of a batch hears that it arrived. A batch has one only where its source waits for
 * that (`ack_when delivered`).
 */
export interface Receipt {
  /**
   * Called by an output that keeps events of the batch for later, before its `emit` (or the promise
   * that it returned) settles. What it gives back is to be called once: whether these arrived.
   * An output that has delivered when `emit` settles need not call it.
   */
  expect(): (arrived: boolean) => void
}

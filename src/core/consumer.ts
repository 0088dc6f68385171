import type { Batch } from './batch.ts'

/** Whatever accepts a batch: the router, a pipeline, an output, a spy in a test. */
export interface Consumer {
  /**
   * Takes the batch. Settles once it is safe here (`undefined`: already). Called by sources, from the
   * event loop's thread, as often as they like: a promise that stays pending is how a consumer pushes
   * back, and a source that can (forward, tail) stops reading from the client it concerns until it settles.
   *
   * A rejection means that the batch was not taken: the source must not acknowledge it. The consumer
   * has counted nothing as received then.
   *
   * An output that knows at once that it refuses (its buffer is full) throws instead: `copy` decides then whether the
   * next store gets the batch, and the router gives it to @ERROR, while its bytes are still there. What sources
   * are handed never throws.
   *
   * `batch.packed` is borrowed (see Batch): what is needed after the synchronous part must be copied.
   */
  emit(batch: Batch): void | Promise<void>
}

/**
 * How the source of a batch hears what became of it, where `emit` alone does not say. A batch has one only where its
 * source waits for that.
 *
 * Each function that `expect` and `hold` give back is to be called once; calling it again does nothing.
 */
export interface Receipt {
  /**
   * What the source waits for. `kept`: the events are out of this process, or in a buffer. `delivered`: the
   * outputs have delivered them.
   */
  readonly until: 'kept' | 'delivered'
  /**
   * Called by an output that has taken events of the batch and still has to do what `until` says, before its `emit` (or
   * the promise that it returned) settles. What it gives back is to be told whether these arrived. An output that has
   * done it when `emit` settles need not call this.
   */
  expect(): (arrived: boolean) => void
  /**
   * As `expect`, for events that are held until others come, to go on with these. Only where `until` is
   * `delivered`: to others it is enough that they are held.
   */
  hold(): (arrived: boolean) => void
  /**
   * `done` is called once, when the batch was taken and all that was expected (not what is held) was told: whether
   * all of it arrived.
   */
  afterwards(done: (arrived: boolean) => void): void
}

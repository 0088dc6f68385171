/** Something with a life: sources, outputs, servers, the whole application. */
export interface Component {
  /** Opens, listens, schedules. Creation did none of that. Rejects if it cannot: then it holds nothing. */
  start(): Promise<void>
  /**
   * Takes nothing new, finishes what it holds until `deadline` aborts, releases everything.
   * Safe to call twice, and safe without `start`.
   */
  stop(deadline: AbortSignal): Promise<void>
}

/** Makes events of texts of one file after the other, and holds them until they are handed on. */
export interface Events {
  /** The file that the texts from here on are from. */
  readonly of: { path: string }
  /** Events held. */
  readonly count: number
  /** Their entries; borrowed until the next call of anything here. */
  readonly packed: Uint8Array
  /** `bytes[start, end)`: a text without its end of line. Borrowed. */
  add(bytes: Buffer, start: number, end: number): void
  /** Forgets what is held. */
  clear(): void
}

/** What became of texts that are no event. */
export interface TextReports {
  /** `why`: a label of the metric. At most one warning of a kind is written in a while. */
  lost(why: 'unmatched' | 'incomplete' | 'too_long', message: string, fields: object): void
}

import type { EventTime, MsgMap, MsgValue } from './value.ts'

export interface Parsed {
  /** undefined: the text had none, and estimate_current_event is off: the caller keeps the event's own. */
  readonly time: EventTime | undefined
  readonly record: MsgMap
}

/** What keeps a text from becoming a record although a parser understood it, or could not even look at it: its time, its bytes. */
export class ParserError extends Error {
  override readonly name = 'ParserError'
  /** The text has bytes that are not UTF-8: with others in their place it could be parsed. */
  readonly invalidBytes: boolean

  constructor(message: string, options: { invalidBytes?: boolean } = {}) {
    super(message)
    this.invalidBytes = options.invalidBytes ?? false
  }
}

/** undefined: the text does not have the parser's form. */
export type ParseItem = Parsed | ParserError | undefined

/** Turns a line of text, or a field's value, into records. */
export interface Parser {
  /**
   * Usually one item; json gives one for each element of an array (none for an empty one). Never throws because of the
   * text. Records are new, and the caller's to change.
   */
  parse(text: MsgValue): readonly ParseItem[]
  /**
   * Set: a text of any bytes becomes one record, with the whole text in this field, at the current time. Who has bytes can
   * pack them without making a record.
   */
  readonly wholeField?: string
  /**
   * Set: the entry of a text's only record, made from its bytes without making the record; the same that `parse` leads to.
   * Borrowed until anything is parsed again. undefined: `parse` is to be asked.
   */
  readonly pack?: (text: Buffer, start: number, end: number) => Uint8Array | undefined
}

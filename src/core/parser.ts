import type { EventTime, MsgMap } from './value.ts'

export interface Parsed {
  /** undefined: the text had none (the caller keeps the event's own, or takes the current time). */
  readonly time: EventTime | undefined
  readonly record: MsgMap
}

/** Turns a line of text into a record. Pure. */
export interface Parser {
  /** undefined: the text does not have this parser's form. Never throws because of the text. */
  parse(text: string): Parsed | undefined
}

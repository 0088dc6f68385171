import { isUtf8 } from 'node:buffer'
import type { Clock } from '../../core/host.ts'
import { type ParseItem, type Parser, ParserError } from '../../core/parser.ts'
import { type EventTime, type MsgMap, type MsgValue, RawString } from '../../core/value.ts'
import { Encoder } from '../../msgpack/encode.ts'
import { currentTime } from '../../parsers/event-time.ts'
import type { Events, TextReports } from './events.ts'

/** Characters of a text that are shown in the log. */
const shownChars = 1024

export interface ParsedLinesOptions {
  readonly parser: Parser
  readonly pathKey: string | undefined
  readonly emitUnmatched: boolean
  readonly clock: Clock
  readonly reports: TextReports
}

/** Texts that a parser makes records of. */
export class ParsedLines implements Events {
  readonly of = { path: '' }
  count = 0
  readonly #options: ParsedLinesOptions
  readonly #encoder = new Encoder()

  constructor(options: ParsedLinesOptions) {
    this.#options = options
  }

  get packed(): Uint8Array {
    return this.#encoder.bytes
  }

  add(bytes: Buffer, start: number, end: number): void {
    const { parser, pathKey } = this.#options
    const entry = pathKey === undefined ? parser.pack?.(bytes, start, end) : undefined
    if (entry !== undefined) {
      this.#encoder.raw(entry)
      this.count += 1
      return
    }
    const text = bytes.subarray(start, end)
    for (const item of parseText(parser, text)) {
      if (isEvent(item)) this.#put(item.time, item.record)
      else this.#unmatched(text, item)
    }
  }

  clear(): void {
    this.#encoder.reset()
    this.count = 0
  }

  #put(time: EventTime, record: MsgMap): void {
    const { pathKey } = this.#options
    if (pathKey !== undefined) {
      const own = record.get(pathKey)
      if (own === undefined || own === null || own === false) record.set(pathKey, this.of.path)
    }
    this.#encoder.entry(time)
    this.#encoder.value(record)
    this.count += 1
  }

  #unmatched(text: Buffer, item: ParseItem): void {
    const { reports, emitUnmatched, clock } = this.#options
    const shown = text.toString('utf8', 0, shownChars)
    const file = this.of.path
    if (item instanceof ParserError) {
      reports.lost('unmatched', 'invalid line found', { file, line: shown, error: item.message })
      return
    }
    reports.lost('unmatched', 'pattern not matched', { file, line: shown })
    if (emitUnmatched) this.#put(currentTime(clock), new Map([['unmatched_line', textOf(text)]]))
  }
}

/** A record without a time is none here, as in Fluentd. */
export function isEvent(item: ParseItem): item is { time: EventTime; record: MsgMap } {
  return item !== undefined && !(item instanceof ParserError) && item.time !== undefined
}

/**
 * What a parser makes of bytes. Where it wants UTF-8 and they are not, each byte is a character to it, as in Fluentd, whose
 * lines have no encoding unless one is written; what comes of it has the bytes again.
 */
export function parseText(parser: Parser, bytes: Buffer): readonly ParseItem[] {
  const items = parser.parse(textOf(bytes))
  const first = items[0]
  if (!(first instanceof ParserError && first.invalidBytes)) return items
  return parser.parse(bytes.toString('latin1')).map((item) => {
    if (item === undefined || item instanceof ParserError) return item
    return { time: item.time, record: withBytes(item.record) as MsgMap }
  })
}

function textOf(bytes: Buffer): MsgValue {
  return isUtf8(bytes) ? bytes.toString('utf8') : new RawString(new Uint8Array(bytes))
}

/** Text of one character a byte → the text of these bytes. */
function withBytes(value: MsgValue): MsgValue {
  if (typeof value === 'string') {
    return /[\u0080-\u00ff]/.test(value) ? textOf(Buffer.from(value, 'latin1')) : value
  }
  if (Array.isArray(value)) return value.map(withBytes)
  if (!(value instanceof Map)) return value
  return new Map([...value].map(([key, item]) => [withBytes(key), withBytes(item)]))
}

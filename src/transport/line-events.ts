import { isUtf8 } from 'node:buffer'
import type { Consumer } from '../core/consumer.ts'
import { type Parsed, type Parser, ParserError } from '../core/parser.ts'
import { type EventTime, type MsgMap, type MsgValue, RawString } from '../core/value.ts'
import { Encoder } from '../msgpack/encode.ts'
import type { Reports } from './reports.ts'

/** Characters of a text that does not match, as far as they are shown. */
const shownChars = 1024

/** A text as parsers take it: what is not UTF-8 keeps its bytes. `bytes` may be borrowed. */
export function textFrom(bytes: Uint8Array): MsgValue {
  const whole = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  return isUtf8(whole) ? whole.toString('utf8') : new RawString(new Uint8Array(whole))
}

/**
 * Events made of texts, gathered until they are handed on: those of one read that have the same tag are one
 * batch.
 */
export class LineEvents {
  readonly #consumer: Consumer
  readonly #reports: Reports
  readonly #encoder = new Encoder()
  #tag = ''
  #count = 0
  #pending: Promise<void> | undefined

  constructor(parts: { consumer: Consumer; reports: Reports }) {
    this.#consumer = parts.consumer
    this.#reports = parts.reports
  }

  /** Adds one event. Another tag than the last hands on what was gathered. */
  add(tag: string, time: EventTime, record: MsgMap): void {
    if (this.#count > 0 && tag !== this.#tag) this.#emit()
    this.#tag = tag
    const encoder = this.#encoder
    encoder.arrayHeader(2)
    encoder.time(time)
    encoder.value(record)
    this.#count += 1
  }

  /**
   * Hands on what was gathered. undefined: it is taken. Otherwise the consumer pushes back, and no more should be read until
   * the promise resolves; it never rejects.
   */
  flush(): Promise<void> | undefined {
    if (this.#count > 0) this.#emit()
    const pending = this.#pending
    this.#pending = undefined
    return pending
  }

  #emit(): void {
    const count = this.#count
    const batch = { tag: this.#tag, packed: this.#encoder.bytes, count }
    let taken: void | Promise<void>
    try {
      taken = this.#consumer.emit(batch)
    } catch (error) {
      taken = Promise.reject(error)
    }
    this.#encoder.reset()
    this.#count = 0
    if (taken === undefined) {
      this.#reports.events += count
      return
    }
    const settled = taken.then(
      () => {
        this.#reports.events += count
      },
      (error: unknown) => {
        this.#reports.rejectedEvents += count
        this.#reports.warn('events could not be taken and are lost', {
          tag: batch.tag,
          events: count,
          error,
        })
      },
    )
    const before = this.#pending
    this.#pending = before === undefined ? settled : before.then(() => settled)
  }
}

/**
 * What a parser makes of `text`: `use` gets each record. What does not match is counted and said in Fluentd's words.
 */
export function parseLine(
  text: MsgValue,
  parser: Parser,
  reports: Reports,
  use: (parsed: Parsed) => void,
): void {
  for (const item of parser.parse(text)) {
    if (item !== undefined && !(item instanceof ParserError)) {
      use(item)
      continue
    }
    reports.invalidEvents('unmatched', 1)
    const message = shown(text)
    if (item === undefined) reports.warn('pattern not matched', { message })
    else reports.warn('pattern not matched', { message, error: item })
  }
}

function shown(text: MsgValue): string {
  const whole = text instanceof RawString ? Buffer.from(text.bytes).toString('latin1') : text
  return String(whole).slice(0, shownChars)
}

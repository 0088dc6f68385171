import { maxDepth } from '../../core/batch.ts'
import type { ByteBudget, Clock } from '../../core/host.ts'
import { type Parsed, type Parser, ParserError } from '../../core/parser.ts'
import { EventTime, MsgFloat, type MsgMap, type MsgValue, RawString } from '../../core/value.ts'
import { decode } from '../../msgpack/decode.ts'
import { Encoder } from '../../msgpack/encode.ts'
import { eachPair, type FieldKey, fieldKey, findField } from '../../msgpack/entries.ts'
import {
  arrayItems,
  countItems,
  headLength,
  isMap,
  MsgpackError,
  skipValue,
} from '../../msgpack/walk.ts'
import { currentTime, eventTime } from '../../parsers/event-time.ts'
import type { TimeParser } from '../../parsers/time.ts'
import { JsonError, parseJson } from '../../text/json.ts'
import { jsonElements } from '../../text/json-elements.ts'
import { textFrom } from '../../transport/line-events.ts'
import { Refusal } from './refusal.ts'
import type { Payload } from './request.ts'

/** How records are made of bodies: the same for all requests of a source. */
export interface RecordRules {
  /** The field that holds a record's time, where no parser reads the body. */
  readonly timeKey: string | undefined
  readonly keepTimeKey: boolean
  /** undefined: seconds since 1970, as a number. */
  readonly parseTime: TimeParser | undefined
  /** Reads the bodies, instead of their Content-Type. */
  readonly parser: Parser | undefined
  readonly recordLimitBytes: number
  /** Keys and elements of a record. */
  readonly keyLimit: number
  /** Of all records of a request, packed: a byte of JSON may be four of MessagePack. */
  readonly packedLimitBytes: number
  /** Where those bytes are taken from. */
  readonly budget: ByteBudget
  readonly clock: Pick<Clock, 'wallMs' | 'monotonicMs' | 'soon'>
}

/** What one request says about all of its events. */
export interface RequestFacts {
  /** Undefined: each record's own, or now. */
  readonly time: EventTime | undefined
  readonly fields: ReadonlyMap<string, MsgValue>
}

/** Packed bytes that are taken from the budget at once, beyond a first amount that every request may have. */
const heldStepBytes = 64 * 1024

/** Work on one body before others get their turn. */
const sliceMs = 5
/** Values of one request that are no records: with more it is none of ours, and not worth the time. */
const invalidLimit = 10_000
/** The entry that a record stands in is a level of nesting too. */
const recordDepth = maxDepth - 1

/** The events of one request, as packed entries. */
export class Records {
  readonly #rules: RecordRules
  readonly #facts: RequestFacts
  readonly #timeKey: FieldKey | undefined
  readonly #encoder = new Encoder()
  #sliceStartMs: number
  #count = 0
  /** Of the budget. */
  #heldBytes = 0
  /** Values that are no records, or that could not be read: left out. */
  invalid = 0

  constructor(rules: RecordRules, facts: RequestFacts) {
    this.#rules = rules
    this.#facts = facts
    this.#timeKey = rules.timeKey === undefined ? undefined : fieldKey(rules.timeKey)
    this.#sliceStartMs = rules.clock.monotonicMs()
  }

  get count(): number {
    return this.#count
  }

  /** Valid until something is read again. */
  get packed(): Uint8Array {
    return this.#encoder.bytes
  }

  /** Gives back to the budget what the packed bytes hold: nobody needs them any more. */
  release(): void {
    this.#rules.budget.give(this.#heldBytes)
    this.#heldBytes = 0
  }

  /** Rejects with Refusal where the request cannot be taken as a whole. */
  async read({ kind, bytes }: Payload): Promise<void> {
    if (kind === 'msgpack') await this.#msgpack(bytes)
    else if (kind === 'json') await this.#json(bytes)
    else if (kind === 'ndjson') await this.#lines(bytes)
    else this.#text(bytes)
  }

  async #lines(bytes: Uint8Array): Promise<void> {
    for (let start = 0; start < bytes.length; start++) {
      // Empty lines are left out without looking for their end.
      if (bytes[start] === 0x0a || bytes[start] === 0x0d) continue
      const found = bytes.indexOf(0x0a, start)
      const end = found < 0 ? bytes.length : found
      await this.#json(bytes.subarray(start, bytes[end - 1] === 0x0d ? end - 1 : end))
      start = end
    }
  }

  /** An object, or an array of them. Where the JSON is broken nothing of it is taken. */
  async #json(bytes: Uint8Array): Promise<void> {
    const before = { bytes: this.#encoder.length, count: this.#count, invalid: this.invalid }
    try {
      for (const { start, end } of jsonElements(bytes)) {
        const element = bytes.subarray(start, end)
        this.#checkSize(element.length)
        if (this.#rules.parser !== undefined) this.#parsed(element, this.#rules.parser)
        else this.#record(parseJson(element, { itemLimit: this.#rules.keyLimit }))
        this.#hold()
        if (this.#late()) await this.#breathe()
      }
    } catch (error) {
      if (!(error instanceof JsonError)) throw error
      if (error.code === 'too_many_items') throw this.#tooManyKeys()
      this.#encoder.truncate(before.bytes)
      this.#count = before.count
      this.invalid = before.invalid
      this.#leaveOut()
    }
  }

  async #msgpack(bytes: Uint8Array): Promise<void> {
    try {
      for (let at = 0; at < bytes.length; ) {
        const items = arrayItems(bytes, at)
        if (items !== undefined) at += headLength(bytes[at] as number)
        if (this.#late()) await this.#breathe()
        for (let left = items ?? 1; left > 0; left--) {
          const end = skipValue(bytes, at, bytes.length, recordDepth)
          this.#checkSize(end - at)
          const value = bytes.subarray(at, end)
          if (this.#rules.parser !== undefined) this.#parsed(value, this.#rules.parser)
          else this.#packedRecord(value)
          at = end
          this.#hold()
          if (this.#late()) await this.#breathe()
        }
      }
    } catch (error) {
      if (!(error instanceof MsgpackError)) throw error
      throw new Refusal(400, 'malformed', `the MessagePack cannot be read: ${error.message}`)
    }
  }

  #leaveOut(): void {
    this.invalid += 1
    if (this.invalid > invalidLimit) {
      throw new Refusal(400, 'invalid', 'too many values that are no records')
    }
  }

  #text(bytes: Uint8Array): void {
    this.#checkSize(bytes.length)
    if (this.#rules.parser !== undefined) this.#parsed(bytes, this.#rules.parser)
  }

  #checkSize(bytes: number): void {
    const { recordLimitBytes } = this.#rules
    if (bytes <= recordLimitBytes) return
    throw new Refusal(413, 'record_size_limit', `a record of more than ${recordLimitBytes} bytes`)
  }

  #tooManyKeys(): Refusal {
    const { keyLimit } = this.#rules
    return new Refusal(
      413,
      'record_keys_limit',
      `a record of more than ${keyLimit} keys and elements`,
    )
  }

  #hold(): void {
    const { packedLimitBytes, budget } = this.#rules
    const { length } = this.#encoder
    if (length < this.#heldBytes + heldStepBytes) return
    if (length > packedLimitBytes) {
      throw new Refusal(
        413,
        'decompression_size_limit',
        `more than ${packedLimitBytes} bytes of records`,
      )
    }
    const step = length - this.#heldBytes
    if (!budget.take(step)) throw new Refusal(503, 'budget', 'too many bodies at once')
    this.#heldBytes = length
  }

  #parsed(bytes: Uint8Array, parser: Parser): void {
    for (const item of parser.parse(textFrom(bytes))) {
      if (item instanceof ParserError) throw new Refusal(400, 'malformed', item.message)
      if (item === undefined) this.#leaveOut()
      else this.#add(item)
    }
  }

  #record(value: MsgValue): void {
    if (!(value instanceof Map)) {
      this.#leaveOut()
      return
    }
    const { timeKey, keepTimeKey } = this.#rules
    let time: EventTime | undefined
    if (this.#facts.time === undefined && timeKey !== undefined) {
      time = this.#ownTime(value.get(timeKey))
      if (!keepTimeKey) value.delete(timeKey)
    }
    this.#add({ time, record: value })
  }

  #add({ time, record }: Parsed): void {
    if (record.size > this.#rules.keyLimit) throw this.#tooManyKeys()
    for (const [name, value] of this.#facts.fields) record.set(name, value)
    this.#encoder.entry(this.#facts.time ?? time ?? currentTime(this.#rules.clock))
    this.#encoder.value(record)
    this.#count += 1
  }

  /** A record that is not touched keeps its bytes. */
  #packedRecord(bytes: Uint8Array): void {
    const head = bytes[0] as number
    if (!isMap(head)) {
      this.#leaveOut()
      return
    }
    if (countItems(bytes) > this.#rules.keyLimit) throw this.#tooManyKeys()
    if (this.#facts.fields.size > 0) {
      this.#record(decode(bytes) as MsgMap)
      return
    }
    const key = this.#facts.time === undefined ? this.#timeKey : undefined
    const found = key === undefined ? -1 : findField(bytes, 0, key)
    const own = found < 0 ? undefined : this.#ownTime(decode(bytes, found))
    this.#encoder.entry(this.#facts.time ?? own ?? currentTime(this.#rules.clock))
    if (key === undefined || found < 0 || this.#rules.keepTimeKey) this.#encoder.raw(bytes)
    else this.#without(bytes, key)
    this.#count += 1
  }

  #without(bytes: Uint8Array, key: FieldKey): void {
    const kept: number[] = []
    eachPair(bytes, 0, (keyAt, valueAt, end) => {
      if (decode(bytes, keyAt, valueAt) !== key.name) kept.push(keyAt, end)
    })
    this.#encoder.mapHeader(kept.length / 2)
    for (let at = 0; at < kept.length; at += 2) this.#encoder.raw(bytes, kept[at], kept[at + 1])
  }

  /** What the record's time field says; undefined: nothing, so it is now. Throws Refusal. */
  #ownTime(value: MsgValue | undefined): EventTime | undefined {
    if (value === undefined || value === null || value === false) return undefined
    const time = this.#rules.parseTime?.(value) ?? secondsOf(value)
    if (time instanceof ParserError) throw new Refusal(400, 'time', time.message)
    return time
  }

  #late(): boolean {
    return this.#rules.clock.monotonicMs() - this.#sliceStartMs >= sliceMs
  }

  async #breathe(): Promise<void> {
    const { clock } = this.#rules
    await new Promise<void>((resolve) => clock.soon(resolve))
    this.#sliceStartMs = clock.monotonicMs()
  }
}

/** A number of seconds, exact to what its 64 bits say. */
function secondsOf(value: MsgValue): EventTime | ParserError {
  if (value instanceof EventTime) return value
  const number = value instanceof MsgFloat ? value.value : value
  if (typeof number !== 'number') {
    const text = typeof value === 'string' || value instanceof RawString ? 'text' : 'this value'
    return new ParserError(
      `the time is no number of seconds: ${text} needs time_type or time_format`,
    )
  }
  const seconds = Math.floor(number)
  if (!Number.isSafeInteger(seconds)) return new ParserError('the time is out of range')
  return eventTime(seconds, Math.floor((number - seconds) * 1e9))
}

import { EventTime, MsgFloat, type MsgMap, type MsgValue, RawString } from '../core/value.ts'
import type {
  CompressedStep,
  FatalStep,
  Framer,
  FramerOptions,
  NoteStep,
  RunStep,
  Step,
} from '../kernel/types.ts'
import { Encoder } from '../msgpack/encode.ts'
import { JsonError, parseJson } from '../text/json.ts'
import { JsonSplitter } from '../text/json-split.ts'
import { jsonAck, wantsAck } from './ack.ts'

/** Keys and elements of arrays, at all levels together. */
function countItems(value: MsgValue): number {
  if (!Array.isArray(value) && !(value instanceof Map)) return 0
  let count = Array.isArray(value) ? value.length : value.size
  for (const item of value.values()) count += countItems(item)
  return count
}

/**
 * The longest JSON message. JSON connections are people with netcat and small scripts; what a
 * parsed value takes is tens of times its text, so this is far below what MessagePack messages may
 * have.
 */
export const jsonMessageLimitBytes = 1024 * 1024

type Now = { seconds: number; nanoseconds: number }

const empty = new Uint8Array(0)

/**
 * The framer of a connection whose first byte is `{` or `[`: JSON values end to end, with or
 * without white space. It gives the same steps as the kernel's framer gives for MessagePack, with
 * acks as JSON text.
 */
export function createJsonFramer(options: FramerOptions): Framer {
  return new JsonFramer(options)
}

class JsonFramer implements Framer {
  readonly #options: FramerOptions
  readonly #limitBytes: number
  readonly #splitter = new JsonSplitter()
  readonly #encoder = new Encoder()
  /** Pieces of the unfinished value, and their bytes. */
  #kept: Uint8Array[] = []
  #keptBytes = 0
  /** What was fed and is not looked at yet: from `#at` on. */
  #fed: Uint8Array = empty
  #at = 0
  /** A `large` note came; the run of the same message follows. */
  #pending: Step | undefined

  constructor(options: FramerOptions) {
    this.#options = options
    this.#limitBytes = Math.min(options.unfinishedLimitBytes, jsonMessageLimitBytes)
  }

  get unfinishedBytes(): number {
    return this.#keptBytes
  }

  feed(bytes: Uint8Array): void {
    this.#fed = bytes
    this.#at = 0
  }

  feedEntries(_bytes: Uint8Array, _of: CompressedStep, _last: boolean): void {
    throw new Error('bug: a JSON connection has no compressed messages')
  }

  gunzip(): never {
    throw new Error('bug: a JSON connection has no compressed messages')
  }

  hold(): void {
    // Not slice(): of a Buffer that is a view, and what was fed is borrowed.
    this.#fed = new Uint8Array(this.#fed.subarray(this.#at))
    this.#at = 0
  }

  next(now: Now): Step | undefined {
    if (this.#pending !== undefined) {
      const step = this.#pending
      this.#pending = undefined
      return step
    }
    for (;;) {
      const text = this.#nextValue()
      if (text === undefined) {
        if (this.#keptBytes <= this.#limitBytes) return undefined
        return fatal('message_too_long', `a JSON message above ${this.#limitBytes} bytes`)
      }
      if (isBlank(text)) continue
      return text.byteLength > this.#limitBytes
        ? fatal('message_too_long', `a JSON message above ${this.#limitBytes} bytes`)
        : this.#message(text, now)
    }
  }

  /** The bytes of the next value that is whole, with the white space before it. */
  #nextValue(): Uint8Array | undefined {
    if (this.#at >= this.#fed.byteLength) return undefined
    const end = this.#splitter.next(this.#fed, this.#at)
    if (end < 0) {
      // White space between values is not worth keeping.
      if (this.#splitter.unfinished || this.#keptBytes > 0)
        this.#keep(new Uint8Array(this.#fed.subarray(this.#at)))
      this.#fed = empty
      this.#at = 0
      return undefined
    }
    const piece = this.#fed.subarray(this.#at, end)
    this.#at = end
    if (this.#keptBytes === 0) return piece
    const text = Buffer.concat([...this.#kept, piece])
    this.#kept = []
    this.#keptBytes = 0
    return text
  }

  #keep(piece: Uint8Array): void {
    this.#kept.push(piece)
    this.#keptBytes += piece.byteLength
    // A value that comes byte by byte would be a list of millions of pieces: halves of one size are
    // joined, so that each byte is copied a logarithmic number of times.
    while (this.#kept.length > 1) {
      const last = this.#kept.at(-1)!
      const before = this.#kept.at(-2)!
      if (before.byteLength > last.byteLength) break
      this.#kept.splice(-2, 2, Buffer.concat([before, last]))
    }
  }

  #message(text: Uint8Array, now: Now): Step {
    let value: MsgValue
    try {
      value = parseJson(text, { lenient: false })
    } catch (error) {
      if (!(error instanceof JsonError)) throw error
      const code = error.code === 'too_deep' ? 'too_deep' : 'invalid_byte'
      return fatal(code, `JSON: ${error.message}`)
    }
    if (value === null) return note('heartbeat', text.byteLength, empty)
    if (!Array.isArray(value)) return note('broken', text.byteLength, empty)
    const tag = tagBytes(value[0])
    if (text.byteLength > this.#options.messageLimitBytes) {
      return note('too_large', text.byteLength, tag ?? empty)
    }
    const step = this.#run(value, tag, text.byteLength, now)
    if (text.byteLength <= this.#options.messageWarnBytes || step.kind !== 'run') return step
    this.#pending = step
    return note('large', text.byteLength, tag ?? empty)
  }

  #run(message: MsgValue[], tag: Uint8Array | undefined, wireBytes: number, now: Now): Step {
    const second = message[1]
    const isForward = Array.isArray(second)
    const isText = typeof second === 'string' || second instanceof RawString
    if (tag === undefined && (isForward || isText || message.length < 2)) {
      return note('broken', wireBytes, empty)
    }
    const option = isForward || isText ? message[2] : message[3]
    if (option !== undefined && option !== null && !(option instanceof Map)) {
      return fatal('bad_option', 'the option of a message is neither a map nor nil')
    }
    const encoder = this.#encoder
    encoder.reset()
    let count = 0
    let invalid = 0
    if (isForward) {
      for (const entry of second) {
        const pair = Array.isArray(entry) ? entry : []
        if (this.#entry(pair[0], pair[1], { now, zeroIsNow: false })) count += 1
        else invalid += 1
      }
    } else if (!isText && tag !== undefined) {
      if (this.#entry(second, message[2], { now, zeroIsNow: true })) count += 1
      else invalid += 1
    } else {
      // A text instead of a time: to Fluentd its bytes are packed entries, and no text has a valid
      // one in it.
      invalid += 1
    }
    const chunk = option?.get('chunk')
    const acks = wantsAck(chunk) ? Buffer.from(jsonAck(chunk)) : empty
    const run: RunStep = {
      kind: 'run',
      tag: tag ?? empty,
      packed: encoder.bytes,
      count,
      invalid,
      acks,
      ackCount: acks.byteLength > 0 ? 1 : 0,
      messages: 1,
      wireBytes,
      partial: false,
    }
    return run
  }

  /**
   * Writes the entry if it is valid, by FORWARD's rules for JSON values (which have no EventTime).
   */
  #entry(
    time: MsgValue | undefined,
    record: MsgValue | undefined,
    { now, zeroIsNow }: { now: Now; zeroIsNow: boolean },
  ): boolean {
    const { keyLimit = Number.POSITIVE_INFINITY, skipInvalidEvent } = this.#options
    if (!(record instanceof Map) || countItems(record) > keyLimit) return false
    const lax = !skipInvalidEvent
    if (time === 0 && (zeroIsNow || lax)) return this.#write(nowTime(now), record)
    if (typeof time === 'bigint' || (typeof time === 'number' && Number.isInteger(time))) {
      return this.#write(time, record)
    }
    if (!lax) return false
    if (time === null || time === undefined) return this.#write(nowTime(now), record)
    const seconds = time instanceof MsgFloat ? time.value : time
    if (typeof seconds !== 'number' || !(Math.abs(seconds) <= 0xffff_ffff)) return false
    const whole = Math.floor(seconds)
    const nanoseconds = Math.floor((seconds - whole) * 1e9)
    return this.#write(new EventTime(whole, nanoseconds), record)
  }

  #write(time: EventTime | number | bigint, record: MsgMap): boolean {
    this.#encoder.arrayHeader(2)
    this.#encoder.value(time)
    this.#encoder.value(record)
    return true
  }
}

function nowTime(now: Now): EventTime {
  return new EventTime(now.seconds, now.nanoseconds)
}

function tagBytes(tag: MsgValue | undefined): Uint8Array | undefined {
  if (typeof tag === 'string') return Buffer.from(tag)
  return tag instanceof RawString ? tag.bytes : undefined
}

function isBlank(text: Uint8Array): boolean {
  return text.every((byte) => byte <= 0x20)
}

function note(code: NoteStep['code'], bytes: number, tag: Uint8Array): NoteStep {
  return { kind: 'note', code, bytes, tag }
}

function fatal(code: FatalStep['code'], message: string): FatalStep {
  return { kind: 'fatal', code, message }
}

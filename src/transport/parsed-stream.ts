import type { Parsed, Parser } from '../core/parser.ts'
import { MsgpackError, skipValue } from '../msgpack/walk.ts'
import { JsonSplitter } from '../text/json-split.ts'
import { parseLine, textFrom } from './line-events.ts'
import { LineSplitter } from './line-splitter.ts'
import { withoutNewline } from './newline.ts'
import type { Reports } from './reports.ts'

/** Bytes of one line or value; longer ones are dropped and counted. */
const valueLimitBytes = 16 * 1024 * 1024

/** What a program writes, taken apart as its parser needs it: in lines, or in JSON or MessagePack values end to end. */
export interface ParsedStream {
  /** `bytes` are borrowed. */
  feed(bytes: Uint8Array): void
  /** Nothing follows: what has no end yet is taken as it is, or counted as lost. */
  end(): void
}

export interface ParsedStreamParts {
  readonly parser: Parser
  readonly reports: Reports
  use(parsed: Parsed): void
}

/** `type` is the parser's @type. */
export function createParsedStream(type: string, parts: ParsedStreamParts): ParsedStream {
  if (type === 'json') return new ValueStream(parts, createJsonEnds())
  if (type === 'msgpack') return new ValueStream(parts, msgpackEnds)
  return createLineStream(parts)
}

function createLineStream({ parser, reports, use }: ParsedStreamParts): ParsedStream {
  const splitter = new LineSplitter(Buffer.from('\n'), valueLimitBytes, {
    line: (bytes) => parseLine(textFrom(withoutNewline(bytes)), parser, reports, use),
    tooLong: (size) => tooLong(reports, size),
  })
  return {
    feed: (bytes) => splitter.feed(bytes),
    end() {
      if (splitter.unfinished) splitter.feed(Buffer.from('\n'))
    },
  }
}

function tooLong(reports: Reports, size: number): void {
  reports.lostMessage('too_long')
  reports.warn('a command wrote a value that is too long, dropped', {
    size,
    limit: valueLimitBytes,
  })
}

/**
 * Finds where values end. `fresh` is where bytes begin that it has not seen. Gives the offset behind the first value that ends,
 * or -1; throws MsgpackError for what never will.
 */
type Ends = (held: Uint8Array, fresh: number) => number

function createJsonEnds(): Ends {
  const splitter = new JsonSplitter()
  return (held, fresh) => splitter.next(held, fresh)
}

const msgpackEnds: Ends = (held) => {
  if (held.length === 0) return -1
  try {
    return skipValue(held, 0)
  } catch (error) {
    if (error instanceof MsgpackError && error.code === 'truncated') return -1
    throw error
  }
}

class ValueStream implements ParsedStream {
  readonly #parts: ParsedStreamParts
  readonly #ends: Ends
  #held: Uint8Array = new Uint8Array(0)
  /** What came is no such value, or too long: where the next one begins nobody knows. */
  #lost = false

  constructor(parts: ParsedStreamParts, ends: Ends) {
    this.#parts = parts
    this.#ends = ends
  }

  feed(bytes: Uint8Array): void {
    if (this.#lost) return
    let fresh = this.#held.length
    let held: Uint8Array = fresh === 0 ? bytes : Buffer.concat([this.#held, bytes])
    try {
      for (;;) {
        const end = this.#ends(held, fresh)
        if (end < 0) break
        this.#value(held.subarray(0, end))
        held = held.subarray(end)
        fresh = 0
      }
    } catch (error) {
      if (!(error instanceof MsgpackError)) throw error
      this.#lose(error.message)
      return
    }
    if (held.length > valueLimitBytes) this.#lose('a value is too long')
    else this.#held = held.slice()
  }

  end(): void {
    if (!this.#lost && this.#held.some((byte) => byte > 0x20)) this.#value(this.#held)
    this.#held = new Uint8Array(0)
  }

  #value(bytes: Uint8Array): void {
    const { parser, reports, use } = this.#parts
    parseLine(textFrom(bytes), parser, reports, use)
  }

  #lose(message: string): void {
    const { reports } = this.#parts
    this.#lost = true
    this.#held = new Uint8Array(0)
    reports.lostMessage('unreadable')
    reports.warn('what a command writes cannot be read any further', { message })
  }
}

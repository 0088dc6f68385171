import { isUtf8 } from 'node:buffer'
import { type ParseItem, type Parser, ParserError } from '../core/parser.ts'
import type { MsgMap } from '../core/value.ts'
import { Encoder, encode } from '../msgpack/encode.ts'
import { type LineMatcher, RegexpInputError } from '../text/regexp.ts'
import type { ParserBase } from './base.ts'
import { textOf } from './text-of.ts'

/** What `finish` does where it changes nothing but the time field. */
export interface PlainFinish {
  readonly timeKey: string | undefined
  readonly keepTimeKey: boolean
  readonly base: Pick<ParserBase, 'parseTime' | 'noTime'>
}

/** Makes entries of lines without making records. */
class Packing {
  readonly #matcher: LineMatcher
  readonly #plain: PlainFinish
  readonly #keys: readonly Uint8Array[]
  readonly #timeAt: number
  readonly #encoder = new Encoder()

  constructor(matcher: LineMatcher, plain: PlainFinish) {
    this.#matcher = matcher
    this.#plain = plain
    this.#keys = matcher.names.map(encode)
    this.#timeAt = plain.timeKey === undefined ? -1 : matcher.names.indexOf(plain.timeKey)
  }

  /** As Parser.pack. */
  readonly pack = (text: Buffer, start: number, end: number): Uint8Array | undefined => {
    const line = text.subarray(start, end)
    if (!isUtf8(line)) return undefined
    const values = this.#match(line.toString('utf8'))
    if (values === undefined) return undefined
    const { keepTimeKey, base } = this.#plain
    const timeText = this.#timeAt < 0 ? undefined : values[this.#timeAt]
    const time = timeText === undefined ? base.noTime() : base.parseTime(timeText)
    if (time === undefined || time instanceof ParserError) return undefined
    const leftOut = keepTimeKey ? -1 : this.#timeAt
    let count = 0
    for (let i = 0; i < values.length; i++) {
      if (values[i] !== undefined && i !== leftOut) count += 1
    }
    const encoder = this.#encoder
    encoder.reset()
    encoder.entry(time)
    encoder.mapHeader(count)
    for (let i = 0; i < values.length; i++) {
      const value = values[i]
      if (value === undefined || i === leftOut) continue
      encoder.raw(this.#keys[i] as Uint8Array)
      encoder.string(value)
    }
    return encoder.bytes
  }

  #match(line: string): readonly (string | undefined)[] | undefined {
    try {
      return this.#matcher.match(line)
    } catch (error) {
      // `parse` says so.
      if (!(error instanceof RegexpInputError)) throw error
      return undefined
    }
  }
}

/** A parser whose records are what an expression's named groups hold. */
export function regexpRecords(
  matcher: LineMatcher,
  finish: (record: MsgMap) => ParseItem,
  plain?: PlainFinish,
): Parser {
  const { names } = matcher
  return {
    ...(plain && { pack: new Packing(matcher, plain).pack }),
    parse(value) {
      const text = textOf(value)
      if (text instanceof ParserError) return [text]
      let values: readonly (string | undefined)[] | undefined
      try {
        values = matcher.match(text)
      } catch (error) {
        if (!(error instanceof RegexpInputError)) throw error
        return [new ParserError(`parse failed ${error.message}`)]
      }
      if (values === undefined) return [undefined]
      const record: MsgMap = new Map()
      for (let i = 0; i < names.length; i++) {
        const found = values[i]
        if (found !== undefined) record.set(names[i] as string, found)
      }
      return [finish(record)]
    },
  }
}

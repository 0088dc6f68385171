import { type ParseItem, type Parser, ParserError } from '../core/parser.ts'
import type { MsgMap } from '../core/value.ts'
import { type LineMatcher, RegexpInputError } from '../text/regexp.ts'
import { textOf } from './text-of.ts'

/** A parser whose records are what an expression's named groups hold. */
export function regexpRecords(matcher: LineMatcher, finish: (record: MsgMap) => ParseItem): Parser {
  const { names } = matcher
  return {
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

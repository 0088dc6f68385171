import { defineParser } from '../config/define.ts'
import { regexp, string } from '../config/schema.ts'
import { maxRecordItems } from '../core/batch.ts'
import { ParserError } from '../core/parser.ts'
import type { MsgMap } from '../core/value.ts'
import { RegexpInputError } from '../text/regexp.ts'
import { splitText } from '../text/split.ts'
import { createParserBase, parserParams } from './base.ts'
import { textOf } from './text-of.ts'

export const ltsvParser = defineParser({
  name: 'ltsv',
  summary: 'Reads fields that stand as label:value, separated by tabs.',
  shape: {
    params: {
      ...parserParams,
      time_key: string({ description: "The field that holds the event's time.", default: 'time' }),
      delimiter: string({ description: 'What stands between fields.', default: '\t' }),
      delimiter_pattern: regexp({
        description: 'A regular expression for what stands between fields, instead of delimiter.',
      }),
      label_delimiter: string({
        description: 'What stands between label and value.',
        default: ':',
      }),
    },
  },
  create(params, context) {
    const base = createParserBase(params, context)
    const { delimiter, delimiterPattern, labelDelimiter } = params
    const split = (text: string) => delimiterPattern?.split(text) ?? splitText(text, delimiter)
    return {
      parse(value) {
        const text = textOf(value)
        if (text instanceof ParserError) return [text]
        const record: MsgMap = new Map()
        try {
          const pairs = split(text)
          if (pairs.length > maxRecordItems) return [undefined]
          for (const pair of pairs) {
            const at = pair.indexOf(labelDelimiter)
            if (at >= 0) record.set(pair.slice(0, at), pair.slice(at + labelDelimiter.length))
          }
        } catch (error) {
          if (!(error instanceof RegexpInputError)) throw error
          return [new ParserError(`parse failed ${error.message}`)]
        }
        return [base.finish(record)]
      },
    }
  },
})

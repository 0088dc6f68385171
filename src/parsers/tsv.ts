import { defineParser } from '../config/define.ts'
import { array, positionOf, string } from '../config/schema.ts'
import { ConfigError } from '../core/errors.ts'
import { ParserError } from '../core/parser.ts'
import type { MsgMap } from '../core/value.ts'
import { createParserBase, parserParams } from './base.ts'
import { textOf } from './text-of.ts'

export const tsvParser = defineParser({
  name: 'tsv',
  summary: 'Reads values separated by tabs; quotes mean nothing.',
  shape: {
    params: {
      ...parserParams,
      keys: array({
        description: 'Names of the columns. What is left over belongs to the last one.',
        required: true,
      }),
      delimiter: string({ description: 'What stands between columns.', default: '\t' }),
    },
  },
  create(params, context) {
    const base = createParserBase(params, context)
    const { keys, delimiter } = params
    if (delimiter === '') {
      throw new ConfigError('delimiter must not be empty', {
        position: positionOf(params, 'delimiter'),
      })
    }
    return {
      parse(value) {
        const text = textOf(value)
        if (text instanceof ParserError) return [text]
        const record: MsgMap = new Map()
        let from = text === '' ? -1 : 0
        keys.forEach((key, i) => {
          const end = i === keys.length - 1 || from < 0 ? -1 : text.indexOf(delimiter, from)
          record.set(key, from < 0 ? null : text.slice(from, end < 0 ? text.length : end))
          from = end < 0 ? -1 : end + delimiter.length
        })
        return [base.finish(record)]
      },
    }
  },
})

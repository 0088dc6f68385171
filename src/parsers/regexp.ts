import { defineParser } from '../config/define.ts'
import { bool, positionOf, string } from '../config/schema.ts'
import { ConfigError } from '../core/errors.ts'
import { ParserError } from '../core/parser.ts'
import type { MsgMap } from '../core/value.ts'
import { compileRegexp, RegexpInputError } from '../text/regexp.ts'
import { createParserBase, parserParams } from './base.ts'
import { textOf } from './text-of.ts'

export const regexpParser = defineParser({
  name: 'regexp',
  summary: 'Takes fields from the named groups of a regular expression.',
  shape: {
    params: {
      ...parserParams,
      time_key: string({ description: "The field that holds the event's time.", default: 'time' }),
      expression: string({
        description: 'The expression, `/…/` with the options i, m and x, or without slashes.',
        required: true,
      }),
      ignorecase: bool({
        description: 'Letter case does not matter.',
        default: false,
        deprecated: 'write /pattern/i instead',
      }),
      multiline: bool({
        description: 'A dot matches newlines too.',
        default: false,
        deprecated: 'write /pattern/m instead',
      }),
    },
  },
  create(params, context) {
    const base = createParserBase(params, context)
    const position = positionOf(params, 'expression')
    // The old parameters take the place of the options behind the expression.
    const oldFlags = `${params.ignorecase ? 'i' : ''}${params.multiline ? 'm' : ''}`
    const matcher = compileRegexp(params.expression, position, oldFlags || undefined)
    if (matcher.names.length === 0) {
      throw new ConfigError(
        "No named captures in 'expression' parameter. The regexp must have at least one named capture",
        { position, hint: 'name a group: (?<field>…)' },
      )
    }
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
        return [base.finish(record)]
      },
    }
  },
})

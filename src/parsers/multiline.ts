import { defineParser } from '../config/define.ts'
import { type Param, positionOf, string } from '../config/schema.ts'
import { ConfigError } from '../core/errors.ts'
import { compileRegexpSource } from '../text/regexp.ts'
import { type ParserValues, parserParams } from './base.ts'
import { createRegexpParser } from './regexp.ts'

/** Fluentd has format1 to format20. */
const formatCount = 20

function formatParams(): Record<string, Param<string | undefined>> {
  const params: Record<string, Param<string | undefined>> = {}
  for (let i = 1; i <= formatCount; i++) {
    params[`format${i}`] = string({
      description:
        'The parts of the expression, each between slashes; joined as they are. Named groups are fields, and a dot matches newlines too.',
    })
  }
  return params
}

type MultilineValues = ParserValues & { readonly formatFirstline: string | undefined }

export const multilineParser = defineParser({
  name: 'multiline',
  summary: 'Takes fields from texts of several lines by an expression written in parts.',
  description: 'It parses texts that are whole already: a field in which the lines stand joined.',
  shape: {
    params: {
      ...parserParams,
      format_firstline: string({
        description:
          'An expression, between slashes, for the first line of an event. For sources that read lines one by one; a filter gets whole texts and only checks it.',
      }),
      ...formatParams(),
      unmatched_lines: string({
        description:
          'For sources that read lines one by one: whether lines before the first event are kept. Without meaning in a filter.',
      }),
    },
  },
  create(params, context) {
    const values = params as unknown as MultilineValues
    const source = joinedFormats(values)
    const position = positionOf(values, 'format1')
    if (values.formatFirstline !== undefined) {
      expressionOf(values, 'format_firstline', values.formatFirstline)
    }
    return createRegexpParser(
      Object.create(values, {
        expression: { value: compileRegexpSource(source, position, 'm') },
        ignorecase: { value: false },
        multiline: { value: false },
        timeKey: { value: values.timeKey ?? 'time' },
      }),
      context,
    )
  },
})

/** Throws ConfigError for a gap in the numbers, and for what is no expression. */
function joinedFormats(values: MultilineValues): string {
  let source = ''
  let missing: number | undefined
  for (let i = 1; i <= formatCount; i++) {
    const name = `format${i}`
    const written = (values as unknown as Record<string, string | undefined>)[name]
    if (written === undefined) {
      missing ??= i
      continue
    }
    if (missing !== undefined && i > 1) {
      throw new ConfigError(`Jump of format index found. format${i - 1} is missing.`, {
        position: positionOf(values, name),
      })
    }
    source += expressionOf(values, name, written)
  }
  return source
}

/** What stands between the slashes, which is an expression by itself. */
function expressionOf(values: MultilineValues, name: string, written: string): string {
  const key = name.replace('_f', 'F')
  const position = positionOf(values, key)
  const source = /^\/([\s\S]*)\/$/.exec(written)?.[1]
  if (source === undefined) {
    throw new ConfigError(`format should be Regexp, need //, in ${name}: '${written}'`, {
      position,
      hint: `write it between slashes, without options: ${name} /…/`,
    })
  }
  compileRegexpSource(source, position, 'm')
  return source
}

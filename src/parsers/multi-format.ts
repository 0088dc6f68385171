import { defineParser } from '../config/define.ts'
import { type BoundPlugin, plugin, positionOf, string } from '../config/schema.ts'
import { ConfigError } from '../core/errors.ts'
import { type Parser, ParserError } from '../core/parser.ts'

const own = {
  format_name: string({
    description:
      'What format_key gets where this pattern matches; else its type, # and its number.',
  }),
}

/** As fluent-plugin-multi-format-parser 1.1. */
export const multiFormatParser = defineParser({
  name: 'multi_format',
  summary: 'Tries several parsers, and takes what the first of them makes that can.',
  shape: {
    params: {
      format_key: string({ description: 'A field that says which of them it was.' }),
    },
    sections: {
      pattern: plugin('parser', {
        description: 'A parser. `format` names it, as `@type` does; `format /…/` is an expression.',
        multi: true,
        typeParam: 'format',
        own,
      }),
    },
  },
  create(params, context) {
    if (params.pattern.length === 0) {
      throw new ConfigError('multi_format needs a <pattern> section at least', {
        position: positionOf(params),
      })
    }
    const parsers = params.pattern.map((bound, index) => ({
      name: nameOf(bound, index),
      parser: context.createParser(bound),
    }))
    return createMultiFormat(parsers, params.formatKey)
  },
})

function nameOf(bound: BoundPlugin, index: number): string {
  const name = bound.own?.formatName
  return typeof name === 'string' ? name : `${bound.type}#${index}`
}

/** A pattern that fails, at the time too, is as one that does not match. */
function createMultiFormat(
  parsers: readonly { readonly name: string; readonly parser: Parser }[],
  formatKey: string | undefined,
): Parser {
  return {
    parse(text) {
      let bytes: ParserError | undefined
      for (const { name, parser } of parsers) {
        const [item] = parser.parse(text)
        if (item instanceof ParserError && item.invalidBytes) bytes ??= item
        if (item === undefined || item instanceof ParserError || item.time === undefined) continue
        if (formatKey !== undefined) item.record.set(formatKey, name)
        return [item]
      }
      return [bytes]
    },
  }
}

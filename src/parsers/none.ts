import { defineParser } from '../config/define.ts'
import { string } from '../config/schema.ts'
import { createParserBase, parserParams } from './base.ts'

export const noneParser = defineParser({
  name: 'none',
  summary: 'Takes the whole text as one field.',
  shape: {
    params: {
      ...parserParams,
      message_key: string({ description: 'The field that takes the text.', default: 'message' }),
    },
  },
  create(params, context) {
    const base = createParserBase(params, context)
    const { messageKey } = params
    return {
      ...(params.estimateCurrentEvent ? { wholeField: messageKey } : {}),
      parse: (text) => [{ time: base.noTime(), record: new Map([[messageKey, text]]) }],
    }
  },
})

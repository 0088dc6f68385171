import { defineFormatter } from '../../config/define.ts'
import { string } from '../../config/schema.ts'
import { kernelFormatter } from '../kernel-formatter.ts'
import { addNewlineParams, newlineOf, timeParams } from '../params.ts'
import { timeFormatFrom } from '../time.ts'

export const jsonFormatter = defineFormatter({
  name: 'json',
  summary: 'Writes the record as one line of JSON.',
  shape: {
    params: {
      ...timeParams,
      ...addNewlineParams,
      json_parser: string({
        description:
          "Whose way of writing floats: oj (1e16 as 10000000000000000.0), or Ruby's own.",
        default: 'oj',
      }),
    },
  },
  create(params, context) {
    timeFormatFrom(params, context.host.clock)
    return kernelFormatter(context, {
      layout: { kind: 'record' },
      newline: newlineOf(params),
      jsonParser: params.jsonParser === 'oj' ? 'oj' : 'yajl',
    })
  },
})

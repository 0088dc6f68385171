import { defineFormatter } from '../../config/define.ts'
import { bool, string } from '../../config/schema.ts'
import { kernelFormatter } from '../kernel-formatter.ts'
import { newlineOf, newlineParams, timeParams } from '../params.ts'
import { timeFormatFrom } from '../time.ts'

export const outFileFormatter = defineFormatter({
  name: 'out_file',
  summary: 'Writes time, tag and the record as JSON, with a delimiter between them.',
  shape: {
    params: {
      ...timeParams,
      ...newlineParams,
      output_time: bool({ description: 'Write the time.', default: true }),
      output_tag: bool({ description: 'Whether the tag is written.', default: true }),
      delimiter: string({
        description: 'SPACE, COMMA, or else a tab.',
        default: '\t',
      }),
    },
  },
  create(params, context) {
    return kernelFormatter(context, {
      layout: {
        kind: 'out_file',
        delimiter: delimiterOf(params.delimiter),
        outputTime: params.outputTime,
        outputTag: params.outputTag,
        time: timeFormatFrom(params, context.host.clock),
      },
      newline: newlineOf(params),
      jsonParser: 'yajl',
    })
  },
})

/** Fluentd looks for the words anywhere, in any case, and takes all else for a tab. */
function delimiterOf(text: string): string {
  if (/SPACE/i.test(text)) return ' '
  return /COMMA/i.test(text) ? ',' : '\t'
}

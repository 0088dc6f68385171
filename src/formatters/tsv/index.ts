import { defineFormatter } from '../../config/define.ts'
import { array, string } from '../../config/schema.ts'
import { rubyString } from '../../text/ruby-ascii.ts'
import { recordFormatter } from '../event-formatter.ts'
import { addNewlineParams, newlineOf, timeParams } from '../params.ts'
import { timeFormatFrom } from '../time.ts'

export const tsvFormatter = defineFormatter({
  name: 'tsv',
  summary: 'Writes fields of the record with tabs between them, unquoted.',
  shape: {
    params: {
      ...timeParams,
      ...addNewlineParams,
      keys: array({ description: 'The fields, in order.', required: true }),
      delimiter: string({ description: 'Written between fields.', default: '\t' }),
    },
  },
  create(params, context) {
    timeFormatFrom(params, context.host.clock)
    const { keys, delimiter } = params
    return recordFormatter(
      (record) => keys.map((key) => rubyString(record.get(key) ?? null)).join(delimiter),
      newlineOf(params),
    )
  },
})

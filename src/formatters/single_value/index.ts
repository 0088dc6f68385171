import { defineFormatter } from '../../config/define.ts'
import { string } from '../../config/schema.ts'
import { rubyString } from '../../text/ruby-ascii.ts'
import { recordFormatter } from '../event-formatter.ts'
import { addNewlineParams, newlineOf, timeParams } from '../params.ts'
import { timeFormatFrom } from '../time.ts'

export const singleValueFormatter = defineFormatter({
  name: 'single_value',
  summary: 'Writes one field of the record, as it is.',
  shape: {
    params: {
      ...timeParams,
      ...addNewlineParams,
      message_key: string({ description: 'The field.', default: 'message' }),
    },
  },
  create(params, context) {
    timeFormatFrom(params, context.host.clock)
    const { messageKey } = params
    return recordFormatter(
      (record) => rubyString(record.get(messageKey) ?? null),
      newlineOf(params),
    )
  },
})

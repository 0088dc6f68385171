import { defineFormatter } from '../../config/define.ts'
import { inspectAscii } from '../../text/ruby-ascii.ts'
import { recordFormatter } from '../event-formatter.ts'
import { inspectedTime } from '../inspected-time.ts'
import { addNewlineParams, newlineOf, timeParams } from '../params.ts'
import { timeFormatFrom } from '../time.ts'

export const hashFormatter = defineFormatter({
  name: 'hash',
  summary: 'Writes the record as Ruby 3.1 shows a Hash: `{"key"=>"value"}`.',
  shape: { params: { ...timeParams, ...addNewlineParams } },
  create(params, context) {
    timeFormatFrom(params, context.host.clock)
    const time = inspectedTime(context.host.clock)
    return recordFormatter((record) => inspectAscii(record, time), newlineOf(params))
  },
})

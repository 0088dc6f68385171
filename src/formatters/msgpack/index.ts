import { defineFormatter } from '../../config/define.ts'
import { eventFormatter } from '../event-formatter.ts'
import { timeParams } from '../params.ts'
import { timeFormatFrom } from '../time.ts'

export const msgpackFormatter = defineFormatter({
  name: 'msgpack',
  summary: 'Writes the record as MessagePack, without its time.',
  shape: { params: { ...timeParams } },
  create(params, context) {
    timeFormatFrom(params, context.host.clock)
    return eventFormatter(({ batch, timeEnd, end }) => batch.packed.slice(timeEnd, end))
  },
})

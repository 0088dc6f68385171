import { defineFormatter } from '../../config/define.ts'
import { string } from '../../config/schema.ts'
import { rubyString } from '../../text/ruby-ascii.ts'
import { recordFormatter } from '../event-formatter.ts'
import { addNewlineParams, newlineOf, timeParams } from '../params.ts'
import { timeFormatFrom } from '../time.ts'

export const ltsvFormatter = defineFormatter({
  name: 'ltsv',
  summary: 'Writes the record as labels and values: `label:value<TAB>label:value`.',
  shape: {
    params: {
      ...timeParams,
      ...addNewlineParams,
      delimiter: string({ description: 'Written between fields.', default: '\t' }),
      label_delimiter: string({ description: 'Written between label and value.', default: ':' }),
      replacement: string({
        description: 'Written for a delimiter inside a value.',
        default: ' ',
      }),
    },
  },
  create(params, context) {
    timeFormatFrom(params, context.host.clock)
    const { delimiter, labelDelimiter, replacement } = params
    return recordFormatter((record) => {
      const fields: string[] = []
      for (const [label, value] of record) {
        const text = rubyString(value)
        const safe = delimiter === '' ? text : text.replaceAll(delimiter, () => replacement)
        fields.push(`${rubyString(label)}${labelDelimiter}${safe}`)
      }
      return fields.join(delimiter)
    }, newlineOf(params))
  },
})

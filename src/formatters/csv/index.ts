import { defineFormatter } from '../../config/define.ts'
import { array, bool, positionOf, string } from '../../config/schema.ts'
import { ConfigError } from '../../core/errors.ts'
import type { MsgMap, MsgValue } from '../../core/value.ts'
import { getValue, parseRecordPath } from '../../text/record-path.ts'
import { rubyString } from '../../text/ruby-ascii.ts'
import { recordFormatter } from '../event-formatter.ts'
import { timeParams } from '../params.ts'
import { timeFormatFrom } from '../time.ts'

export const csvFormatter = defineFormatter({
  name: 'csv',
  summary: 'Writes fields of the record as comma-separated values.',
  shape: {
    params: {
      ...timeParams,
      fields: array({
        description: 'The fields, in order; `$.a.b` for one inside another.',
        required: true,
      }),
      delimiter: string({
        description: 'Written between fields; TAB or \\t for a tab.',
        default: ',',
      }),
      force_quotes: bool({
        description: 'Quote every field; false: only where it is needed.',
        default: true,
      }),
      add_newline: bool({ description: 'Write a line end behind each event.', default: true }),
    },
  },
  create(params, context) {
    timeFormatFrom(params, context.host.clock)
    const fields = params.fields.filter((field) => field !== '')
    const position = positionOf(params, 'fields')
    if (fields.length === 0) {
      throw new ConfigError('empty value is specified in fields parameter', { position })
    }
    const read = fieldReader(fields, position)
    const delimiter =
      params.delimiter === '\\t' || params.delimiter === 'TAB' ? '\t' : params.delimiter
    const quote = params.forceQuotes ? quoted : quotedIfNeeded(delimiter)
    return recordFormatter(
      (record) => read(record).map(quote).join(delimiter),
      params.addNewline ? '\n' : '',
    )
  },
})

/** As in Fluentd, one path among the fields makes all of them paths. */
function fieldReader(
  fields: readonly string[],
  position: ReturnType<typeof positionOf>,
): (record: MsgMap) => (MsgValue | undefined)[] {
  const paths = fields.map((field) => parseRecordPath(field, position))
  return (record) => paths.map((path) => getValue(record, path))
}

function quoted(value: MsgValue | undefined): string {
  return `"${rubyString(value ?? null).replaceAll('"', '""')}"`
}

/** Empty text is quoted, so that it differs from nothing. */
function quotedIfNeeded(delimiter: string): (value: MsgValue | undefined) => string {
  const special = new Set(['\r', '\n', '"', ...delimiter])
  return (value) => {
    if (value === undefined || value === null) return ''
    const text = rubyString(value)
    if (text === '') return '""'
    for (const char of text) if (special.has(char)) return quoted(text)
    return text
  }
}

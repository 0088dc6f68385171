import { defineFormatter, type FormatterDefinition } from '../../config/define.ts'
import { array, bool, positionOf, string } from '../../config/schema.ts'
import { ConfigError } from '../../core/errors.ts'
import type { Formatter } from '../../core/formatter.ts'
import { safeTag } from '../../kernel/format-reference.ts'
import type { TimeFormat } from '../../kernel/types.ts'
import { decodeTime } from '../../msgpack/entries.ts'
import { formatTime } from '../../time/format-time.ts'
import { compileStrftime } from '../../time/strftime.ts'
import { localZone } from '../../time/zones.ts'
import { csvFormatter } from '../csv/index.ts'
import { asLine, eventFormatter } from '../event-formatter.ts'
import { hashFormatter } from '../hash/index.ts'
import { jsonFormatter } from '../json/index.ts'
import { kernelFormatter } from '../kernel-formatter.ts'
import { ltsvFormatter } from '../ltsv/index.ts'
import { msgpackFormatter } from '../msgpack/index.ts'
import { outFileFormatter } from '../out_file/index.ts'
import { addNewlineParams, timeParams } from '../params.ts'
import { singleValueFormatter } from '../single_value/index.ts'
import { timeFormatFrom } from '../time.ts'
import { tsvFormatter } from '../tsv/index.ts'

const defaultFormat = '%Y-%m-%d %H:%M:%S.%9N %z'

/** What `output_type` may name. */
const subFormatters: readonly FormatterDefinition[] = [
  jsonFormatter,
  ltsvFormatter,
  csvFormatter,
  tsvFormatter,
  hashFormatter,
  singleValueFormatter,
  outFileFormatter,
  msgpackFormatter,
]

export const stdoutFormatter = defineFormatter({
  name: 'stdout',
  summary: 'Writes local time, tag, and the record in another format, for people to read.',
  description:
    'The section is also that of the format named by output_type: its parameters stand here too.',
  shape: {
    params: {
      ...timeParams,
      ...addNewlineParams,
      output_type: string({
        description:
          'The formatter that writes the record: json, ltsv, csv, tsv, hash, single_value, out_file, msgpack.',
        default: 'json',
      }),
      json_parser: string({
        description: 'With output_type json: whose way of writing floats.',
        default: 'oj',
      }),
      delimiter: string({
        description: 'With ltsv, csv, tsv, out_file: written between fields. Default: as there.',
      }),
      label_delimiter: string({
        description: 'With ltsv: written between label and value.',
        default: ':',
      }),
      replacement: string({
        description: 'With ltsv: written for a delimiter inside a value.',
        default: ' ',
      }),
      fields: array({ description: 'With csv: the fields, in order.' }),
      force_quotes: bool({ description: 'With csv: put every value in quotes.', default: true }),
      keys: array({ description: 'With tsv: the fields, in order.' }),
      message_key: string({
        description: 'With single_value: the field to write.',
        default: 'message',
      }),
      output_time: bool({
        description: 'With out_file: whether the time is written.',
        default: true,
      }),
      output_tag: bool({
        description: 'With out_file: whether the tag is written.',
        default: true,
      }),
    },
  },
  create(params, context) {
    timeFormatFrom(params, context.host.clock)
    const zone = localZone(context.host.clock)
    const time: TimeFormat = { kind: 'strftime', format: params.timeFormat ?? defaultFormat, zone }
    if (params.outputType === 'json') {
      return kernelFormatter(context, {
        layout: { kind: 'stdout', time },
        newline: '\n',
        jsonParser: params.jsonParser === 'oj' ? 'oj' : 'yajl',
      })
    }
    const sub = subFormatters.find((definition) => definition.name === params.outputType)
    if (sub === undefined) {
      throw new ConfigError(`Unknown formatter plugin '${params.outputType}'`, {
        position: positionOf(params, 'outputType'),
      })
    }
    return withTimeAndTag(time, sub.create(subParams(params, sub), context))
  },
})

/** The section's values as the other formatter has them: its own defaults where nothing is written. */
function subParams(params: object, sub: FormatterDefinition): never {
  const values: Record<PropertyKey, unknown> = { ...params }
  for (const symbol of Object.getOwnPropertySymbols(params)) {
    values[symbol] = (params as Record<PropertyKey, unknown>)[symbol]
  }
  for (const [name, param] of Object.entries(sub.shape.params)) {
    const camel = name.replace(/_([a-z])/g, (_, letter: string) => letter.toUpperCase())
    values[camel] ??= param.options.default
    if (values[camel] === undefined && param.options.required === true) {
      throw new ConfigError(`'${name}' parameter is required`, { position: positionOf(params) })
    }
  }
  return values as never
}

function withTimeAndTag(time: TimeFormat & { kind: 'strftime' }, sub: Formatter): Formatter {
  const steps = compileStrftime(time.format)
  return eventFormatter(({ batch, start, end }) => {
    const at = decodeTime(batch.packed, start)
    const nanoseconds = at.nanoseconds ?? 0
    const carry = Math.floor(nanoseconds / 1e9)
    const text = formatTime(steps, time.zone, at.seconds + carry, nanoseconds % 1e9)
    const parts: Uint8Array[] = [Buffer.from(`${text} ${safeTag(batch.tag)}: `)]
    const alone = { tag: batch.tag, packed: batch.packed.subarray(start, end), count: 1 }
    sub.format(alone, Number.POSITIVE_INFINITY, (bytes) => parts.push(Buffer.from(bytes)))
    return asLine(Buffer.concat(parts))
  })
}

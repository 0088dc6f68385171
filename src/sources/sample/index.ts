import { defineSource, type PluginContext } from '../../config/define.ts'
import { type Bound, bool, integer, positionOf, string } from '../../config/schema.ts'
import { ConfigError } from '../../core/errors.ts'
import type { Source } from '../../core/source.ts'
import type { MsgMap } from '../../core/value.ts'
import { LocalStorage } from '../../storage/local.ts'
import { storageSection } from '../../storage/section.ts'
import { JsonError, parseJson } from '../../text/json.ts'
import { SampleSource } from './source.ts'

const between = (least: number, most: number) => (value: number) =>
  value >= least && value <= most ? undefined : `expected ${least} to ${most}`

const shape = {
  params: {
    tag: string({ description: 'The tag of the events.', required: true }),
    size: integer({
      description: 'Events made at once.',
      default: 1,
      check: between(1, 100_000),
    }),
    rate: integer({
      description: 'How often in a second.',
      default: 1,
      check: between(0, 10_000_000),
    }),
    auto_increment_key: string({
      description:
        'A field that counts the events, from 0 on, or from where `<storage>` says the last run was.',
    }),
    suspend: bool({
      description: 'Of older versions of Fluentd; ignored.',
      default: false,
      deprecated: 'it is ignored',
    }),
    reuse_record: bool({
      description: 'Accepted, without effect: records are never copied.',
      default: false,
    }),
    sample: string({
      description: 'A JSON object, or an array of them, which are taken in turn.',
      default: '[{"message":"sample"}]',
      alias: 'dummy',
    }),
  },
  sections: {
    storage: storageSection('Where the counter of auto_increment_key is kept.'),
  },
} as const

/** `<source> @type sample`: events for trying things out. */
export const sampleSource = defineSource({
  name: 'sample',
  aliases: ['dummy'],
  summary: 'Makes events at a given rate, for trials and load tests.',
  shape,
  create: createSampleSource,
})

function createSampleSource(params: Bound<typeof shape>, context: PluginContext): Source {
  const storage = new LocalStorage(params.storage, { usage: 'suspend', context })
  return new SampleSource({ ...params, records: recordsOf(params) }, { context, storage })
}

function recordsOf(params: Bound<typeof shape>): readonly MsgMap[] {
  const fail = (message: string) =>
    new ConfigError(message, {
      position: positionOf(params, 'sample'),
      hint: 'write an object, or an array of objects: sample {"message":"hello"}',
    })
  try {
    const value = parseJson(params.sample, { lenient: false })
    const records = Array.isArray(value) ? value : [value]
    if (records.length === 0) throw fail('sample has no record')
    return records.map((record, index) => {
      if (record instanceof Map) return record
      throw fail(`${index}th element of sample is not a hash`)
    })
  } catch (error) {
    if (!(error instanceof JsonError)) throw error
    throw fail(`sample is no JSON: ${error.message}`)
  }
}

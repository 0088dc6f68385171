import { defineFilter, type PluginContext } from '../../config/define.ts'
import { array } from '../../config/schema.ts'
import type { Batch } from '../../core/batch.ts'
import type { Filter } from '../../core/filter.ts'
import { Encoder } from '../../msgpack/encode.ts'
import { eachEntry } from '../../msgpack/entries.ts'
import {
  isRecordError,
  modifierParams,
  modifierSections,
  RecordModifier,
} from '../../records/record-modifier.ts'

/** As fluent-plugin-record-modifier 2.2. */
export const recordModifierFilter = defineFilter({
  name: 'record_modifier',
  summary: 'Sets, removes and replaces fields of records.',
  description:
    'Where record_transformer is the older of the two, this has expressions without a switch for them.',
  shape: {
    params: {
      ...modifierParams,
      remove_keys: array({ description: 'Fields to take away: keys, or paths such as $.a.b.' }),
    },
    sections: modifierSections,
  },
  create: (params, context) =>
    new RecordModifierFilter(new RecordModifier(params, context, { nestedKeys: true }), context),
})

class RecordModifierFilter implements Filter {
  readonly #modifier: RecordModifier
  readonly #context: PluginContext
  readonly #encoder = new Encoder()

  constructor(modifier: RecordModifier, context: PluginContext) {
    this.#modifier = modifier
    this.#context = context
  }

  apply(batch: Batch): Batch | undefined {
    const encoder = this.#encoder
    const { packed, tag } = batch
    encoder.reset()
    let count = 0
    eachEntry(packed, (start, timeEnd, end) => {
      const mark = encoder.length
      try {
        this.#modifier.write(encoder, tag, { packed, start, timeEnd, end })
        count++
      } catch (error) {
        if (!isRecordError(error)) throw error
        encoder.truncate(mark)
        this.#context.emitError({ tag, packed: packed.subarray(start, end), count: 1 }, error)
      }
    })
    return count === 0 ? undefined : { tag, packed: encoder.bytes, count }
  }
}

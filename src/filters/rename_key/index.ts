import { defineFilter, type PluginContext } from '../../config/define.ts'
import { bool } from '../../config/schema.ts'
import type { Batch } from '../../core/batch.ts'
import type { Filter } from '../../core/filter.ts'
import { Encoder } from '../../msgpack/encode.ts'
import { eachEntry } from '../../msgpack/entries.ts'
import { createKeyRenamer, type KeyRenamer, renameRuleParams } from '../../records/rename-keys.ts'
import { RegexpInputError } from '../../text/regexp.ts'

/** As fluent-plugin-rename-key 0.4. */
export const renameKeyFilter = defineFilter({
  name: 'rename_key',
  summary: 'Gives fields new names by regular expressions.',
  shape: {
    params: {
      ...renameRuleParams,
      deep_rename: bool({ description: 'Rename in maps inside of the record too.', default: true }),
    },
  },
  create: (params, context) => new RenameKeyFilter(createKeyRenamer(params), context),
})

class RenameKeyFilter implements Filter {
  readonly #renamer: KeyRenamer
  readonly #context: PluginContext
  readonly #encoder = new Encoder()

  constructor(renamer: KeyRenamer, context: PluginContext) {
    this.#renamer = renamer
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
        encoder.raw(packed, start, timeEnd)
        this.#renamer.write(encoder, packed, timeEnd, end)
        count++
      } catch (error) {
        if (!(error instanceof RegexpInputError)) throw error
        encoder.truncate(mark)
        this.#context.emitError({ tag, packed: packed.subarray(start, end), count: 1 }, error)
      }
    })
    return count === 0 ? undefined : { tag, packed: encoder.bytes, count }
  }
}

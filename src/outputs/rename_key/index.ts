import { outputParams } from '../../buffer/sections.ts'
import { defineOutput, type PluginContext } from '../../config/define.ts'
import { bool, string } from '../../config/schema.ts'
import type { Batch } from '../../core/batch.ts'
import type { Output } from '../../core/output.ts'
import type { Encoder } from '../../msgpack/encode.ts'
import { eachEntry } from '../../msgpack/entries.ts'
import { Encoders } from '../../records/encoders.ts'
import { createKeyRenamer, type KeyRenamer, renameRuleParams } from '../../records/rename-keys.ts'
import { RegexpInputError } from '../../text/regexp.ts'

/** As fluent-plugin-rename-key 0.4. */
export const renameKeyOutput = defineOutput({
  name: 'rename_key',
  summary:
    'Gives fields new names by regular expressions, and events a new tag; then routes them anew.',
  description: 'The filter of that name does the same without a new tag.',
  shape: {
    params: {
      ...outputParams,
      ...renameRuleParams,
      deep_rename: bool({ description: 'Rename in maps inside of the record too.', default: true }),
      remove_tag_prefix: string({
        description: 'Taken away from the tag, with the dot behind it.',
      }),
      append_tag: string({
        description: 'Put behind the tag, with a dot.',
        default: 'key_renamed',
      }),
    },
  },
  create: (params, context) => {
    const { removeTagPrefix: prefix, appendTag } = params
    const newTag = (tag: string): string => {
      const rest =
        prefix !== undefined && tag.startsWith(prefix)
          ? tag.slice(prefix.length).replace(/^\./, '')
          : tag
      return `${rest}.${appendTag}`.replace(/^\./, '')
    }
    return new RenameKeyOutput(createKeyRenamer(params), newTag, context)
  },
})

class RenameKeyOutput implements Output {
  readonly #renamer: KeyRenamer
  readonly #newTag: (tag: string) => string
  readonly #context: PluginContext
  readonly #encoders = new Encoders()

  constructor(renamer: KeyRenamer, newTag: (tag: string) => string, context: PluginContext) {
    this.#renamer = renamer
    this.#newTag = newTag
    this.#context = context
  }

  emit(batch: Batch): void | Promise<void> {
    return this.#encoders.with((encoder) => {
      const count = this.#rename(encoder, batch)
      if (count === 0) return undefined
      const tag = this.#newTag(batch.tag)
      const { receipt } = batch
      return this.#context.router.emit({ tag, packed: encoder.bytes, count, receipt })
    })
  }

  /** Returns how many events it wrote. */
  #rename(encoder: Encoder, { tag, packed }: Batch): number {
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
    return count
  }

  async start(): Promise<void> {}

  async stop(_deadline: AbortSignal): Promise<void> {}
}

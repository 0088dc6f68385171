import { outputParams } from '../../buffer/sections.ts'
import { defineOutput, type PluginContext } from '../../config/define.ts'
import { array, positionOf, string } from '../../config/schema.ts'
import type { Batch } from '../../core/batch.ts'
import type { Output } from '../../core/output.ts'
import type { Encoder } from '../../msgpack/encode.ts'
import { eachEntry } from '../../msgpack/entries.ts'
import { skipValue } from '../../msgpack/walk.ts'
import { Encoders } from '../../records/encoders.ts'
import {
  isRecordError,
  modifierExpression,
  modifierParams,
  modifierSections,
  RecordModifier,
} from '../../records/record-modifier.ts'
import type { Expression } from '../../records/ruby-expression/index.ts'
import { checkMadeTag, MadeTagError } from '../../routing/made-tag.ts'
import { Regroup } from '../../routing/regroup.ts'
import { fieldText } from '../../text/field-text.ts'

/** As fluent-plugin-record-modifier 2.2. */
export const recordModifierOutput = defineOutput({
  name: 'record_modifier',
  summary: 'Sets, removes and replaces fields, gives events a new tag, and routes them anew.',
  description: 'The filter of that name does the same without a new tag.',
  shape: {
    params: {
      ...outputParams,
      ...modifierParams,
      tag: string({
        description: 'The new tag; `${…}` in it are expressions over the new record.',
        required: true,
      }),
      remove_keys: array({ description: 'Fields to take away.' }),
    },
    sections: modifierSections,
  },
  create(params, context) {
    const newTag = params.tag.includes('${')
      ? modifierExpression(params.tag, context, positionOf(params, 'tag'))
      : params.tag
    const modifier = new RecordModifier(params, context, { nestedKeys: false })
    return new RecordModifierOutput(modifier, newTag, context)
  },
})

class RecordModifierOutput implements Output {
  readonly #modifier: RecordModifier
  /** A text: the same for all events. */
  readonly #newTag: string | Expression
  readonly #context: PluginContext
  readonly #encoders = new Encoders()

  constructor(modifier: RecordModifier, newTag: string | Expression, context: PluginContext) {
    this.#modifier = modifier
    this.#newTag = newTag
    this.#context = context
  }

  emit(batch: Batch): void | Promise<void> {
    return this.#encoders.with((encoder) => {
      const tags = this.#modify(encoder, batch)
      const packed = encoder.bytes
      if (tags.length === 0) return undefined
      const regroup = new Regroup(packed, { receipt: batch.receipt, inOrder: false })
      let start = 0
      for (const tag of tags) {
        const end = skipValue(packed, start)
        regroup.add(this.#context.router, tag, start, end)
        start = end
      }
      return regroup.emit()
    })
  }

  /** Returns the new tag of each event it wrote. */
  #modify(encoder: Encoder, { tag, packed }: Batch): string[] {
    const tags: string[] = []
    eachEntry(packed, (start, timeEnd, end) => {
      const mark = encoder.length
      try {
        this.#modifier.write(encoder, tag, { packed, start, timeEnd, end })
        tags.push(this.#tagOf(encoder.bytes, mark))
      } catch (error) {
        if (!(isRecordError(error) || error instanceof MadeTagError)) throw error
        encoder.truncate(mark)
        this.#context.emitError({ tag, packed: packed.subarray(start, end), count: 1 }, error)
      }
    })
    return tags
  }

  /** Of the entry that was just written. */
  #tagOf(written: Uint8Array, start: number): string {
    const newTag = this.#newTag
    if (typeof newTag === 'string') return newTag
    const { scope } = this.#modifier
    scope.setEvent(written, start, skipValue(written, start + 1))
    const tag = fieldText(newTag(scope))
    checkMadeTag(tag)
    return tag
  }

  async start(): Promise<void> {}

  async stop(_deadline: AbortSignal): Promise<void> {}
}

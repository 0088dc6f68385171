import { outputParams } from '../../buffer/sections.ts'
import { defineOutput } from '../../config/define.ts'
import { positionOf, section } from '../../config/schema.ts'
import type { Batch } from '../../core/batch.ts'
import type { Consumer } from '../../core/consumer.ts'
import { ConfigError } from '../../core/errors.ts'
import type { Output } from '../../core/output.ts'

export const relabelOutput = defineOutput({
  name: 'relabel',
  summary: 'Hands events on to a <label>.',
  description: '`@label` names it; `@ROOT` is the top level.',
  shape: {
    params: outputParams,
    sections: {
      buffer: section(
        { params: {} },
        { description: 'None.', unsupported: 'relabel does not support buffering' },
      ),
      secondary: section(
        { params: {} },
        { description: 'None.', unsupported: 'relabel has no buffer, and so no secondary' },
      ),
    },
  },
  create(params, context) {
    if (context.label === undefined) {
      throw new ConfigError("'@label' parameter is required: relabel hands events on to a label", {
        position: positionOf(params),
        hint: 'add `@label @NAME` for a `<label @NAME>` section, or `@label @ROOT`',
      })
    }
    return new RelabelOutput(context.router)
  },
})

export class RelabelOutput implements Output {
  readonly #next: Consumer

  constructor(next: Consumer) {
    this.#next = next
  }

  emit(batch: Batch): void | Promise<void> {
    return this.#next.emit(batch)
  }

  async start(): Promise<void> {}

  async stop(_deadline: AbortSignal): Promise<void> {}
}

import { optionalBufferSection, outputParams, secondarySection } from '../../buffer/sections.ts'
import { defineOutput } from '../../config/define.ts'
import { bool } from '../../config/schema.ts'
import type { Batch } from '../../core/batch.ts'
import type { Formatter } from '../../core/formatter.ts'
import type { Chunk, Output, Sink } from '../../core/output.ts'

export const nullOutput = defineOutput({
  name: 'null',
  summary: 'Throws events away.',
  description: 'With a `<buffer>` section they go through a buffer first: for tests of buffers.',
  shape: {
    params: {
      ...outputParams,
      never_flush: bool({
        description: 'Fails every time instead, as a destination that is never there would.',
        default: false,
      }),
    },
    sections: {
      buffer: optionalBufferSection({
        chunk_keys: ['tag'],
        flush_at_shutdown: true,
        chunk_limit_size: 10 * 1024,
      }),
      secondary: secondarySection('null'),
    },
  },
  create: (params) => new NullOutput(params.neverFlush),
  createSink: (params) => new NullSink(params.neverFlush),
})

export class NullOutput implements Output {
  readonly #neverFlush: boolean

  constructor(neverFlush: boolean) {
    this.#neverFlush = neverFlush
  }

  emit(_batch: Batch): void {
    if (this.#neverFlush) throw new Error('failed to flush')
  }

  async start(): Promise<void> {}

  async stop(_deadline: AbortSignal): Promise<void> {}
}

class NullSink implements Sink {
  readonly formatter: Formatter = {
    format: (batch, _maxPieceBytes, piece) => piece(batch.packed, batch.count),
  }
  readonly #neverFlush: boolean

  constructor(neverFlush: boolean) {
    this.#neverFlush = neverFlush
  }

  async write(_chunk: Chunk, _signal: AbortSignal): Promise<void> {
    if (this.#neverFlush) throw new Error('failed to flush')
  }

  async start(): Promise<void> {}

  async stop(_deadline: AbortSignal): Promise<void> {}
}

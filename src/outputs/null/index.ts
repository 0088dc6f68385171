import {
  type Books,
  countsOf,
  createBooks,
  exposeBooks,
  optionalBufferSection,
  outputParams,
  secondarySection,
} from '../../buffer/index.ts'
import { defineOutput, type PluginContext } from '../../config/define.ts'
import { bool } from '../../config/schema.ts'
import type { Batch } from '../../core/batch.ts'
import type { Formatter } from '../../core/formatter.ts'
import type { Chunk, Output, OutputStatistics, Sink } from '../../core/output.ts'

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
  create: (params, context) => new NullOutput(params.neverFlush, context),
  createSink: (params) => new NullSink(params.neverFlush),
})

/** Everything it takes is delivered: nowhere is where it was to go. */
export class NullOutput implements Output {
  readonly #neverFlush: boolean
  readonly #context: Pick<PluginContext, 'host' | 'id' | 'type'>
  readonly #books: Books

  constructor(neverFlush: boolean, context: Pick<PluginContext, 'host' | 'id' | 'type'>) {
    this.#neverFlush = neverFlush
    this.#context = context
    this.#books = createBooks(context)
  }

  emit(batch: Batch): void {
    const books = this.#books
    if (this.#neverFlush) {
      books.errorCount++
      throw new Error('failed to flush')
    }
    books.emitCount++
    books.emittedEvents += batch.count
    books.emittedBytes += batch.packed.length
    books.deliveredEvents += batch.count
  }

  async start(): Promise<void> {
    exposeBooks(this.#context, this.#books)
  }

  async stop(_deadline: AbortSignal): Promise<void> {}

  statistics(): OutputStatistics {
    return {
      ...countsOf(this.#books),
      bufferedEvents: 0,
      stagedBytes: 0,
      queuedBytes: 0,
      queueLength: 0,
      stagedLength: 0,
      totalLimitBytes: 0,
      oldestMs: undefined,
      newestTimekey: undefined,
      oldestTimekey: undefined,
      retry: undefined,
    }
  }
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

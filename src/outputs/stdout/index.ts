import {
  chunkKeysOf,
  countsOf,
  createBooks,
  exposeBooks,
  injectingFormatter,
  optionalBufferSection,
  outputParams,
  secondarySection,
  unusedFormatter,
} from '../../buffer/index.ts'
import { defineOutput, type PluginContext } from '../../config/define.ts'
import { type Bound, bool, plugin } from '../../config/schema.ts'
import type { Batch } from '../../core/batch.ts'
import type { Formatter } from '../../core/formatter.ts'
import type { StdoutWriter } from '../../core/host.ts'
import type { Output, Sink } from '../../core/output.ts'
import type { Receipt } from '../../core/receipt.ts'
import { createInject, injectSection } from '../../formatters/inject.ts'

/** Bytes formatted at a time. */
const pieceBytes = 128 * 1024

const shape = {
  params: {
    ...outputParams,
    use_logger: bool({
      description: 'Accepted. Events always go to standard output.',
      default: true,
      differs:
        "Fluentd's log and its stdout output share one destination, a file with `-o`; Sluice's log goes to standard error, and events to standard output.",
    }),
  },
  sections: {
    format: plugin('formatter', {
      description: 'What a line looks like.',
      defaultType: 'stdout',
      always: true,
      defaults: { output_type: 'json' },
    }),
    inject: injectSection(),
    buffer: optionalBufferSection({
      chunk_keys: ['tag'],
      flush_at_shutdown: true,
      chunk_limit_size: 10_240,
    }),
    secondary: secondarySection('stdout'),
  },
} as const

export const stdoutOutput = defineOutput({
  name: 'stdout',
  summary: 'Writes events to standard output, a line each.',
  description:
    'Without <buffer> an event is written to standard output when its source gets its acknowledgement, and a reader that is slower than the events slows the sources down.',
  shape,
  create: (params, context) => createStdout(linesOf(params, context), context),
  createSink: (params, context) => createStdoutSink(linesOf(params, context), context),
})

/** Whatever the format, each event ends in one newline here. */
function linesOf(params: Bound<typeof shape>, context: PluginContext): Formatter {
  // A secondary's chunks hold what the primary's formatter made.
  if (context.primaryBuffer !== undefined) return unusedFormatter
  const formatter = context.createFormatter(params.format)
  const { host, system } = context
  const inject = createInject(params.inject, {
    hostname: host.hostname,
    workerId: system.workerId,
    clock: host.clock,
    chunkKeys: params.buffer === undefined ? [] : chunkKeysOf(params.buffer),
  })
  return injectingFormatter(formatter.asLines?.() ?? formatter, inject)
}

/** Unbuffered: the pending promise of a full pipe is handed to the source. */
function createStdout(formatter: Formatter, context: PluginContext): Output {
  const { stdout } = context.host
  const books = createBooks(context)

  /** Until it is written, a kill would lose it. */
  async function awaitWrite(receipt: Receipt): Promise<void> {
    const tell = receipt.expect()
    tell(await stdout.drain())
  }

  function taken(batch: { count: number; bytes: number }): void {
    books.emitCount += 1
    books.emittedEvents += batch.count
    books.emittedBytes += batch.bytes
    books.deliveredEvents += batch.count
  }

  return {
    async start() {
      exposeBooks(context, books)
    },
    emit(batch: Batch) {
      const pending: Promise<void>[] = []
      formatter.format(batch, pieceBytes, (bytes) => {
        const written = stdout.write(bytes)
        if (written !== undefined) pending.push(written)
      })
      if (batch.receipt !== undefined) void awaitWrite(batch.receipt)
      const sums = { count: batch.count, bytes: batch.packed.byteLength }
      if (pending.length === 0) return taken(sums)
      return Promise.all(pending).then(
        () => taken(sums),
        (error: unknown) => {
          books.errorCount += 1
          throw error
        },
      )
    },
    stop: (deadline) => drained(stdout, deadline),
    flush: async () => void (await stdout.drain()),
    statistics: () => ({
      ...countsOf(books),
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
    }),
  }
}

function createStdoutSink(formatter: Formatter, context: PluginContext): Sink {
  const { stdout } = context.host
  return {
    formatter,
    start: async () => undefined,
    async write(chunk) {
      for (const piece of await chunk.read()) await stdout.write(piece)
      if (!(await stdout.drain())) throw new Error('standard output is gone')
    },
    stop: (deadline) => drained(stdout, deadline),
  }
}

async function drained(stdout: StdoutWriter, deadline: AbortSignal): Promise<void> {
  if (deadline.aborted) return
  const aborted = new Promise<void>((resolve) =>
    deadline.addEventListener('abort', () => resolve(), { once: true }),
  )
  await Promise.race([stdout.drain(), aborted])
}

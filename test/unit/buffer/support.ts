import { crc32 } from 'node:zlib'
import { bufferTypes } from '../../../src/buffer/types.ts'
import type { OutputDefinition, PluginContext } from '../../../src/config/define.ts'
import { type BoundPlugin, ORIGIN, type Shape } from '../../../src/config/schema.ts'
import type { Batch } from '../../../src/core/batch.ts'
import type { Formatter } from '../../../src/core/formatter.ts'
import type { Chunk, Sink } from '../../../src/core/output.ts'
import { EventTime, type MsgValue } from '../../../src/core/value.ts'
import type { Kernel } from '../../../src/kernel/types.ts'
import { encode } from '../../../src/msgpack/encode.ts'
import { decodeRecord, decodeTime, eachEntry } from '../../../src/msgpack/entries.ts'
import { createFakeHost, type FakeHost } from '../../support/fake-host.ts'

/** `[time, {n: …}]` entries: a number is a record {n}, an object is the record. */
export function batchOf(
  tag: string,
  events: readonly { time?: number; record: Readonly<Record<string, MsgValue>> }[],
): Batch {
  const entries = events.map(({ time = 1_700_000_000, record }) =>
    encode([new EventTime(time, undefined) as MsgValue, new Map(Object.entries(record))]),
  )
  return { tag, packed: Buffer.concat(entries), count: events.length }
}

/** A batch of records {n: first}, {n: first + 1} … */
export function numbers(tag: string, first: number, count: number, time?: number): Batch {
  return batchOf(
    tag,
    Array.from({ length: count }, (_, i) => ({
      record: { n: first + i },
      ...(time === undefined ? {} : { time }),
    })),
  )
}

/** The kernel's cutting by time, in plain TypeScript, and zlib's CRC. */
export const slowKernel: Pick<Kernel, 'sliceByTime' | 'crc32'> = {
  crc32,
  sliceByTime(batch, { widthSeconds, offsetSeconds }, run) {
    let start = 0
    let slice: number | undefined
    let count = 0
    eachEntry(batch.packed, (at) => {
      const { seconds } = decodeTime(batch.packed, at)
      const own =
        Math.floor((seconds + offsetSeconds) / widthSeconds) * widthSeconds - offsetSeconds
      if (slice !== undefined && own !== slice) {
        run(slice, batch.packed.subarray(start, at), count)
        start = at
        count = 0
      }
      slice = own
      count += 1
    })
    if (slice !== undefined) run(slice, batch.packed.subarray(start), count)
  },
}

/** Each event as `tag n\n`, a piece for as many as fit. */
export const plainFormatter: Formatter = {
  format(batch, maxPieceBytes, piece) {
    let lines = ''
    let count = 0
    const flush = () => {
      if (count > 0) piece(Buffer.from(lines), count)
      lines = ''
      count = 0
    }
    eachEntry(batch.packed, (_start, timeEnd) => {
      const line = `${batch.tag} ${String(decodeRecord(batch.packed, timeEnd).get('n'))}\n`
      if (lines.length + line.length > maxPieceBytes) flush()
      lines += line
      count += 1
    })
    flush()
  },
}

export interface SpySink extends Sink {
  /** The text of every chunk that was delivered. */
  readonly delivered: string[]
  readonly chunks: Chunk[]
  /** Attempts, delivered or not. */
  attempts: number
  /** Called at each write, before it counts as delivered. */
  behave: (chunk: Chunk, signal: AbortSignal) => Promise<void> | void
}

export function spySink(formatter: Formatter = plainFormatter): SpySink {
  const sink: SpySink = {
    formatter,
    delivered: [],
    chunks: [],
    attempts: 0,
    behave: () => undefined,
    async start() {},
    async stop() {},
    async write(chunk, signal) {
      sink.attempts += 1
      await sink.behave(chunk, signal)
      sink.chunks.push(chunk)
      sink.delivered.push(Buffer.concat(await chunk.read()).toString())
    },
  }
  return sink
}

/** A bound <buffer> with Fluentd's names, defaults filled in. */
export function bufferOf(
  written: Readonly<Record<string, unknown>> = {},
  type = 'memory',
): BoundPlugin {
  const definition = bufferTypes.find((candidate) => candidate.name === type)
  if (definition === undefined) throw new Error(`no buffer type ${type}`)
  return {
    kind: 'buffer',
    type,
    id: undefined,
    label: undefined,
    logLevel: undefined,
    argument: '',
    definition,
    params: paramsOf(definition.shape, written),
    position: undefined,
    written: true,
  }
}

/** Parameters as binding gives them: camelCase, with defaults, knowing which were written. */
export function paramsOf(
  shape: Shape,
  written: Readonly<Record<string, unknown>>,
): BoundPlugin['params'] {
  const params: Record<string, unknown> = {}
  const values: Record<string, unknown> = {}
  for (const [name, param] of Object.entries(shape.params)) {
    const camel = name.replace(/_([a-z])/g, (_all, letter: string) => letter.toUpperCase())
    params[camel] = name in written ? written[name] : param.options.default
    if (name in written) {
      values[camel] = { file: 'fluent.conf', line: 1, column: 1, length: 1, text: name }
    }
  }
  for (const name of Object.keys(shape.sections ?? {})) params[name] = written[name]
  Object.defineProperty(params, ORIGIN, { value: { section: undefined, values } })
  return params as BoundPlugin['params']
}

export interface World {
  readonly host: FakeHost
  readonly context: PluginContext
}

export function world(seed = 1): World {
  const host = createFakeHost({ seed })
  const context = {
    host,
    id: 'out',
    type: 'spy',
    log: host.log,
    kernel: slowKernel,
    system: { workers: 1, workerId: 0, filePermission: undefined, dirPermission: undefined },
  } as unknown as PluginContext
  return { host, context }
}

/** emitted = delivered + buffered + dropped. */
export function booksClose(of: {
  emittedEvents: number
  deliveredEvents: number
  bufferedEvents: number
  droppedEvents: Readonly<Record<string, number>>
}): boolean {
  const dropped = Object.values(of.droppedEvents).reduce((sum, count) => sum + count, 0)
  return of.emittedEvents === of.deliveredEvents + of.bufferedEvents + dropped
}

/** A bound output section; sections it does not name are absent. */
export function outputOf(
  definition: OutputDefinition,
  written: Readonly<Record<string, unknown>>,
): BoundPlugin {
  return {
    ...bufferOf(),
    kind: 'output',
    type: definition.name,
    definition,
    params: paramsOf(definition.shape, written),
  }
}

export function formatOf(
  type: string,
  params: Readonly<Record<string, unknown>> = {},
): BoundPlugin {
  return { ...bufferOf(), kind: 'formatter', type, params: params as BoundPlugin['params'] }
}

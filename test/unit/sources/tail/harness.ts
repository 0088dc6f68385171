import type { PluginContext } from '../../../../src/config/define.ts'
import type { BoundPlugin } from '../../../../src/config/schema.ts'
import type { Batch } from '../../../../src/core/batch.ts'
import type { Source } from '../../../../src/core/source.ts'
import { loadKernel } from '../../../../src/host/load-kernel.ts'
import { createKernel } from '../../../../src/kernel/index.ts'
import { decodeBatch } from '../../../../src/msgpack/entries.ts'
import { parsers } from '../../../../src/parsers/index.ts'
import { tailSource } from '../../../../src/sources/tail/index.ts'
import { createFakeHost, type FakeHost } from '../../../support/fake-host.ts'
import { bindSource } from '../../../support/plugin-context.ts'
import { plain } from '../forward/harness.ts'

const kernel = createKernel(loadKernel())

export const none = '<parse>\n@type none\n</parse>'
export const json = '<parse>\n@type json\n</parse>'

export interface RunningTail {
  readonly host: FakeHost
  readonly source: Source
  /** `tag {record}` of what was taken, in order. */
  readonly events: string[]
  /** Seconds and nanoseconds of these. */
  readonly times: string[]
  /** Events of each batch. */
  readonly batches: number[]
  /** What the way into the graph says to a batch; what it throws or rejects is not taken. */
  answer: (batch: Batch) => void | Promise<void>
  /** Time passes; the system's disk has its say. */
  pass(ms: number): Promise<void>
  /** The `message` of what came since the last call, or the record. */
  came(): string[]
  positions(): Record<string, string>
  stop(): Promise<void>
}

/** The context of a source, without a source. */
export function createTail(lines: string, host: FakeHost = createFakeHost()) {
  const running = {
    host,
    events: [] as string[],
    times: [] as string[],
    batches: [] as number[],
    answer: (_batch: Batch): void | Promise<void> => undefined,
  }
  const keep = (batch: Batch, events: ReturnType<typeof decodeBatch>) => {
    running.batches.push(batch.count)
    for (const { time, record } of events) {
      running.events.push(`${batch.tag} ${JSON.stringify(plain(record))}`)
      running.times.push(`${time.seconds}.${time.nanoseconds}`)
    }
  }
  const context = {
    host,
    kernel,
    id: 'tail_0',
    type: 'tail',
    log: host.log,
    system: { filePermission: undefined, dirPermission: undefined, workers: 1, workerId: 0 },
    router: {
      emit(batch: Batch) {
        // The bytes are only borrowed.
        const events = decodeBatch({ ...batch, packed: batch.packed.slice() })
        const taken = running.answer(batch)
        if (taken === undefined) keep(batch, events)
        else return taken.then(() => keep({ ...batch, count: events.length }, events))
      },
    },
    createParser: (bound: BoundPlugin) =>
      parsers.find(({ name }) => name === bound.type)!.create(bound.params as never, context),
  } as unknown as PluginContext
  const bound = bindSource(tailSource, lines, parsers)
  return { running, source: tailSource.create(bound.params as never, context) as Source }
}

/** A running source tail on a disk in memory, configured by the lines of its section. */
export async function startTail(
  lines: string,
  files: Record<string, string> = {},
  host: FakeHost = createFakeHost(),
): Promise<RunningTail> {
  for (const [path, text] of Object.entries(files)) host.disk.put(path, text)
  const { running, source } = createTail(lines, host)
  await source.start()
  await host.clock.settle()
  let shown = 0
  return Object.assign(running, {
    source,
    pass: (ms: number) => host.clock.advance(ms),
    came() {
      const fresh = running.events.slice(shown).map((event) => {
        const record = JSON.parse(event.slice(event.indexOf(' ') + 1))
        return Object.keys(record).length === 1 && 'message' in record ? record.message : event
      })
      shown = running.events.length
      return fresh
    },
    positions: () => positionsOf(host.disk.texts()['/pos'] ?? ''),
    async stop() {
      const stopped = source.stop(new AbortController().signal)
      await host.clock.settle()
      await stopped
    },
  })
}

/** path → position, as a number, or 'unwatched'. */
export function positionsOf(text: string): Record<string, string> {
  const found: Record<string, string> = {}
  for (const line of text.split('\n').slice(0, -1)) {
    const [path = '', position = ''] = line.split('\t')
    found[path] = position === 'f'.repeat(16) ? 'unwatched' : String(Number.parseInt(position, 16))
  }
  return found
}

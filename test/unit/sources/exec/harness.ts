import type {
  PluginContext,
  SourceDefinition,
  SystemSettings,
} from '../../../../src/config/define.ts'
import type { BoundPlugin } from '../../../../src/config/schema.ts'
import type { Batch } from '../../../../src/core/batch.ts'
import { decodeBatch } from '../../../../src/msgpack/entries.ts'
import { parsers } from '../../../../src/parsers/index.ts'
import { createFakeHost, type FakeHost } from '../../../support/fake-host.ts'
import { bindSource } from '../../../support/plugin-context.ts'
import { plain } from '../forward/harness.ts'

export const startMs = 1_800_000_000_000

/** A source that makes its events itself, or has them made by programs, on a host in memory. */
export async function startMaker(
  definition: SourceDefinition,
  lines: string,
  more: { host?: FakeHost; system?: Partial<SystemSettings>; idWritten?: boolean } = {},
) {
  const host = more.host ?? createFakeHost({ startMs })
  const events: string[] = []
  const batches: number[] = []
  const running = { answer: (_batch: Batch): void | Promise<void> => undefined }
  const context = {
    host,
    id: 'maker_0',
    type: definition.name,
    idWritten: more.idWritten ?? false,
    log: host.log,
    system: { workers: 1, workerId: 0, ...more.system },
    router: {
      emit(batch: Batch) {
        batches.push(batch.count)
        for (const { time, record } of decodeBatch(batch)) {
          events.push(`${batch.tag} ${time.seconds} ${JSON.stringify(plain(record))}`)
        }
        return running.answer(batch)
      },
    },
    createParser: (bound: BoundPlugin) =>
      parsers.find(({ name }) => name === bound.type)!.create(bound.params as never, context),
  } as unknown as PluginContext
  const bound = bindSource(definition, lines, parsers)
  const source = definition.create(bound.params as never, context)
  await source.start()
  return Object.assign(running, { host, source, events, batches })
}

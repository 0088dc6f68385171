import type { PluginContext, SourceDefinition } from '../../../../src/config/define.ts'
import type { BoundPlugin } from '../../../../src/config/schema.ts'
import type { Batch } from '../../../../src/core/batch.ts'
import type { Source } from '../../../../src/core/source.ts'
import { loadKernel } from '../../../../src/host/load-kernel.ts'
import { createKernel } from '../../../../src/kernel/index.ts'
import { decodeBatch } from '../../../../src/msgpack/entries.ts'
import { jsonParser } from '../../../../src/parsers/json.ts'
import { noneParser } from '../../../../src/parsers/none.ts'
import { syslogParser } from '../../../../src/parsers/syslog.ts'
import { createFakeHost } from '../../../support/fake-host.ts'
import { bindSource } from '../../../support/plugin-context.ts'
import { plain } from '../forward/harness.ts'

const kernel = createKernel(loadKernel())
const parsers = [jsonParser, noneParser, syslogParser]

/** A source of texts over sockets in memory, configured by the lines of its section. */
export async function startSource(definition: SourceDefinition, lines: string) {
  const host = createFakeHost()
  const events: string[] = []
  const batches: number[] = []
  const running = {
    host,
    events,
    batches,
    answer: (_batch: Batch): void | Promise<void> => undefined,
  }
  const context = {
    host,
    id: 'source_0',
    type: definition.name,
    log: host.log,
    kernel,
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
  const source = definition.create(bound.params as never, context) as Source & {
    readonly address?: { kind: string; port?: number }
    readonly port?: number
  }
  await source.start()
  const port = source.port ?? source.address?.port ?? 0
  return Object.assign(running, {
    source,
    port,
    client: (from?: { address?: string }) => host.net.client(port, from),
    admits: (address: string) => host.net.admits(port, address),
  })
}

import { createBuffered } from '../../src/buffer/index.ts'
import type { PluginContext } from '../../src/config/define.ts'
import { bindPlugin, createRegistry, parseConfig } from '../../src/config/index.ts'
import type { BoundPlugin } from '../../src/config/schema.ts'
import type { Batch } from '../../src/core/batch.ts'
import { ConfigErrors } from '../../src/core/errors.ts'
import { formatters } from '../../src/formatters/index.ts'
import { loadKernel } from '../../src/host/load-kernel.ts'
import { createKernel } from '../../src/kernel/index.ts'
import { decodeBatch } from '../../src/msgpack/entries.ts'
import { parsers } from '../../src/parsers/index.ts'
import { plugins } from '../../src/plugins.ts'
import { plain } from '../unit/sources/forward/harness.ts'
import { createFakeHost, type FakeHost } from './fake-host.ts'

const kernel = createKernel(loadKernel())

/**
 * A buffered output as its `<match>` section says, with real formatters and parsers, on a host in memory. What it emits is
 * noted, and answered by `answer`. Throws ConfigErrors, or ConfigError.
 */
export function outputOn(lines: string, host: FakeHost = createFakeHost()) {
  const text = `<match **>\n${lines}\n</match>\n`
  const world = { env: {}, hostname: 'test', readFile: () => undefined, listDir: () => undefined }
  const { root, errors } = parseConfig({ ...world, path: 'test.conf', text })
  const element = root.children[0]
  if (errors.length > 0 || element === undefined) throw new ConfigErrors(errors)
  const { bound, errors: wrong } = bindPlugin('output', element, createRegistry(plugins))
  if (bound === undefined || wrong.length > 0) throw new ConfigErrors(wrong)
  const events: string[] = []
  const running = { answer: (_batch: Batch): void | Promise<void> => undefined }
  const context = {
    host,
    id: 'out',
    type: bound.type,
    label: bound.label,
    log: host.log,
    kernel,
    system: {
      workers: 1,
      workerId: 0,
      rootDir: undefined,
      filePermission: undefined,
      dirPermission: undefined,
      strictConfigValue: false,
    },
    router: {
      emit(batch: Batch) {
        for (const { time, record } of decodeBatch(batch)) {
          events.push(`${batch.tag} ${time.seconds} ${JSON.stringify(plain(record))}`)
        }
        return running.answer(batch)
      },
    },
    createFormatter: (of: BoundPlugin) =>
      formatters.find(({ name }) => name === of.type)!.create(of.params as never, context),
    createParser: (of: BoundPlugin) =>
      parsers.find(({ name }) => name === of.type)!.create(of.params as never, context),
  } as unknown as PluginContext
  return Object.assign(running, {
    output: createBuffered(bound, context),
    bound,
    context,
    host,
    events,
  })
}

/** Lets promises settle, and what they lead to. */
export async function settle(): Promise<void> {
  for (let n = 0; n < 5; n++) await new Promise((resolve) => setImmediate(resolve))
}

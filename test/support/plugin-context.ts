import type {
  AppView,
  PluginContext,
  PluginDefinition,
  PluginView,
} from '../../src/config/define.ts'
import { bindPlugin, createRegistry, parseConfig } from '../../src/config/index.ts'
import type { BoundPlugin } from '../../src/config/schema.ts'
import type { Batch } from '../../src/core/batch.ts'
import { ConfigErrors } from '../../src/core/errors.ts'
import type { OutputStatistics } from '../../src/core/output.ts'
import { createMetrics } from '../../src/observe/metrics.ts'
import { createFakeHost } from './fake-host.ts'

/** The lines of a plugin's section, parsed and bound; `more` as for bindSource. Throws ConfigErrors. */
export function bindText(
  definition: PluginDefinition,
  lines: string,
  argument = '**',
  more: readonly PluginDefinition[] = [],
): BoundPlugin {
  const kind = definition.kind
  const name = kind === 'output' ? 'match' : kind
  const text = `<${name}${kind === 'source' ? '' : ` ${argument}`}>\n@type ${definition.name}\n${lines}\n</${name}>\n`
  const world = { env: {}, hostname: 'test', readFile: () => undefined, listDir: () => undefined }
  const { root, errors } = parseConfig({ ...world, path: 'test.conf', text })
  if (errors.length > 0) throw new ConfigErrors(errors)
  const element = root.children[0]
  if (element === undefined) throw new Error('no section')
  const result = bindPlugin(kind, element, createRegistry([definition, ...more]))
  if (result.bound === undefined) throw new ConfigErrors(result.errors)
  return result.bound
}

/** The lines of a source's section, bound; `more` are the plugins that its sections name. Throws ConfigErrors. */
export function bindSource(
  definition: PluginDefinition,
  lines: string,
  more: readonly PluginDefinition[],
): BoundPlugin {
  const text = `<source>\n@type ${definition.name}\n${lines}\n</source>\n`
  const world = { env: {}, hostname: 'test', readFile: () => undefined, listDir: () => undefined }
  const { root, errors } = parseConfig({ ...world, path: 'test.conf', text })
  const element = root.children[0]
  if (errors.length > 0 || element === undefined) throw new ConfigErrors(errors)
  const result = bindPlugin('source', element, createRegistry([definition, ...more]))
  if (result.bound === undefined || result.errors.length > 0) throw new ConfigErrors(result.errors)
  return result.bound
}

/** A context with real metrics; what it does not have, a test that needs it hands in. */
export function createTestContext(more: Partial<PluginContext> = {}) {
  const fake = createFakeHost()
  const metrics = createMetrics({ processMetrics: false })
  const host = { ...fake, metrics }
  const emitted: Batch[] = []
  const app: AppView = {
    startedMs: 0,
    configPath: '/etc/test.conf',
    configDump: () => '',
    plugins: () => [],
    ready: () => true,
    flush: async () => undefined,
  }
  const context = {
    host,
    id: 'test_0',
    type: 'test',
    log: fake.log,
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
        emitted.push({ ...batch, packed: batch.packed.slice() })
      },
    },
    emitError: () => undefined,
    app,
    ...more,
  } as unknown as PluginContext
  return { context, fake, metrics, emitted, app }
}

const noStatistics: OutputStatistics = {
  emittedEvents: 0,
  deliveredEvents: 0,
  bufferedEvents: 0,
  droppedEvents: {},
  emitCount: 0,
  writeCount: 0,
  retryCount: 0,
  rollbackCount: 0,
  slowFlushCount: 0,
  errorCount: 0,
  stagedBytes: 0,
  queuedBytes: 0,
  queueLength: 0,
  stagedLength: 0,
  totalLimitBytes: 0,
  flushTimeMs: 0,
  oldestMs: undefined,
  newestTimekey: undefined,
  oldestTimekey: undefined,
  retry: undefined,
}

/** An output as the application shows it, with these figures. */
export function outputView(
  bound: BoundPlugin,
  id: string,
  statistics: Partial<OutputStatistics>,
): PluginView {
  return {
    id,
    idWritten: true,
    category: 'output',
    type: bound.type,
    bound,
    emittedRecords: statistics.emittedEvents ?? 0,
    emittedBytes: 0,
    statistics: () => ({ ...noStatistics, ...statistics }),
  }
}

/** A source as the application shows it. */
export function sourceView(bound: BoundPlugin, id: string, emittedRecords: number): PluginView {
  return {
    id,
    idWritten: false,
    category: 'input',
    type: bound.type,
    bound,
    emittedRecords,
    emittedBytes: emittedRecords * 10,
    statistics: () => undefined,
  }
}

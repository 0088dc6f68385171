import { networkInterfaces } from 'node:os'
import { type App, type AppConfig, createApp } from '../app.ts'
import { modeOf, type SystemConfig } from '../config/index.ts'
import { ConfigError, ConfigErrors } from '../core/errors.ts'
import type { Host } from '../core/host.ts'
import { version } from '../core/version.ts'
import { loadKernel } from '../host/load-kernel.ts'
import { createNodeClock } from '../host/node-clock.ts'
import { createNodeHost } from '../host/node-host.ts'
import { openStandardError } from '../host/node-log-file.ts'
import { takeWorkerPlace } from '../host/worker-place.ts'
import { createKernel } from '../kernel/index.ts'
import { allPlugins } from '../load-plugins.ts'
import { createLogger } from '../observe/log.ts'
import { createMetrics } from '../observe/metrics.ts'
import type { RunCommand } from './argv.ts'
import { banner } from './banner.ts'
import { configureLog, systemOf } from './configure-log.ts'
import { dumpConfig, loadConfig, type Run, sayWhyNot, withPlugins } from './context.ts'
import { loadOwnPlugins } from './own-plugins.ts'
import { changeUser } from './privileges.ts'
import { findConfig } from './read-config.ts'
import { serve } from './serve.ts'
import { silentLog } from './silent-log.ts'
import { sourceOnlyConfig, sourceOnlyPath } from './source-only.ts'

/** How long the log's last lines may take. */
const lastWordsMs = 500

/** Runs the server until it is asked to stop. Resolves with the exit code. */
export async function run(command: RunCommand): Promise<number> {
  const worker = takeWorkerPlace()
  const standardError = openStandardError()
  const log = createLogger({
    clock: createNodeClock(),
    settings: {
      destination: standardError,
      level: command.logLevel ?? 'info',
      workerId: worker?.id ?? 0,
      color: worker?.color ?? process.stderr.isTTY === true,
    },
  })
  const sockets = { shared: !command.disableSharedSocket }
  const host = createNodeHost({
    log,
    metrics: createMetrics(),
    worker: worker !== undefined,
    exclusive: () => !sockets.shared,
  })
  const place = findConfig(command, host)
  const known = { own: [], workers: undefined }
  const sourceOnly = { phase: undefined, path: '' }
  const self: Run = { command, host, log, place, standardError, worker, sockets, known, sourceOnly }
  try {
    const code = await runWith(self)
    sayWhatIsHeld(self)
    return code
  } catch (error) {
    sayWhyNot(log, error)
    return 1
  } finally {
    // A reader of standard error that does not read must not keep the process.
    const late = new Promise<void>((resolve) => setTimeout(resolve, lastWordsMs))
    await Promise.race([Promise.all([log.flush(), standardError.flush()]), late])
  }
}

async function runWith(self: Run): Promise<number> {
  const { command, log, worker } = self
  const config = loadConfig(self)
  const system = systemOf(config)
  const umask = command.umask ?? modeOf(system?.umask)
  if (umask !== undefined) process.umask(umask)
  if (worker === undefined) changeUser(command)
  await configureLog(self, system)
  nameProcess(self, system)
  if (system?.disableSharedSocket) self.sockets.shared = false
  if (worker === undefined) for (const notice of command.notices) log.info(notice)
  // What a worker loads its supervisor has loaded and told of already.
  const toldTo = worker === undefined ? log : silentLog
  const of = { log: toldTo, env: self.host.env, builtIn: allPlugins }
  self.known.own = await loadOwnPlugins(command, of)
  const workers = worker?.workers ?? command.workers ?? system?.workers ?? 1
  self.known.workers = workers
  const first = await beginSourceOnly(self, config, { system, workers })
  if (worker !== undefined || workers === 1) {
    return await runAlone(self, await withPlugins(self, first), workers)
  }
  if (command.alone) {
    const message = `invalid number of workers with --no-supervisor: ${workers}`
    throw new ConfigErrors([new ConfigError(message, { hint: 'leave workers away, or write 1' })])
  }
  const plugins = [...(await allPlugins()), ...self.known.own]
  const { supervise } = await import('./supervise.ts')
  return await supervise(
    self,
    { workers, system },
    {
      createFor: (id) => appOf(self, { ...loadConfig(self, id), plugins }, { workers, id }),
      hello: sayHello,
    },
  )
}

/** With with_source_only, what runs at first; the configuration itself otherwise. Rejects with ConfigErrors. */
async function beginSourceOnly(
  self: Run,
  config: AppConfig,
  of: { system: SystemConfig | undefined; workers: number },
): Promise<AppConfig> {
  const { command, log, worker } = self
  const { system } = of
  if (!command.withSourceOnly && system?.withSourceOnly !== true) return config
  // The whole is made as well, so that what is wrong with it is not found only when it is wanted.
  appOf(self, await withPlugins(self, config), { ...of, id: worker?.id ?? 0 })
  const path = sourceOnlyPath(system, process.env)
  Object.assign(self.sourceOnly, { phase: 'holding', path })
  if (worker === undefined) {
    const hint = 'SIGWINCH starts the rest'
    log.info('with-source-only: what comes in is kept in file buffers', { path, hint })
  }
  return sourceOnlyConfig(config, { phase: 'holding', path, system })
}

function sayWhatIsHeld({ log, sourceOnly: { phase, path }, worker }: Run): void {
  if (phase !== 'holding' || worker !== undefined) return
  log.warn('what came in stays in buffer files', {
    path,
    hint: 'to deliver it, write this path into <source_only_buffer>, start again and send SIGWINCH',
  })
}

/** The only process, or one of several workers. */
async function runAlone(self: Run, config: AppConfig, workers: number): Promise<number> {
  const { command, host, log, place, worker } = self
  tellBuild(host)
  const app = appOf(self, config, { workers, id: worker?.id ?? 0 })
  if (command.dryRun) {
    await app.check()
    log.info('dry run: it would start', { config: place.path ?? 'embedded default' })
    return 0
  }
  if (worker !== undefined) return await serve(self, app, () => undefined)
  log.info(`starting sluice-${version}`, { pid: host.pid, node: process.versions.node })
  dumpConfig(self, app)
  return await serve(self, app, () => sayHello(self))
}

/** Throws ConfigErrors. */
function appOf(self: Run, config: AppConfig, of: { workers: number; id: number }): App {
  const { command, host, worker } = self
  return createApp({
    host,
    plugins: config.plugins ?? [],
    kernel: createKernel(loadKernel()),
    config,
    overrides: {
      workers: of.workers,
      workerId: of.id,
      withoutSource: command.withoutSource || undefined,
      emitErrorLogInterval: command.emitErrorLogInterval,
      strictConfigValue: command.strictConfigValue || undefined,
      // The process that starts the workers made worker 0 first, and said them then.
      warned: worker !== undefined || of.id > 0,
    },
  })
}

/** As it stands in the list of processes; Fluentd's names. */
function nameProcess({ worker }: Run, system: SystemConfig | undefined): void {
  const name = system?.processName
  if (name !== undefined) process.title = `worker:${name}${worker?.id ?? ''}`
}

/** Which version runs where, as dashboards ask it. */
function tellBuild(host: Host): void {
  const labels = { version, node: process.versions.node }
  const help = 'Always 1: the labels say which Sluice runs, on which Node.js.'
  host.metrics.gauge({ name: 'sluice_build_info', help, labels }).set(1)
}

function sayHello({ command, log, place, standardError }: Run): void {
  if (place.path !== undefined || command.inlineConfig !== undefined) return
  if (!log.enabled('info')) return
  const addresses = Object.values(networkInterfaces())
    .flatMap((each) => each ?? [])
    .filter((address) => address.family === 'IPv4' && !address.internal)
    .map((address) => address.address)
  standardError.write(banner({ script: howCalled(process.argv[1] ?? ''), addresses }))
}

/** What to write to call it again: a name that is in the PATH, or the script as it was given. */
function howCalled(script: string): string {
  const name = script.slice(script.lastIndexOf('/') + 1)
  return name.endsWith('.js') ? 'node dist/cli.js' : name
}

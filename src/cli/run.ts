import { networkInterfaces } from 'node:os'
import { type App, type AppConfig, createApp } from '../app.ts'
import { renderAll } from '../config/index.ts'
import { ConfigError, ConfigErrors } from '../core/errors.ts'
import type { Host } from '../core/host.ts'
import { version } from '../core/version.ts'
import { loadKernel } from '../host/load-kernel.ts'
import { createNodeClock } from '../host/node-clock.ts'
import { createNodeHost } from '../host/node-host.ts'
import { openStandardError } from '../host/node-log-file.ts'
import { createKernel } from '../kernel/index.ts'
import { createLogger, type LogDestination, type RootLogger } from '../observe/log.ts'
import { createMetrics } from '../observe/metrics.ts'
import { plugins } from '../plugins.ts'
import type { RunCommand } from './argv.ts'
import { banner } from './banner.ts'
import { configureLog } from './configure-log.ts'
import { changeUser } from './privileges.ts'
import { type ConfigPlace, findConfig, readConfig } from './read-config.ts'
import { serve } from './serve.ts'

/** Everything that one run of the server has at hand. */
export interface Run {
  readonly command: RunCommand
  readonly host: Host
  readonly log: RootLogger
  readonly place: ConfigPlace
  readonly standardError: LogDestination
}

/** How long the log's last lines may take. */
const lastWordsMs = 500

/** Runs the server until it is asked to stop. Resolves with the exit code. */
export async function run(command: RunCommand): Promise<number> {
  const standardError = openStandardError()
  const log = createLogger({
    clock: createNodeClock(),
    settings: {
      destination: standardError,
      level: command.logLevel ?? 'info',
      color: process.stderr.isTTY === true,
    },
  })
  const host = createNodeHost({ log, metrics: createMetrics() })
  const place = findConfig(command, host)
  const self: Run = { command, host, log, place, standardError }
  try {
    return await runWith(self)
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
  const { command, host, log, place } = self
  if (command.umask !== undefined) process.umask(command.umask)
  const config = loadConfig(self)
  changeUser(command)
  await configureLog(self, config)
  for (const notice of command.notices) log.info(notice)
  const app = createApp({
    host,
    plugins,
    kernel: createKernel(loadKernel()),
    config,
    overrides: {
      workers: command.workers,
      withoutSource: command.withoutSource,
      strictConfigValue: command.strictConfigValue,
    },
  })
  if (command.dryRun) {
    await app.check()
    log.info('dry run: it would start', { config: place.path ?? 'embedded default' })
    return 0
  }
  log.info(`starting sluice-${version}`, { pid: host.pid, node: process.versions.node })
  dumpConfig(self, app)
  return await serve(self, app, () => sayHello(self))
}

/** Reads the configuration anew: at the start and for each reload. Throws ConfigErrors. */
export function loadConfig(self: Run): AppConfig {
  const parsed = readConfig(self.place, self.command, self.host)
  return { root: parsed.root, warnings: parsed.warnings, path: self.place.path }
}

/** The configuration as it is understood, as Fluentd logs it. */
export function dumpConfig({ command, log, place }: Run, app: App): void {
  const suppressed = command.suppressConfigDump || app.system.suppressConfigDump === true
  // The embedded one is in the manual, and the banner is easier to find without it.
  if (suppressed || place.path === undefined) return
  log.block('info', `using configuration file ${place.path}: `, app.view.configDump())
}

/** One line for whatever kept it from starting, or as many as the configuration has errors. */
export function sayWhyNot(log: RootLogger, error: unknown): void {
  if (error instanceof ConfigErrors) {
    log.block('error', 'config error: ', renderAll(error.errors))
  } else if (error instanceof ConfigError) {
    log.block('error', 'config error: ', renderAll([error]))
  } else {
    log.error('cannot start', { error })
    if (error instanceof Error && log.enabled('debug')) log.block('debug', '', error.stack ?? '')
  }
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

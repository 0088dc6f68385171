import type { App, AppConfig } from '../app.ts'
import type { PluginDefinition } from '../config/define.ts'
import { renderAll } from '../config/index.ts'
import { ConfigError, ConfigErrors } from '../core/errors.ts'
import type { Host } from '../core/host.ts'
import type { WorkerPlace } from '../host/worker-place.ts'
import { pluginsFor } from '../load-plugins.ts'
import type { LogDestination, RootLogger } from '../observe/log.ts'
import type { RunCommand } from './argv.ts'
import { systemOf } from './configure-log.ts'
import { type ConfigPlace, readConfig } from './read-config.ts'
import { type SourceOnlyPhase, sourceOnlyConfig } from './source-only.ts'

/** Everything that one run of the server has at hand. */
export interface Run {
  readonly command: RunCommand
  readonly host: Host
  readonly log: RootLogger
  readonly place: ConfigPlace
  readonly standardError: LogDestination
  /** Set where this process is one of several workers. */
  readonly worker: WorkerPlace | undefined
  /** Plugins of -p and -r, and how many workers there are: known once the configuration was read for the first time. */
  readonly known: { own: readonly PluginDefinition[]; workers: number | undefined }
  /** Set where only sources run at first; `loading` once everything does. */
  readonly sourceOnly: { phase: SourceOnlyPhase | undefined; path: string }
  /** Whether workers share listening sockets: known once <system> is read. */
  readonly sockets: { shared: boolean }
}

/** Reads the configuration anew: at the start and for each reload. Throws ConfigErrors. */
export function loadConfig(self: Run, workerId = workerIdOf(self)): AppConfig {
  const parsed = readConfig(self.place, self.command, self.host, workerId)
  const config = { root: parsed.root, warnings: parsed.warnings, path: self.place.path }
  const { phase, path } = self.sourceOnly
  if (phase === undefined) return config
  return sourceOnlyConfig(config, { phase, path, system: systemOf(config) })
}

/** With the plugins that it names. */
export async function withPlugins(self: Run, config: AppConfig): Promise<AppConfig> {
  const of = { ...self.known, workerId: self.worker?.id ?? 0 }
  return { ...config, plugins: await pluginsFor(config.root, of) }
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
    if (error instanceof Error) log.block('debug', '', error.stack ?? '')
  }
}

/** As in Fluentd, the only worker is number 0, and with --no-supervisor there is none. */
function workerIdOf({ worker, command }: Run): number | undefined {
  return worker?.id ?? (command.alone ? undefined : 0)
}

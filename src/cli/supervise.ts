import type { App } from '../app.ts'
import type { SystemConfig } from '../config/index.ts'
import type { Listener } from '../core/host.ts'
import { version } from '../core/version.ts'
import { removeStaleSocket } from '../host/node-net.ts'
import { createWorkerStarter } from '../host/node-workers.ts'
import { configureLog, systemOf } from './configure-log.ts'
import { dumpConfig, loadConfig, type Run, sayWhyNot } from './context.ts'
import { type RpcActions, startRpc } from './rpc.ts'
import { flushDeadlineMs } from './serve.ts'
import { obey, workInTurn } from './signals.ts'
import { createSupervisor, type Supervisor } from './supervisor.ts'

/** Workers give up by themselves before that (serve.ts). */
const killAfterMs = 9_700

export interface Parts {
  /** Makes what worker `id` would run, from the configuration as it is now. Throws ConfigErrors. */
  createFor(id: number): App
  hello(self: Run): void
}

/** `workers` processes and this one, which keeps them running and hands signals on. Resolves with the exit code. */
export async function supervise(
  self: Run,
  of: { readonly workers: number; readonly system: SystemConfig | undefined },
  parts: Parts,
): Promise<number> {
  const { command, host, log, place } = self
  const { workers, system } = of
  log.configure({ workerId: undefined })
  if (system?.processName !== undefined) process.title = `supervisor:${system.processName}`
  const apps = appsOf(workers, parts)
  if (command.dryRun) {
    for (const app of apps) await app.check()
    log.info('dry run: it would start', { config: place.path ?? 'embedded default', workers })
    return 0
  }
  log.info(`starting sluice-${version}`, { pid: host.pid, node: process.versions.node, workers })
  dumpConfig(self, apps[0]!)
  await removeStale(apps)
  const supervisor = createSupervisor({
    workers,
    starter: createWorkerStarter({ stdout: host.stdout, log: (lines) => log.pass(lines) }),
    clock: host.clock,
    log,
    color: process.stderr.isTTY === true && system?.log?.path === undefined && !command.logPath,
    restartIntervalMs: (system?.restartWorkerInterval ?? 0) * 1000,
    killAfterMs,
    flushDeadlineMs,
    started() {
      log.info('all workers run', { workers })
      parts.hello(self)
    },
  })
  const handed = handOn(self, supervisor, { workers, parts, configText: apps[0]!.view.configDump })
  let rpc: Listener | undefined
  try {
    rpc = await startRpc(host, system ?? {}, handed.rpc)
    supervisor.start()
    const code = await supervisor.ended
    await host.stdout.drain()
    if (code === 0) log.info('stopped')
    return code
  } finally {
    handed.remove()
    await rpc?.close()
  }
}

function appsOf(workers: number, parts: Parts): App[] {
  return Array.from({ length: workers }, (_, id) => parts.createFor(id))
}

/** Workers start side by side: none of them could tell another's new socket from an old one. */
async function removeStale(apps: readonly App[]): Promise<void> {
  const paths = apps.flatMap(({ claims }) => claims).filter((claim) => claim.startsWith('unix:'))
  for (const claim of new Set(paths)) await removeStaleSocket(claim.slice('unix:'.length))
}

function handOn(
  self: Run,
  supervisor: Supervisor,
  of: { workers: number; parts: Parts; configText: () => string },
): { remove: () => void; rpc: RpcActions } {
  const { log } = self
  let stopping = false
  const stop = (why: string, code: number) => () => {
    stopping = true
    supervisor.stop(why, code)
  }
  const inTurn = workInTurn(log, { stopping: () => stopping })
  let { configText } = of
  const reloadAll = inTurn('reload', async () => {
    configText = (await reload(self, supervisor, of)) ?? configText
  })
  const flushAll = (): void => {
    log.reopen()
    supervisor.tell('flush')
  }
  const remove = obey({
    SIGINT: stop('SIGINT', 0),
    SIGTERM: stop('SIGTERM', 0),
    SIGHUP: reloadAll,
    SIGUSR2: reloadAll,
    SIGUSR1: flushAll,
    SIGCONT: () => supervisor.tell('dump'),
    SIGWINCH() {
      if (self.sourceOnly.phase === 'holding') self.sourceOnly.phase = 'loading'
      supervisor.tell('winch')
    },
  })
  const bug = (error: unknown): void => {
    log.fatal('bug in Sluice: it stops', { error })
    if (error instanceof Error) log.block('fatal', '', error.stack ?? '')
    stop('a bug', 1)()
  }
  process.on('uncaughtException', bug)
  process.on('unhandledRejection', bug)
  const rpc: RpcActions = {
    stop: stop('RPC', 0),
    flushAndStop() {
      stopping = true
      supervisor.stop('RPC', 0, { flush: true })
    },
    reload: reloadAll,
    flush: flushAll,
    configText: () => configText(),
  }
  return { remove, rpc }
}

/** A configuration that is wrong reaches no worker. Resolves with what gives the text of the new one. */
async function reload(
  self: Run,
  supervisor: Supervisor,
  { workers, parts }: { workers: number; parts: Parts },
): Promise<(() => string) | undefined> {
  const { log } = self
  log.info('reloading the configuration')
  try {
    const system = systemOf(loadConfig(self))
    const wanted = self.command.workers ?? system?.workers ?? workers
    if (wanted !== workers) {
      log.warn('the number of workers changes only with a restart', { workers, wanted })
    }
    const apps = appsOf(workers, parts)
    await removeStale(apps)
    dumpConfig(self, apps[0]!)
    await configureLog(self, system)
    supervisor.tell('reload')
    return apps[0]!.view.configDump
  } catch (error) {
    sayWhyNot(log, error)
    log.error('the old configuration stays')
    return undefined
  }
}

import type { App } from '../app.ts'
import type { Listener } from '../core/host.ts'
import { configureLog, systemOf } from './configure-log.ts'
import { dumpConfig, loadConfig, type Run, sayWhyNot, withPlugins } from './context.ts'
import { startRpc } from './rpc.ts'
import { obey, workInTurn } from './signals.ts'
import { dumpState } from './state-dump.ts'

/**
 * How long a stop may take: a bit less than Docker waits (10 s) before it kills, so that what could not be delivered is
 * at least said.
 */
const stopDeadlineMs = 8_500
/** How long a flush before a stop may take: what it leaves is the stop's to deliver. */
export const flushDeadlineMs = 30_000
/** What the application may take to end once its deadline has passed. */
const graceMs = 1_000
/** After a bug there is no trusting the process for long. */
const bugDeadlineMs = 2_000

/**
 * Starts the application and obeys signals until one of them ends it. Resolves with the exit code; rejects if it could not
 * start.
 */
export async function serve(self: Run, app: App, started: () => void): Promise<number> {
  const { log } = self
  const stopping = new AbortController()
  let exit: (code: number) => void = () => undefined
  const exited = new Promise<number>((resolve) => {
    exit = resolve
  })
  const end = endOnce(self, app, stopping, exit)
  let begin: () => void = () => undefined
  const begun = new Promise<void>((resolve) => {
    begin = resolve
  })
  const inTurn = workInTurn(log, { stopping: () => stopping.signal.aborted, after: begun })
  const actions = {
    reload: inTurn('reload', () => reload(self, app, () => exit(1))),
    flush: inTurn('flush', () => flush(self, app)),
    flushAndStop: inTurn('flush', async () => {
      const late = new Promise<void>((resolve) => {
        self.host.clock.after(flushDeadlineMs, resolve)
      })
      await Promise.race([flush(self, app), late])
      if (!stopping.signal.aborted) end('RPC', 0, stopDeadlineMs)
    }),
    dump: inTurn('state dump', () => dumpState(self, app)),
    winch: inTurn('the end of the source-only mode', async () => {
      if (self.sourceOnly.phase !== 'holding') {
        log.info('SIGWINCH is ignored: there is no source-only mode to leave')
        return
      }
      log.info('leaving the source-only mode')
      self.sourceOnly.phase = 'loading'
      await reload(self, app, () => exit(1))
    }),
  }
  const worker =
    self.worker === undefined
      ? undefined
      : await beWorker(self, { actions, end, stopping: stopping.signal })
  const remove = obey({
    ...(worker?.signals ?? {
      SIGINT: () => end('SIGINT', 0, stopDeadlineMs),
      SIGTERM: () => end('SIGTERM', 0, stopDeadlineMs),
    }),
    SIGHUP: actions.reload,
    SIGUSR2: actions.reload,
    SIGUSR1: actions.flush,
    SIGCONT: actions.dump,
    SIGWINCH: actions.winch,
  })
  const bug = (error: unknown): void => {
    log.fatal('bug in Sluice: it stops', { error })
    if (error instanceof Error) log.block('fatal', '', error.stack ?? '')
    end('a bug', 1, bugDeadlineMs)
  }
  process.on('uncaughtException', bug)
  process.on('unhandledRejection', bug)
  // A configuration without sources has nothing else that keeps the process.
  const alive = setInterval(() => undefined, 2 ** 30)
  let rpc: Listener | undefined
  try {
    if (worker === undefined) {
      rpc = await startRpc(self.host, app.system, {
        ...actions,
        stop: () => end('RPC', 0, stopDeadlineMs),
        configText: () => app.view.configDump(),
      })
    }
    const failed = app.start().then(() => {
      if (!stopping.signal.aborted) started()
      worker?.started()
      begin()
      return new Promise<never>(() => undefined)
    })
    return await Promise.race([exited, failed])
  } finally {
    await rpc?.close()
    clearInterval(alive)
    remove()
  }
}

type End = (why: string, code: number, deadlineMs: number) => void

/**
 * One of several workers. Service managers signal every process at once, terminals too: being told twice to stop does not
 * mean to hurry, unless the supervisor says so.
 */
async function beWorker(
  self: Run,
  of: {
    actions: Readonly<Record<'reload' | 'flush' | 'flushAndStop' | 'dump' | 'winch', () => void>>
    end: End
    stopping: AbortSignal
  },
) {
  const { actions, end } = of
  const { joinSupervisor } = await import('../host/node-workers.ts')
  const stop = (why: string) => {
    if (!of.stopping.aborted) end(why, 0, stopDeadlineMs)
  }
  const supervisor = joinSupervisor({
    command(command) {
      if (command === 'stop') stop('the supervisor')
      else if (command === 'hurry') end('the supervisor', 0, stopDeadlineMs)
      else actions[command]()
    },
    orphaned: () => stop('the supervisor is gone'),
  })
  return {
    signals: {
      SIGINT: () => self.log.debug('SIGINT is left to the supervisor'),
      SIGTERM: () => stop('SIGTERM'),
    },
    started: () => supervisor.report({ kind: 'started' }),
  }
}

/** The first call stops the application; a second one does not wait for it any longer. */
function endOnce(
  self: Run,
  app: App,
  stopping: AbortController,
  exit: (code: number) => void,
): End {
  const { log } = self
  const deadline = new AbortController()
  return (why: string, code: number, deadlineMs: number): void => {
    if (stopping.signal.aborted) {
      log.warn('stopping at once: what is not delivered is lost', { because: why })
      deadline.abort()
      exit(code)
      return
    }
    stopping.abort()
    log.info('stopping', { because: why })
    self.host.clock.after(deadlineMs, () => deadline.abort())
    self.host.clock.after(deadlineMs + graceMs, () => {
      log.error('stopping takes too long: what is not delivered is lost')
      exit(1)
    })
    app.stop(deadline.signal).then(
      () => {
        log.info('stopped')
        exit(code)
      },
      (error: unknown) => {
        log.error('stopping failed', { error })
        exit(1)
      },
    )
  }
}

async function reload(self: Run, app: App, giveUp: () => void): Promise<void> {
  const { log } = self
  log.info('reloading the configuration')
  try {
    const config = await withPlugins(self, loadConfig(self))
    await app.reload(config, AbortSignal.timeout(stopDeadlineMs))
    if (self.worker === undefined) dumpConfig(self, app)
    log.info('the new configuration is in place')
    await configureLog(self, systemOf(config)).catch((error: unknown) =>
      log.error('the log stays as it was', { error }),
    )
  } catch (error) {
    sayWhyNot(log, error)
    if (app.running) log.error('the old configuration stays')
    else giveUp()
  }
}

async function flush({ log }: Run, app: App): Promise<void> {
  log.reopen()
  log.info('force flushing buffered events')
  await app.flush()
}

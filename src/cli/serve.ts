import type { App } from '../app.ts'
import { configureLog, systemOf } from './configure-log.ts'
import { dumpConfig, loadConfig, type Run, sayWhyNot } from './context.ts'
import { dumpState } from './state-dump.ts'

/**
 * How long a stop may take: a bit less than Docker waits (10 s) before it kills, so that what could not be delivered is
 * at least said.
 */
const stopDeadlineMs = 8_500
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
  // One after the other: a reload in the middle of a flush, or of a stop, would find a graph that is not there.
  let last: Promise<void> = Promise.resolve()
  const inTurn = (what: string, work: () => Promise<void>) => () => {
    last = last.then(async () => {
      if (stopping.signal.aborted) return
      try {
        await work()
      } catch (error) {
        log.error(`${what} failed`, { error })
      }
    })
  }
  const remove = listen({
    SIGINT: () => end('SIGINT', 0, stopDeadlineMs),
    SIGTERM: () => end('SIGTERM', 0, stopDeadlineMs),
    SIGHUP: inTurn('reload', () => reload(self, app, () => exit(1))),
    SIGUSR2: inTurn('reload', () => reload(self, app, () => exit(1))),
    SIGUSR1: inTurn('flush', () => flush(self, app)),
    SIGCONT: inTurn('state dump', () => dumpState(self, app)),
    SIGWINCH: () => log.debug('SIGWINCH is ignored: there is no source-only mode to leave'),
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
  try {
    const failed = app.start().then(() => {
      if (!stopping.signal.aborted) started()
      return new Promise<never>(() => undefined)
    })
    return await Promise.race([exited, failed])
  } finally {
    clearInterval(alive)
    remove()
  }
}

/** The first call stops the application; a second one does not wait for it any longer. */
function endOnce(self: Run, app: App, stopping: AbortController, exit: (code: number) => void) {
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
    const config = loadConfig(self)
    await app.reload(config, AbortSignal.timeout(stopDeadlineMs))
    dumpConfig(self, app)
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

function listen(handlers: Readonly<Partial<Record<NodeJS.Signals, () => void>>>): () => void {
  const entries = Object.entries(handlers) as [NodeJS.Signals, () => void][]
  for (const [signal, handler] of entries) process.on(signal, handler)
  return () => {
    for (const [signal, handler] of entries) process.off(signal, handler)
  }
}

import type { Clock } from '../core/host.ts'
import type { Logger } from '../core/log.ts'
import type { WorkerCommand, WorkerHandle, WorkerStarter } from '../host/node-workers.ts'

/** A worker that lived this long is not taken for one that cannot start. */
const healthyMs = 10_000
const longestWaitMs = 60_000

export interface SupervisorOptions {
  readonly workers: number
  readonly starter: WorkerStarter
  readonly clock: Pick<Clock, 'monotonicMs' | 'after'>
  readonly log: Pick<Logger, 'info' | 'warn' | 'error'>
  readonly color: boolean
  /** <system> restart_worker_interval. */
  readonly restartIntervalMs: number
  /** When a stop lasts longer, what still runs is killed. */
  readonly killAfterMs: number
  /** How much longer a stop may last that begins with a flush. */
  readonly flushDeadlineMs: number
  /** All workers run for the first time. */
  started(): void
}

export interface Supervisor {
  /** Settles with the exit code once the last worker has ended. */
  readonly ended: Promise<number>
  start(): void
  /** The second call does not wait any longer. With `flush` what buffers hold is delivered before. */
  stop(why: string, code: number, how?: { readonly flush: boolean }): void
  /** To every worker that runs. */
  tell(command: WorkerCommand): void
}

interface Slot {
  readonly id: number
  handle: WorkerHandle | undefined
  startedMs: number
  running: boolean
  /** What it is told once it listens to us; undefined: it does. */
  pending: Set<WorkerCommand> | undefined
  /** Deaths in a row, each soon after the start. */
  failures: number
}

/**
 * Keeps the workers running: one that dies is started again, at once the first time and ever later while it goes on dying.
 * One that cannot start in the beginning ends all of them, with exit code 1: that is a wrong configuration, or a port in use.
 */
export function createSupervisor(options: SupervisorOptions): Supervisor {
  const { clock, log, starter, workers } = options
  const slots: Slot[] = Array.from({ length: workers }, (_, id) => ({
    id,
    handle: undefined,
    startedMs: 0,
    running: false,
    pending: undefined,
    failures: 0,
  }))
  let allStarted = false
  /** Workers that are started later have to be told as well. */
  let winched = false
  let stopping: { code: number } | undefined
  let finish: (code: number) => void = () => undefined
  const ended = new Promise<number>((resolve) => {
    finish = resolve
  })

  function tell(command: WorkerCommand): void {
    winched ||= command === 'winch'
    for (const { handle, pending } of slots) {
      if (pending === undefined) handle?.send(command)
      else pending.add(command)
    }
  }

  function joined(slot: Slot): void {
    const commands = slot.pending ?? []
    slot.pending = undefined
    for (const command of commands) slot.handle?.send(command)
  }

  function fork(slot: Slot): void {
    slot.startedMs = clock.monotonicMs()
    slot.running = false
    slot.pending = new Set(winched ? ['winch'] : [])
    slot.handle = starter.start(
      { id: slot.id, workers, color: options.color },
      {
        report: (report) => {
          if (report.kind === 'joined') joined(slot)
          else begun(slot)
        },
        ended: (code, signal) => died(slot, code, signal),
      },
    )
  }

  function begun(slot: Slot): void {
    slot.running = true
    if (allStarted || !slots.every(({ running }) => running)) return
    allStarted = true
    options.started()
  }

  function died(slot: Slot, code: number | undefined, signal: string | undefined): void {
    slot.handle = undefined
    slot.pending = undefined
    const how = signal === undefined ? { status: code } : { signal }
    if (stopping !== undefined) {
      if (code !== 0) stopping.code ||= 1
      if (slots.every(({ handle }) => handle === undefined)) finish(stopping.code)
      return
    }
    if (!allStarted && !slot.running) {
      log.error(`worker ${slot.id} could not start`, how)
      stop('a worker that cannot start', 1)
      return
    }
    const livedMs = clock.monotonicMs() - slot.startedMs
    slot.failures = livedMs < healthyMs ? slot.failures + 1 : 0
    const backoffMs = slot.failures <= 1 ? 0 : 500 * 2 ** Math.min(slot.failures - 1, 16)
    const waitMs = Math.max(options.restartIntervalMs, Math.min(backoffMs, longestWaitMs))
    log.error(`worker ${slot.id} exited unexpectedly: it is started again`, {
      ...how,
      in: `${waitMs / 1000}s`,
    })
    clock.after(waitMs, () => {
      if (stopping === undefined) fork(slot)
    })
  }

  function stop(why: string, code: number, { flush } = { flush: false }): void {
    if (stopping !== undefined) {
      log.warn('stopping at once: what is not delivered is lost', { because: why })
      tell('hurry')
      return
    }
    stopping = { code }
    log.info('stopping', { because: why })
    tell(flush ? 'flushAndStop' : 'stop')
    if (slots.every(({ handle }) => handle === undefined)) finish(code)
    clock.after(options.killAfterMs + (flush ? options.flushDeadlineMs : 0), () => {
      for (const { id, handle } of slots) {
        if (handle === undefined) continue
        log.error(`worker ${id} does not end: it is killed`)
        handle.kill()
      }
    })
  }

  return {
    ended,
    tell,
    stop,
    start() {
      for (const slot of slots) fork(slot)
    },
  }
}

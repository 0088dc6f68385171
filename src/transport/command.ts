import type { ChildProcess, Clock, ProcessExit, Processes, ProcessOptions } from '../core/host.ts'
import type { LineEvents } from './line-events.ts'
import type { ParsedStream } from './parsed-stream.ts'
import type { Reports } from './reports.ts'

/** After TERM, and after that KILL, so long is waited. */
const terminateMs = 10_000

/** A command that runs, and whose output becomes events. */
export interface RunningCommand {
  readonly child: ChildProcess
  /** It has ended, and its events are taken. */
  readonly exited: Promise<ProcessExit>
}

/** While the consumer of the events pushes back, its output is not read. */
export function runCommand(
  options: ProcessOptions,
  parts: {
    readonly processes: Processes
    readonly stream: ParsedStream
    readonly events: LineEvents
    readonly reports: Reports
    /** What comes, before it is taken apart; the last time with nothing. */
    readonly decode?: ((bytes?: Uint8Array) => Uint8Array) | undefined
  },
): RunningCommand {
  const { processes, stream, events, reports, decode } = parts
  let exit = (_exit: ProcessExit): void => undefined
  const exited = new Promise<ProcessExit>((resolve) => (exit = resolve))
  const child = processes.start(options, {
    onOutput(bytes) {
      reports.bytes += bytes.byteLength
      stream.feed(decode === undefined ? bytes : decode(bytes))
      const pending = events.flush()
      if (pending === undefined) return
      child.pause()
      void pending.then(() => child.resume())
    },
    onExit(status) {
      if (decode !== undefined) stream.feed(decode())
      stream.end()
      void Promise.resolve(events.flush()).then(() => exit(status))
    },
  })
  return { child, exited }
}

/** Asks it to end (TERM), and after a while, or at the deadline, makes it (KILL). */
export async function terminate(
  { child, exited }: RunningCommand,
  options: { clock: Pick<Clock, 'after'>; deadline: AbortSignal },
): Promise<void> {
  child.kill('TERM')
  if (await settledInTime(exited, { ...options, limitMs: terminateMs })) return
  child.kill('KILL')
  await exited
}

/** Whether it settled before the deadline and so many milliseconds. */
export function settledInTime(
  settled: Promise<unknown>,
  {
    clock,
    deadline,
    limitMs,
  }: { clock: Pick<Clock, 'after'>; deadline: AbortSignal; limitMs: number },
): Promise<boolean> {
  return new Promise((resolve) => {
    const give = (inTime: boolean) => {
      timer.cancel()
      deadline.removeEventListener('abort', late)
      resolve(inTime)
    }
    const late = () => give(false)
    const timer = clock.after(limitMs, late)
    deadline.addEventListener('abort', late)
    void settled.then(() => give(true))
    if (deadline.aborted) late()
  })
}

/** How a command ended, for the log; undefined: as it should. */
export function failureOf(exit: ProcessExit): Record<string, unknown> | undefined {
  if (exit.error !== undefined) return { error: exit.error }
  return exit.code === 0 ? undefined : { status: exit.code, signal: exit.signal }
}

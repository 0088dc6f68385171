import cluster from 'node:cluster'
import process from 'node:process'
import type { StdoutWriter } from '../core/host.ts'
import { createFrameReader } from './stdout-frames.ts'
import { placeVariable, type WorkerPlace } from './worker-place.ts'

/** What the supervisor asks of a worker, and what a worker reports. */
export type WorkerCommand =
  | 'stop'
  | 'hurry'
  | 'reload'
  | 'flush'
  | 'flushAndStop'
  | 'dump'
  | 'winch'
export interface WorkerReport {
  /** `joined`: from now on it hears commands; what was sent before is lost. `started`: its sources listen. */
  readonly kind: 'joined' | 'started'
}

export interface WorkerHandle {
  readonly pid: number | undefined
  send(command: WorkerCommand): void
  kill(): void
}

export interface WorkerEvents {
  report(report: WorkerReport): void
  /** It has ended and all it wrote was passed on. */
  ended(code: number | undefined, signal: string | undefined): void
}

/** Starts workers: copies of this process, with the same arguments, sharing listening sockets. */
export interface WorkerStarter {
  start(place: WorkerPlace, events: WorkerEvents): WorkerHandle
}

/** Characters of a line of a worker's log that are kept together. */
const lineLimit = 256 * 1024

export function createWorkerStarter(options: {
  readonly stdout: StdoutWriter
  /** Gets whole lines of the workers' logs, with their line ends. */
  readonly log: (lines: string) => void
}): WorkerStarter {
  cluster.setupPrimary({ stdio: ['ignore', 'pipe', 'pipe', 'ipc'] })
  return {
    start(place, events) {
      const worker = cluster.fork({
        [placeVariable]: JSON.stringify(place),
        // Fluentd's name for it: programs that a plugin starts may ask for it.
        SERVERENGINE_WORKER_ID: String(place.id),
      })
      const { stdout, stderr } = worker.process
      relayStdout(stdout!, options.stdout)
      relayLines(stderr!, options.log)
      worker.on('message', (message: WorkerReport) => events.report(message))
      // A worker that died takes messages no more; 'close' says what became of it.
      worker.on('error', () => undefined)
      worker.process.on('close', (code: number | null, signal: string | null) =>
        events.ended(code ?? undefined, signal ?? undefined),
      )
      return {
        get pid() {
          return worker.process.pid
        },
        send(command) {
          if (worker.isConnected()) worker.send(command)
        },
        kill: () => void worker.process.kill('SIGKILL'),
      }
    },
  }
}

function relayStdout(from: NodeJS.ReadableStream, stdout: StdoutWriter): void {
  const reader = createFrameReader(stdout)
  from.on('data', (bytes: Buffer) => {
    const room = reader.push(bytes)
    if (room === undefined) return
    from.pause()
    // Standard output that is gone was logged by its writer; the workers need not be held up by it.
    const go = () => void from.resume()
    room.then(go, go)
  })
  from.on('end', () => reader.end())
}

function relayLines(from: NodeJS.ReadableStream, log: (lines: string) => void): void {
  let rest = ''
  from.setEncoding('utf8')
  from.on('data', (text: string) => {
    const all = rest + text
    const end = all.lastIndexOf('\n') + 1
    if (end > 0) log(all.slice(0, end))
    rest = all.slice(end)
    if (rest.length <= lineLimit) return
    log(`${rest}\n`)
    rest = ''
  })
  from.on('end', () => {
    if (rest !== '') log(`${rest}\n`)
  })
}

/** The way back to the process that started this worker. */
export function joinSupervisor(handlers: {
  command(command: WorkerCommand): void
  /** It is gone: nobody would start this worker again, nor accept connections for it. */
  orphaned(): void
}): { report(report: WorkerReport): void } {
  // Node would end the process at once when its supervisor goes, with all that is not delivered.
  if (cluster.worker !== undefined) cluster.worker.exitedAfterDisconnect = true
  process.on('message', (message: WorkerCommand) => handlers.command(message))
  process.on('disconnect', () => handlers.orphaned())
  const report = (report: WorkerReport): void => {
    if (process.connected) process.send?.(report)
  }
  report({ kind: 'joined' })
  return { report }
}

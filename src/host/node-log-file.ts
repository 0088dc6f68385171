import {
  chmodSync,
  closeSync,
  fstatSync,
  mkdirSync,
  openSync,
  renameSync,
  statSync,
  write as writeBytes,
  writeSync,
} from 'node:fs'
import { dirname } from 'node:path'
import type { LogDestination } from '../observe/log.ts'

/** Characters waiting for a reader of standard error that does not read; beyond them new lines are left out. */
const waitingLimit = 1024 * 1024

/** How long a full pipe is left alone before the next try. */
const retryDelayMs = 5

/** Ruby's Logger rotates at this size where only a number of generations is given. */
const defaultRotateBytes = 1_048_576

type WriteBytes = (
  bytes: Uint8Array,
  offset: number,
  done: (error: NodeJS.ErrnoException | null, written: number) => void,
) => void

/**
 * Standard error, in the order of the lines and without ever waiting for its reader: what it does not take yet waits here,
 * bounded. `write` stands in for the file descriptor in tests.
 */
export function openStandardError(
  write: WriteBytes = (bytes, offset, done) =>
    writeBytes(2, bytes, offset, bytes.length - offset, null, done),
): LogDestination {
  let waiting: string[] = []
  let waitingLength = 0
  let lost = 0
  let busy = false
  let gone = false
  const emptied: (() => void)[] = []

  const pump = (): void => {
    if (busy) return
    if (waiting.length === 0 || gone) {
      waiting = []
      waitingLength = 0
      for (const resolve of emptied.splice(0)) resolve()
      return
    }
    if (lost > 0) waiting.push(`sluice: ${lost} lines of the log are lost: nobody read them\n`)
    lost = 0
    const bytes = Buffer.from(waiting.join(''))
    waiting = []
    waitingLength = 0
    busy = true
    send(bytes, 0)
  }
  const send = (bytes: Uint8Array, offset: number): void => {
    write(bytes, offset, (error, written) => {
      const at = offset + (error === null ? written : 0)
      if (error?.code === 'EAGAIN' || error?.code === 'EINTR') {
        setTimeout(() => send(bytes, at), retryDelayMs)
      } else if (error === null && at < bytes.length) {
        send(bytes, at)
      } else {
        // Any other error: the reader is gone, and the log has no other place to say so.
        gone = error !== null
        busy = false
        pump()
      }
    })
  }
  return {
    write(line) {
      if (gone) return
      if (waitingLength + line.length > waitingLimit) {
        lost++
        return
      }
      waiting.push(line)
      waitingLength += line.length
      pump()
    },
    reopen() {},
    close() {},
    flush: () =>
      new Promise((resolve) => {
        emptied.push(resolve)
        pump()
      }),
  }
}

export type RotateAge = number | 'daily' | 'weekly' | 'monthly'

export interface LogFileOptions {
  readonly path: string
  /** <system> dir_permission: given to the directory it stands in. */
  readonly directoryMode?: number | undefined
  /** Generations to keep (`path.0` is the newest), or how often the file is moved to `path.YYYYMMDD`. */
  readonly rotateAge?: RotateAge | undefined
  readonly rotateSizeBytes?: number | undefined
  /** Milliseconds since 1970, local time's offset included. */
  localMs(): number
  /** Told once for each trouble that follows: standard error. */
  trouble(message: string): void
}

/**
 * A log file, appended to as soon as a line is there. Throws if it cannot be opened; later troubles (a full disk) are
 * told once until writing works again.
 */
export function openLogFile(options: LogFileOptions): LogDestination {
  const directory = dirname(options.path)
  mkdirSync(directory, { recursive: true })
  if (options.directoryMode !== undefined) chmodSync(directory, options.directoryMode)
  let descriptor = openSync(options.path, 'a', 0o644)
  let sizeBytes = fstatSync(descriptor).size
  let period = periodOf(options.rotateAge, fileTime(options))
  let troubled = false

  const guarded = (what: string, run: () => void): void => {
    try {
      run()
      troubled = false
    } catch (error) {
      if (!troubled) options.trouble(`cannot ${what} the log file: ${(error as Error).message}`)
      troubled = true
    }
  }

  const open = (): void => {
    const fresh = openSync(options.path, 'a', 0o644)
    closeSync(descriptor)
    descriptor = fresh
    sizeBytes = fstatSync(descriptor).size
  }

  const rotate = (): void => {
    const now = periodOf(options.rotateAge, options.localMs())
    if (typeof options.rotateAge === 'string') {
      if (now === period || period === undefined) return
      renameSync(options.path, freeName(`${options.path}.${period}`))
      period = now
    } else {
      if (!sizeReached(options, sizeBytes)) return
      shift(options.path, options.rotateAge ?? 1)
    }
    open()
  }

  return {
    write(line) {
      if (options.rotateAge !== undefined || options.rotateSizeBytes !== undefined) {
        guarded('rotate', rotate)
      }
      guarded('write to', () => {
        const bytes = Buffer.from(line)
        for (let at = 0; at < bytes.length; ) at += writeSync(descriptor, bytes, at)
        sizeBytes += bytes.length
      })
    },
    reopen() {
      guarded('reopen', open)
    },
    flush: async () => undefined,
    close() {
      guarded('close', () => closeSync(descriptor))
    },
  }
}

function fileTime(options: LogFileOptions): number {
  const modified = statSync(options.path)
  // A file that an earlier run left belongs to the day of its last line.
  return modified.size === 0 ? options.localMs() : modified.mtimeMs
}

function sizeReached(options: LogFileOptions, sizeBytes: number): boolean {
  if (options.rotateAge === 0) return false
  return sizeBytes > (options.rotateSizeBytes ?? defaultRotateBytes)
}

/** path → path.0 → path.1 …; of `generations` files in all (the current one counts) the oldest goes. */
function shift(path: string, generations: number): void {
  for (let index = generations - 3; index >= 0; index--) {
    if (exists(`${path}.${index}`)) renameSync(`${path}.${index}`, `${path}.${index + 1}`)
  }
  renameSync(path, `${path}.0`)
}

function exists(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false }) !== undefined
}

function freeName(name: string): string {
  if (!exists(name)) return name
  for (let index = 1; ; index++) {
    if (!exists(`${name}.${index}`)) return `${name}.${index}`
  }
}

/** The last day of the period before the next rotation, `YYYYMMDD`; undefined where files are not kept by days. */
function periodOf(age: RotateAge | undefined, localMs: number): string | undefined {
  if (typeof age !== 'string') return undefined
  const day = new Date(localMs)
  if (age === 'weekly') day.setUTCDate(day.getUTCDate() + (6 - day.getUTCDay()))
  if (age === 'monthly') day.setUTCMonth(day.getUTCMonth() + 1, 0)
  return day.toISOString().slice(0, 10).replaceAll('-', '')
}

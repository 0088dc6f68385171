import { closeSync, fstatSync, mkdirSync, openSync, renameSync, statSync, writeSync } from 'node:fs'
import { dirname } from 'node:path'
import { pino } from 'pino'
import type { LogDestination } from '../observe/log.ts'

/** Lines waiting for a reader of standard error that does not read; beyond it new lines are left out. */
const waitingLimitBytes = 1024 * 1024

/** Ruby's Logger rotates at this size where only a number of generations is given. */
const defaultRotateBytes = 1_048_576

/**
 * Standard error, without ever waiting for its reader. `lost` counts lines that nobody was there to take.
 */
export function openStandardError(): LogDestination & { readonly lost: () => number } {
  let lost = 0
  const stream = pino.destination({ fd: 2, sync: false, maxLength: waitingLimitBytes })
  stream.on('drop', () => {
    lost++
  })
  // The reader went away (EPIPE): the log has no other place to say so.
  stream.on('error', () => {
    lost++
  })
  return {
    lost: () => lost,
    write(line) {
      stream.write(line)
    },
    reopen() {},
    flush() {
      try {
        stream.flushSync()
      } catch {
        lost++
      }
    },
  }
}

export type RotateAge = number | 'daily' | 'weekly' | 'monthly'

export interface LogFileOptions {
  readonly path: string
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
  mkdirSync(dirname(options.path), { recursive: true })
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
    flush() {},
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

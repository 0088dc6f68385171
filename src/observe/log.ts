import { pino } from 'pino'
import type { Clock } from '../core/host.ts'
import type { LogFields, Logger, LogLevel } from '../core/log.ts'
import { logLevels } from '../core/log.ts'
import { colored, escapeLines, formatLogTime, formatMessage } from './log-format.ts'
import { createRepeats } from './log-repeats.ts'

/** Where finished lines go (src/host/node-log-file.ts: standard error or a file). Never throws, never blocks for long. */
export interface LogDestination {
  write(line: string): void
  /** Opens the file anew by its name: it was moved away. */
  reopen(): void
  /** Settles once everything written so far is with the operating system, or nobody is there to take it. */
  flush(): Promise<void>
  /** Nothing will be written to it any more. */
  close(): void
}

export interface LogSettings {
  readonly level: LogLevel
  readonly format: 'text' | 'json'
  readonly color: boolean
  /** undefined: the process that starts the workers, whose lines name none. */
  readonly workerId: number | undefined
  /** Text of a moment; undefined: `%Y-%m-%d %H:%M:%S %z` in local time. */
  readonly formatTime: ((wallMs: number) => string) | undefined
  /** Seconds; see log-repeats.ts. */
  readonly ignoreRepeatedSeconds: number | undefined
  readonly ignoreSameSeconds: number | undefined
  readonly destination: LogDestination
}

/** The whole process's log. */
export interface RootLogger extends Logger {
  /** What the command line and <system> say, as soon as it is known. */
  configure(settings: Partial<LogSettings>): void
  /** A message with text of our own making behind it, whose newlines stay: the configuration dump. */
  block(level: LogLevel, message: string, text: string): void
  /** Finished lines of another process, with their line ends. */
  pass(lines: string): void
  reopen(): void
  /** Sums up suppressed messages, and settles as LogDestination.flush does. */
  flush(): Promise<void>
}

type LogClock = Pick<Clock, 'wallMs' | 'monotonicMs' | 'localOffsetSeconds' | 'after'>

interface Line {
  readonly level: LogLevel
  readonly id: string | undefined
  readonly message: string
  readonly fields: LogFields | undefined
}

const rank = Object.fromEntries(logLevels.map((level, index) => [level, index])) as Record<
  LogLevel,
  number
>

const keySeparator = '\u0000'

/**
 * Sluice's own log: pino underneath, Fluentd's text or JSON on top. Lines are escaped, of bounded length, and show no
 * secrets (log-format.ts); repeated ones are suppressed and counted (log-repeats.ts).
 */
export function createLogger(options: {
  readonly clock: LogClock
  readonly settings: Partial<LogSettings> & Pick<LogSettings, 'destination'>
}): RootLogger {
  const { clock } = options
  let settings: LogSettings = { ...defaults, ...options.settings }
  const repeats = createRepeats({ clock, summary: sumUp })
  const now = (): string => {
    const wallMs = clock.wallMs()
    return (
      settings.formatTime?.(wallMs) ??
      formatLogTime(wallMs, clock.localOffsetSeconds(Math.floor(wallMs / 1000)))
    )
  }
  const writer = createWriter(() => settings, now)
  applyRepeats()

  function applyRepeats(): void {
    repeats.configure({
      ignoreRepeatedMs: milliseconds(settings.ignoreRepeatedSeconds),
      ignoreSameMs: milliseconds(settings.ignoreSameSeconds),
    })
  }

  function sumUp(level: LogLevel, key: string, count: number, seconds: number): void {
    const [id, message] = key.split(keySeparator) as [string, string]
    const text = `suppressed ${count} more messages like this one in ${seconds}s: ${message}`
    writer(level, formatMessage(id === '' ? undefined : id, text, undefined))
  }

  function write(line: Line): void {
    const text = formatMessage(line.id, line.message, line.fields)
    if (!repeats.admit(line.level, `${line.id ?? ''}${keySeparator}${line.message}`, text)) return
    writer(line.level, text)
  }

  const least = (): LogLevel => settings.level
  return {
    ...createFace({ id: undefined, level: undefined, least, write }),
    configure(next) {
      const before = settings.destination
      settings = { ...settings, ...next }
      if (settings.destination !== before) before.close()
      applyRepeats()
    },
    block(level, message, text) {
      if (rank[level] < rank[settings.level]) return
      writer(level, `${formatMessage(undefined, message, undefined)}${escapeLines(text)}`)
    },
    pass: (lines) => settings.destination.write(lines),
    reopen: () => settings.destination.reopen(),
    flush() {
      repeats.flush()
      return settings.destination.flush()
    },
  }
}

const defaults: Omit<LogSettings, 'destination'> = {
  level: 'info',
  format: 'text',
  color: false,
  workerId: 0,
  formatTime: undefined,
  ignoreRepeatedSeconds: undefined,
  ignoreSameSeconds: undefined,
}

function milliseconds(seconds: number | undefined): number | undefined {
  return seconds === undefined ? undefined : seconds * 1000
}

/** The methods plugins see. `least` is asked at each message: <system> may change the level of all. */
function createFace(face: {
  readonly id: string | undefined
  readonly level: LogLevel | undefined
  least(): LogLevel
  write(line: Line): void
}): Logger {
  const enabled = (level: LogLevel): boolean => rank[level] >= rank[face.level ?? face.least()]
  const at = (level: LogLevel) => (message: string, fields?: LogFields) => {
    if (enabled(level)) face.write({ level, id: face.id, message, fields })
  }
  return {
    trace: at('trace'),
    debug: at('debug'),
    info: at('info'),
    warn: at('warn'),
    error: at('error'),
    fatal: at('fatal'),
    enabled,
    child: (child) =>
      createFace({ ...face, id: child.id ?? face.id, level: child.level ?? face.level }),
  }
}

/**
 * Hands finished messages to pino, whose stream puts them into the form asked for. The levels were decided before:
 * pino lets everything through.
 */
function createWriter(
  settings: () => LogSettings,
  now: () => string,
): (level: LogLevel, message: string) => void {
  const stream = {
    // With this mark pino leaves what it was given on the stream, so that text need not be parsed out of its JSON.
    [Symbol.for('pino.metadata')]: true,
    lastLevel: 0,
    lastMsg: '',
    write(json: string): void {
      const { format, color, workerId, destination } = settings()
      if (format === 'json') {
        destination.write(json)
        return
      }
      const level = pino.levels.labels[this.lastLevel] as LogLevel
      const worker = workerId === undefined ? '' : `#${workerId} `
      const line = `${now()} [${level}]: ${worker}${this.lastMsg}`
      destination.write(`${color ? colored(level, line) : line}\n`)
    },
  }
  const log = pino(
    {
      level: 'trace',
      base: null,
      messageKey: 'message',
      formatters: { level: (label) => ({ level: label, worker_id: settings().workerId }) },
      timestamp: () => `,"time":${JSON.stringify(now())}`,
    },
    stream,
  )
  return (level, message) => log[level](message)
}

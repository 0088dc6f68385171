/** Levels of the log, most talkative first; Fluentd's names. */
export const logLevels = ['trace', 'debug', 'info', 'warn', 'error', 'fatal'] as const
export type LogLevel = (typeof logLevels)[number]

/** Fields printed behind the message as key=value. `error` may be an Error: its message (and code) is printed. */
export type LogFields = Readonly<Record<string, unknown>>

/**
 * Sluice's own log. Never the way of an event. Frequent things are counted, not logged; the layer that handles
 * an error logs it, once.
 */
export interface Logger {
  trace(message: string, fields?: LogFields): void
  debug(message: string, fields?: LogFields): void
  info(message: string, fields?: LogFields): void
  warn(message: string, fields?: LogFields): void
  error(message: string, fields?: LogFields): void
  fatal(message: string, fields?: LogFields): void
  /** Whether a message of that level would be written: for messages that cost something to make. */
  enabled(level: LogLevel): boolean
  /** A logger that prints `[id]` before its messages, with a level of its own where `level` is given. */
  child(options: { id?: string; level?: LogLevel | undefined }): Logger
}

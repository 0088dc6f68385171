import type { Logger } from '../core/log.ts'

const nothing = (): void => undefined

/** For `sluice cat`, whose only words are those of its errors. */
export const silentLog: Logger = {
  trace: nothing,
  debug: nothing,
  info: nothing,
  warn: nothing,
  error: nothing,
  fatal: nothing,
  enabled: () => false,
  child: () => silentLog,
}

import type { AppConfig } from '../app.ts'
import {
  bindSection,
  createRegistry,
  modeOf,
  type SystemConfig,
  systemShape,
} from '../config/index.ts'
import type { Clock } from '../core/host.ts'
import { openLogFile } from '../host/node-log-file.ts'
import type { LogDestination } from '../observe/log.ts'
import type { Run } from './context.ts'

const usualTimeFormat = '%Y-%m-%d %H:%M:%S %z'

/**
 * <system> of a configuration, before anything else of it is looked at; undefined: it has none, or a wrong one, which
 * is said later with all that is wrong elsewhere.
 */
export function systemOf(config: AppConfig): SystemConfig | undefined {
  const element = config.root.children.find((child) => child.name === 'system')
  if (element === undefined) return undefined
  const { bound, errors } = bindSection(element, systemShape, createRegistry([]))
  return errors.length > 0 ? undefined : bound
}

/**
 * What <system> and the command line say about the log. At the start before plugins are made, so that what they say
 * already goes where the log goes. Throws if the log's file cannot be opened.
 */
export async function configureLog(self: Run, system: SystemConfig | undefined): Promise<void> {
  const { command, host, log, standardError } = self
  // A worker's lines go to the process that started it, which alone writes and rotates the file.
  const destination =
    (self.worker === undefined ? openDestination(self, system) : undefined) ?? standardError
  log.configure({
    destination,
    level: command.logLevel ?? system?.logLevel ?? 'info',
    format: system?.log?.format ?? 'text',
    color: self.worker?.color ?? (destination === standardError && process.stderr.isTTY === true),
    formatTime: await timeFormat(system?.log?.timeFormat, host.clock),
    ignoreRepeatedSeconds: system?.ignoreRepeatedLogInterval,
    ignoreSameSeconds: system?.ignoreSameLogInterval,
  })
}

/** The file of -o or <log> path. `-` is standard error: standard output is for events. */
function openDestination(
  { command, host, standardError }: Run,
  system: SystemConfig | undefined,
): LogDestination | undefined {
  const path = command.logPath ?? system?.log?.path
  if (path === undefined || path === '-') return undefined
  return openLogFile({
    path,
    directoryMode: modeOf(system?.dirPermission),
    rotateAge: command.logRotateAge ?? rotateAge(system?.log?.rotateAge),
    rotateSizeBytes: command.logRotateSizeBytes ?? system?.log?.rotateSize,
    localMs() {
      const wallMs = host.clock.wallMs()
      return wallMs + host.clock.localOffsetSeconds(Math.floor(wallMs / 1000)) * 1000
    },
    trouble: (message) => standardError.write(`sluice: ${message}\n`),
  })
}

function rotateAge(written: string | undefined) {
  if (written === undefined) return undefined
  if (written === 'daily' || written === 'weekly' || written === 'monthly') return written
  return Number(written)
}

/** strftime is loaded only for a format that is not the usual one. */
async function timeFormat(written: string | undefined, clock: Clock) {
  if (written === undefined || written === usualTimeFormat) return undefined
  const [{ compileStrftime }, { formatTime }, { localZone }] = await Promise.all([
    import('../time/strftime.ts'),
    import('../time/format-time.ts'),
    import('../time/zones.ts'),
  ])
  const steps = compileStrftime(written)
  const zone = localZone(clock)
  return (wallMs: number) => {
    const seconds = Math.floor(wallMs / 1000)
    return formatTime(steps, zone, seconds, Math.floor((wallMs - seconds * 1000) * 1e6))
  }
}

import type { AppConfig } from '../app.ts'
import { bindSection, createRegistry, type SystemConfig, systemShape } from '../config/index.ts'
import { ConfigErrors } from '../core/errors.ts'
import type { Clock } from '../core/host.ts'
import { openLogFile } from '../host/node-log-file.ts'
import type { LogDestination } from '../observe/log.ts'
import type { Run } from './run.ts'

const usualTimeFormat = '%Y-%m-%d %H:%M:%S %z'

/**
 * What <system> and the command line say about the log, before anything else of the configuration is looked at: so that its
 * errors already go where the log goes. Throws ConfigErrors.
 */
export async function configureLog(self: Run, config: AppConfig): Promise<void> {
  const { command, host, log, standardError } = self
  const element = config.root.children.find((child) => child.name === 'system')
  const { bound, errors } =
    element === undefined
      ? { bound: undefined, errors: [] }
      : bindSection(element, systemShape, createRegistry([]))
  if (errors.length > 0) throw new ConfigErrors(errors)
  const destination = openDestination(self, bound) ?? standardError
  log.configure({
    destination,
    level: command.logLevel ?? bound?.logLevel ?? 'info',
    format: bound?.log?.format ?? 'text',
    color: destination === standardError && process.stderr.isTTY === true,
    formatTime: await timeFormat(bound?.log?.timeFormat, host.clock),
    ignoreRepeatedSeconds: bound?.ignoreRepeatedLogInterval,
    ignoreSameSeconds: bound?.ignoreSameLogInterval,
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

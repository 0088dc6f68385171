import { type ConfigWorld, type ParsedConfig, parseConfig } from '../config/index.ts'
import { ConfigError, ConfigErrors } from '../core/errors.ts'
import type { Host } from '../core/host.ts'
import { defaultConfig, defaultConfigPath } from '../default-config.ts'
import type { RunCommand } from './argv.ts'

const usualPath = '/etc/fluent/fluent.conf'

export interface ConfigPlace {
  /** undefined: the embedded default. */
  readonly path: string | undefined
}

type ConfigHost = Pick<Host, 'disk' | 'env' | 'hostname'>

/** -c, or $FLUENT_CONF, or the usual place if there is a file, or the embedded default. */
export function findConfig(command: Pick<RunCommand, 'configPath'>, host: ConfigHost): ConfigPlace {
  const named = command.configPath ?? host.env.FLUENT_CONF
  if (named !== undefined && named !== '') return { path: named }
  return { path: host.disk.statSync(usualPath) === undefined ? undefined : usualPath }
}

/** Reads and parses it, with what -i adds. Throws ConfigErrors, with everything that is wrong. */
export function readConfig(
  place: ConfigPlace,
  command: Pick<RunCommand, 'configType' | 'inlineConfig'>,
  host: ConfigHost,
  workerId?: number,
): ParsedConfig {
  const id = workerId?.toString()
  const embedded = place.path === undefined
  const path = place.path ?? defaultConfigPath
  const text = embedded ? defaultConfig : mustRead(path, host)
  const { inlineConfig } = command
  const parsed = parseConfig(
    { ...worldOf(host, id), path, text, inlineConfig, workerId: id },
    embedded ? 'v1' : command.configType,
  )
  if (parsed.errors.length > 0) throw new ConfigErrors(parsed.errors)
  return parsed
}

function mustRead(path: string, host: ConfigHost): string {
  try {
    return decode(host.disk.readFileSync(path))
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException
    const why = code === 'ENOENT' ? 'there is no such file' : message
    throw new ConfigErrors([new ConfigError(`cannot read the configuration file ${path}: ${why}`)])
  }
}

/** Fluentd's workers have their number in an environment variable, which many configurations ask for. */
function worldOf({ disk, env, hostname }: ConfigHost, workerId?: string): ConfigWorld {
  const ifThere = <T>(read: () => T): T | undefined => {
    try {
      return read()
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException
      if (code === 'ENOENT' || code === 'ENOTDIR') return undefined
      throw error
    }
  }
  return {
    env: workerId === undefined ? env : { ...env, SERVERENGINE_WORKER_ID: workerId },
    hostname,
    readFile: (path) => ifThere(() => decode(disk.readFileSync(path))),
    listDir: (path) => ifThere(() => disk.readdirSync(path)),
  }
}

function decode(bytes: Uint8Array): string {
  return new TextDecoder('utf-8', { ignoreBOM: true }).decode(bytes)
}

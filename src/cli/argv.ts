import type { LogLevel } from '../core/log.ts'
import { type BufferCommand, parseBuffer } from './buffer-options.ts'
import { type CatCommand, parseCat } from './cat-options.ts'
import { type OptionSpec, runOptions } from './options.ts'
import { type ParsedOptions, parseOptions, UsageError } from './parse-options.ts'

export interface RunCommand {
  readonly kind: 'run'
  readonly configPath: string | undefined
  readonly configType: 'auto' | 'v1' | 'yaml'
  readonly inlineConfig: string | undefined
  readonly dryRun: boolean
  readonly strictConfigValue: boolean
  readonly suppressConfigDump: boolean
  readonly withoutSource: boolean
  readonly withSourceOnly: boolean
  readonly workers: number | undefined
  /** --no-supervisor: one process, whatever happens. */
  readonly alone: boolean
  readonly disableSharedSocket: boolean
  readonly pluginDirectories: readonly string[]
  readonly modules: readonly string[]
  /** Seconds. */
  readonly emitErrorLogInterval: number | undefined
  readonly user: string | undefined
  readonly group: string | undefined
  readonly umask: number | undefined
  readonly logPath: string | undefined
  readonly logRotateAge: number | 'daily' | 'weekly' | 'monthly' | undefined
  readonly logRotateSizeBytes: number | undefined
  /** undefined: what <system> says. */
  readonly logLevel: LogLevel | undefined
  /** One sentence for each option that does nothing here. */
  readonly notices: readonly string[]
}

export type Command =
  | RunCommand
  | CatCommand
  | BufferCommand
  | { readonly kind: 'help'; readonly of: 'run' | 'cat' | 'buffer' }
  | { readonly kind: 'version' }
  | { readonly kind: 'setup'; readonly directory: string }

const defaultSetupDirectory = '/etc/fluent'

/**
 * What the arguments (without node and script) ask for. `name` is how the program was called: `fluentd` and
 * `sluice` are the same, `fluent-cat` is `sluice cat`. Throws UsageError.
 */
export function parseArguments(name: string, args: readonly string[]): Command {
  if (/^fluent-cat(\.js)?$/.test(name)) return parseCat(args)
  if (args[0] === 'cat') return parseCat(args.slice(1))
  if (args[0] === 'buffer') return parseBuffer(args.slice(1))
  const options = parseOptions(runOptions, args)
  if (options.flag('help')) return { kind: 'help', of: 'run' }
  if (options.flag('version')) return { kind: 'version' }
  for (const { name: option, refused } of options.written) {
    if (refused !== undefined) throw new UsageError(`--${option} is not supported: ${refused}`)
  }
  const [unexpected] = options.positionals
  if (unexpected !== undefined) throw new UsageError(`unexpected argument "${unexpected}"`)
  const setup = options.text('setup')
  if (setup !== undefined) return { kind: 'setup', directory: setup || defaultSetupDirectory }
  return runCommand(options)
}

function runCommand(options: ParsedOptions): RunCommand {
  return {
    kind: 'run',
    configPath: options.text('config'),
    configType: configType(options.text('config-file-type')),
    inlineConfig: options.text('inline-config'),
    dryRun: options.flag('dry-run'),
    strictConfigValue: options.flag('strict-config-value'),
    suppressConfigDump: options.flag('suppress-config-dump'),
    withoutSource: options.flag('without-source'),
    withSourceOnly: options.flag('with-source-only'),
    workers: options.integer('workers', { min: 1, max: 1024 }),
    alone: options.flag('no-supervisor'),
    disableSharedSocket: options.flag('disable-shared-socket'),
    pluginDirectories: options.list('plugin'),
    modules: options.list('require'),
    emitErrorLogInterval: options.integer('emit-error-log-interval', { min: 0, max: 86_400 }),
    user: options.text('user'),
    group: options.text('group'),
    umask: umask(options.text('umask')),
    logPath: options.text('log'),
    logRotateAge: rotateAge(options.text('log-rotate-age')),
    logRotateSizeBytes: options.integer('log-rotate-size', { min: 1, max: 2 ** 40 }),
    logLevel: logLevel(options.count('verbose'), options.count('quiet')),
    notices: options.written.flatMap(notice),
  }
}

function notice({ name, noEffect }: OptionSpec): string[] {
  return noEffect === undefined ? [] : [`option --${name} has no effect: ${noEffect}`]
}

function configType(written: string | undefined): RunCommand['configType'] {
  switch (written) {
    case undefined:
    case 'guess':
    case 'auto':
      return 'auto'
    case 'yaml':
    case 'yml':
      return 'yaml'
    case 'v1':
      return 'v1'
    default:
      throw new UsageError(`--config-file-type expects yaml, v1 or guess, not "${written}"`)
  }
}

function umask(written: string | undefined): number | undefined {
  if (written === undefined) return undefined
  if (/^0?[0-7]{1,3}$/.test(written)) return Number.parseInt(written, 8)
  throw new UsageError(`--umask expects an octal number such as 022, not "${written}"`)
}

function rotateAge(written: string | undefined): RunCommand['logRotateAge'] {
  if (written === undefined) return undefined
  if (written === 'daily' || written === 'weekly' || written === 'monthly') return written
  if (/^\d{1,4}$/.test(written)) return Number(written)
  throw new UsageError(
    `--log-rotate-age expects a number, daily, weekly or monthly, not "${written}"`,
  )
}

/** Fluentd's steps around info: never above error, never below trace. */
function logLevel(verbose: number, quiet: number): LogLevel | undefined {
  if (verbose === 0 && quiet === 0) return undefined
  const levels: readonly LogLevel[] = ['trace', 'debug', 'info', 'warn', 'error']
  return levels[Math.min(Math.max(2 - verbose + quiet, 0), levels.length - 1)]
}

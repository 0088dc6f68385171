import { bufferOptions } from './options.ts'
import { parseOptions, UsageError } from './parse-options.ts'

/** `sluice buffer`: what waits in files, why, and what is to become of it. */
export interface BufferCommand {
  readonly kind: 'buffer'
  readonly action: 'ls' | 'inspect' | 'replay' | 'drop'
  readonly configPath: string | undefined
  /** As of sluice itself: where plugins are that the configuration names. */
  readonly pluginDirectories: readonly string[]
  readonly modules: readonly string[]
  /** Looked through in place of a configuration's directories. */
  readonly directories: readonly string[]
  /** Chunk ids, beginnings of ids, or paths of chunk files. */
  readonly chunks: readonly string[]
  /** All backups. */
  readonly all: boolean
  readonly yes: boolean
  readonly json: boolean
  /** Events shown by inspect. */
  readonly events: number
  /** The output that gets the chunks again; undefined: the one they came from. */
  readonly to: string | undefined
  /** For chunks of which nobody wrote down the tag. */
  readonly tag: string | undefined
}

const actions = ['ls', 'inspect', 'replay', 'drop'] as const
const usage = 'sluice buffer ls|inspect|replay|drop'

/** Throws UsageError. */
export function parseBuffer(
  args: readonly string[],
): BufferCommand | { readonly kind: 'help'; readonly of: 'buffer' } {
  const options = parseOptions(bufferOptions, args)
  if (options.flag('help')) return { kind: 'help', of: 'buffer' }
  const [written, ...rest] = options.positionals
  const action = actions.find((one) => one === written)
  if (action === undefined) {
    throw new UsageError(
      written === undefined
        ? `what to do is missing: ${usage}`
        : `"${written}" is none of ${usage}`,
    )
  }
  const all = options.flag('all')
  const command: BufferCommand = {
    kind: 'buffer',
    action,
    configPath: options.text('config'),
    pluginDirectories: options.list('plugin'),
    modules: options.list('require'),
    directories: action === 'ls' ? rest : options.list('dir'),
    chunks: action === 'ls' ? [] : rest,
    all,
    yes: options.flag('yes'),
    json: options.flag('json'),
    events: options.integer('events', { min: 0, max: 100_000 }) ?? 10,
    to: options.text('to'),
    tag: options.text('tag'),
  }
  check(command)
  return command
}

function check({ action, chunks, all, yes, directories, configPath }: BufferCommand): void {
  if (action !== 'ls' && chunks.length === 0 && !all) {
    throw new UsageError(`which chunks? sluice buffer ${action} CHUNK... or --all`)
  }
  if (all && chunks.length > 0) throw new UsageError('either chunks or --all')
  if (action === 'drop' && !yes) {
    throw new UsageError('events are lost for good: say --yes to sluice buffer drop')
  }
  if (action === 'replay' && directories.length > 0 && configPath === undefined) {
    throw new UsageError('replay needs -c FILE: it says where the outputs’ buffers are')
  }
}

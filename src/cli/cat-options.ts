import { catOptions } from './options.ts'
import { type ParsedOptions, parseOptions, UsageError } from './parse-options.ts'

/**
 * `sluice cat TAG`: events of standard input to a forward receiver, as Fluentd's fluent-cat sends
 * them.
 */
export interface CatCommand {
  readonly kind: 'cat'
  readonly tag: string
  readonly host: string
  readonly port: number
  /** undefined: by TCP. */
  readonly socketPath: string | undefined
  readonly format: 'json' | 'msgpack' | 'none'
  readonly messageKey: string
  readonly timeAsInteger: boolean
  readonly retryLimit: number
  /** As written; undefined: the current time. */
  readonly eventTime: string | undefined
  /** undefined: no handshake. */
  readonly sharedKey?: string | undefined
  readonly username?: string | undefined
  readonly password?: string | undefined
}

const defaultSocketPath = '/var/run/fluent/fluent.sock'

/** Throws UsageError. */
export function parseCat(
  args: readonly string[],
): CatCommand | { readonly kind: 'help'; readonly of: 'cat' } | { readonly kind: 'version' } {
  const options = parseOptions(catOptions, args)
  if (options.flag('help')) return { kind: 'help', of: 'cat' }
  if (options.flag('version')) return { kind: 'version' }
  const [tag, unexpected] = options.positionals
  if (tag === undefined) throw new UsageError('a tag is missing: sluice cat TAG')
  if (unexpected !== undefined) throw new UsageError(`unexpected argument "${unexpected}"`)
  return {
    kind: 'cat',
    tag,
    host: options.text('host') ?? '127.0.0.1',
    port: options.integer('port', { min: 1, max: 65_535 }) ?? 24_224,
    socketPath: options.flag('unix') ? (options.text('socket') ?? defaultSocketPath) : undefined,
    format: format(options),
    messageKey: options.text('message-key') ?? 'message',
    timeAsInteger: options.flag('time-as-integer'),
    retryLimit: options.integer('retry-limit', { min: 0, max: 1_000_000 }) ?? 5,
    eventTime: options.text('event-time'),
    sharedKey: options.text('shared-key'),
    username: options.text('username'),
    password: options.text('password'),
  }
}

function format(options: ParsedOptions): CatCommand['format'] {
  if (options.flag('none')) return 'none'
  if (options.flag('msgpack')) return 'msgpack'
  if (options.flag('json')) return 'json'
  const written = options.text('format') ?? 'json'
  if (written === 'json' || written === 'msgpack' || written === 'none') return written
  throw new UsageError(`--format expects json, msgpack or none, not "${written}"`)
}

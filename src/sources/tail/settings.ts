import { type Bound, type BoundPlugin, positionOf } from '../../config/schema.ts'
import { ConfigError, type Position } from '../../core/errors.ts'
import type { Clock } from '../../core/host.ts'
import type { Logger } from '../../core/log.ts'
import type { Zone } from '../../kernel/types.ts'
import { compileRegexpSource, type LineMatcher } from '../../text/regexp.ts'
import { localZone, parseZone } from '../../time/zones.ts'
import { codecOf, type LineCodec } from './encoding.ts'
import { hasBraces, hasExtendedGlob } from './paths.ts'
import type { shape } from './shape.ts'

export type TailParams = Bound<typeof shape>

/** Lines beyond are left out where max_line_size is not set. */
const defaultMaxLineBytes = 16 * 1024 * 1024
/** Fluentd's least read_bytes_limit_per_second. */
const leastBytesPerSecond = 64 * 1024

export interface TailSettings {
  readonly paths: readonly string[]
  readonly zone: Zone
  readonly codec: LineCodec
  readonly maxLineBytes: number
  /** Infinity: any number. */
  readonly bytesPerSecond: number
  /** Text around the path in the tag; undefined: the tag has no path in it. */
  readonly tagAround: { readonly before: string; readonly after: string } | undefined
  readonly isMultiline: boolean
  readonly firstLine: LineMatcher | undefined
}

/** What the parameters mean together. Throws ConfigError. */
export function settingsOf(params: TailParams, clock: Clock): TailSettings {
  checkWatchers(params)
  const paths = pathsOf(params)
  const isMultiline = params.parse.type.includes('multiline')
  return {
    paths,
    zone: zoneOf(params, clock),
    codec: codecOf({
      encoding: params.encoding,
      from: params.fromEncoding,
      position: positionOf(params, 'encoding'),
      fromPosition: positionOf(params, 'fromEncoding'),
    }),
    maxLineBytes: params.maxLineSize ?? defaultMaxLineBytes,
    bytesPerSecond: bytesPerSecondOf(params),
    tagAround: tagAroundOf(params.tag),
    isMultiline,
    firstLine: isMultiline ? firstLineOf(params.parse) : undefined,
  }
}

/** What is worth knowing, and no error. */
export function sayUnusual(params: TailParams, log: Logger): void {
  if (params.posFile === undefined) {
    log.warn("'pos_file PATH' parameter is not set to a 'tail' source.")
    log.warn('this parameter is highly recommended to save the position to resume tailing.')
  }
  const limit = params.readBytesLimitPerSecond
  if (limit > 0 && limit < leastBytesPerSecond) {
    log.warn(
      `Should specify greater equal than ${leastBytesPerSecond}. Use ${leastBytesPerSecond} for read_bytes_limit_per_second`,
    )
  }
  const { encoding, fromEncoding } = params
  if (encoding !== undefined && encoding.toLowerCase() === fromEncoding?.toLowerCase()) {
    log.warn("'encoding' and 'from_encoding' are same encoding. No effect")
  }
}

function checkWatchers(params: TailParams): void {
  const fail = (message: string, name: string) => {
    throw new ConfigError(message, { position: positionOf(params, name) })
  }
  if (!params.enableWatchTimer && !params.enableStatWatcher) {
    fail('either of enable_watch_timer or enable_stat_watcher must be true', 'enableWatchTimer')
  }
  if (params.readBytesLimitPerSecond > 0 && !params.enableWatchTimer) {
    fail('Need to enable watch timer when using log throttling feature', 'enableWatchTimer')
  }
  if (params.followInodes && params.posFile === undefined) {
    fail("Can't follow inodes without pos_file configuration parameter", 'followInodes')
  }
}

function pathsOf(params: TailParams): readonly string[] {
  const { path, pathDelimiter, globPolicy } = params
  const position = positionOf(params, 'path')
  if (globPolicy === 'always' && pathDelimiter === ',') {
    throw new ConfigError('cannot use glob_policy as always with the default path_delimiter: `,`', {
      position: positionOf(params, 'globPolicy'),
      hint: 'write `path_delimiter |`, and | between the paths',
    })
  }
  if (globPolicy === 'extended' && hasBraces(path) && hasExtendedGlob(path)) {
    throw new ConfigError(
      `cannot include curly braces with glob patterns in \`${path}\`. Use glob_policy always instead.`,
      { position },
    )
  }
  const paths = [...new Set(path.split(pathDelimiter).map((one) => one.trim()))].filter(
    (one) => one !== '',
  )
  if (paths.length === 0) {
    throw new ConfigError("tail: 'path' parameter is required on tail input", { position })
  }
  return paths
}

function zoneOf(params: TailParams, clock: Clock): Zone {
  if (params.pathTimezone === undefined) return localZone(clock)
  const zone = parseZone(params.pathTimezone)
  if (zone !== undefined) return zone
  throw new ConfigError(`there is no time zone "${params.pathTimezone}"`, {
    position: positionOf(params, 'pathTimezone'),
    hint: 'write +09:00 or Asia/Tokyo',
  })
}

function bytesPerSecondOf({ readBytesLimitPerSecond: limit }: TailParams): number {
  return limit > 0 ? Math.max(limit, leastBytesPerSecond) : Number.POSITIVE_INFINITY
}

function tagAroundOf(tag: string): TailSettings['tagAround'] {
  if (!tag.includes('*')) return undefined
  const [before = '', after = ''] = tag.split('*')
  return { before, after }
}

/** The path as part of a tag: /var/log/a.log → var.log.a.log */
export function tagOfPath(path: string): string {
  return path
    .replaceAll('/', '.')
    .replace(/\.{2,}/g, '.')
    .replace(/^\./, '')
}

/** The multiline parser has checked it. */
function firstLineOf(parse: BoundPlugin): LineMatcher | undefined {
  const written = (parse.params as { formatFirstline?: string }).formatFirstline
  if (written === undefined) return undefined
  const position: Position | undefined = positionOf(parse.params, 'formatFirstline')
  const source = /^\/([\s\S]*)\/$/.exec(written)?.[1]
  if (source === undefined) {
    throw new ConfigError(`format_firstline must stand between slashes: ${written}`, { position })
  }
  return compileRegexpSource(source, position)
}

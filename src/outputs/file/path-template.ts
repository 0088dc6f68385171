import { ConfigError, type Position } from '../../core/errors.ts'

/** Where the index of a file that is not appended to goes: `_0`, `_1` … */
export const indexMark = '_**'

export interface PathOptions {
  readonly path: string
  /** The chunk key time's; undefined: there is none. */
  readonly timekeySeconds: number | undefined
  readonly append: boolean
  /** '' or `.log`, … */
  readonly suffix: string
  /** '' or `.gz`, `.zstd`. */
  readonly compressSuffix: string
  readonly position: Position | undefined
}

/**
 * The template of the files' names, as Fluentd's out_file makes it: `*` takes the time slice; a path with all parts of the
 * slice's time stays as it is; all others get `.SLICE` behind them. Then the index, unless files are appended to, and the
 * suffixes. Throws ConfigError.
 */
export function pathTemplate(options: PathOptions): string {
  const { path, timekeySeconds, suffix, compressSuffix, position } = options
  const index = options.append ? '' : indexMark
  if (path.includes('*')) {
    if (timekeySeconds === undefined) {
      throw new ConfigError("path including '*' must be used with buffer chunk key 'time'", {
        position,
        hint: 'write `<buffer time>` with a timekey',
      })
    }
    return `${path.replaceAll('*', sliceFormat(timekeySeconds) + index)}${compressSuffix}`
  }
  return `${path}${slicePart(options)}${index}${suffix}${compressSuffix}`
}

function slicePart({ path, timekeySeconds, position }: PathOptions): string {
  if (timekeySeconds === undefined) return ''
  const format = sliceFormat(timekeySeconds)
  const directives = format.match(/%./g) as string[]
  const missing = directives.filter((directive) => !path.includes(directive))
  if (missing.length === directives.length) return `.${format}`
  if (missing.length === 0) return ''
  throw new ConfigError('insufficient timestamp placeholders in path', {
    position,
    hint: `with a timekey of ${timekeySeconds} s it also needs ${missing.join(' ')}`,
  })
}

/** What tells apart slices of this length. */
function sliceFormat(timekeySeconds: number): string {
  if (timekeySeconds < 60) return '%Y%m%d%H%M%S'
  if (timekeySeconds < 3600) return '%Y%m%d%H%M'
  if (timekeySeconds < 86_400) return '%Y%m%d%H'
  return '%Y%m%d'
}

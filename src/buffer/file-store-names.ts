import { posix } from 'node:path'
import type { ChunkMetadata } from '../core/output.ts'

/** How chunk files of a directory are called: Fluentd's names, which say whether a chunk is staged (b) or queued (q). */
export interface ChunkNames {
  /** The chunk key whose value stands in the names; undefined: the tag does, or nothing. */
  readonly field: string | undefined
  nameOf(state: 'staged' | 'queued', id: string, metadata: ChunkMetadata): string
  /** undefined: no chunk file of this buffer. */
  parse(name: string): ParsedName | undefined
}

export interface ParsedName {
  readonly state: 'staged' | 'queued'
  /** Hex digits; Fluentd's ids have 32. */
  readonly id: string
  /** What stands between prefix and state: file_single keeps the tag or field there. */
  readonly key: string | undefined
}

/** Beside each chunk file. */
export const metaSuffix = '.meta'

const states = { staged: 'b', queued: 'q' } as const

/** `<prefix>.b<id><suffix>`: prefix `buffer` in a directory, or what a path with `*` says. */
export function fileNames(prefix: string, suffix: string): ChunkNames {
  return {
    field: undefined,
    nameOf: (state, id) => `${prefix}.${states[state]}${id}${suffix}`,
    parse(name) {
      if (!name.startsWith(`${prefix}.`) || !name.endsWith(suffix)) return undefined
      return parseState(name.slice(prefix.length + 1, name.length - suffix.length))
    },
  }
}

function parseState(text: string, key?: string): ParsedName | undefined {
  const match = /^([bq])([0-9a-f]{2,64})$/.exec(text)
  if (match === null || (match[2] as string).length % 2 === 1) return undefined
  return { state: match[1] === 'b' ? 'staged' : 'queued', id: match[2] as string, key }
}

/** Of a file name's 255 bytes, what prefix, id, suffix and `.meta` leave. */
const keyLimitBytes = 180

/** `fsb.<tag or field>.b<id>.buf`. The key is for people, and for Fluentd: we read the .meta file where there is one. */
export function fileSingleNames(prefix: string, field: string | undefined): ChunkNames {
  const suffix = '.buf'
  return {
    field,
    nameOf(state, id, metadata) {
      const value = field === undefined ? metadata.tag : metadata.variables?.[field]
      const key = escapeKey(typeof value === 'string' ? value : '')
      return `${prefix}.${key}.${states[state]}${id}${suffix}`
    },
    parse(name) {
      if (!name.startsWith(`${prefix}.`) || !name.endsWith(suffix)) return undefined
      const middle = name.slice(prefix.length + 1, name.length - suffix.length)
      const dot = middle.lastIndexOf('.')
      return dot < 0
        ? undefined
        : parseState(middle.slice(dot + 1), unescapeKey(middle.slice(0, dot)))
    },
  }
}

/** Letters, digits, `-`, `_` and `.` as they are, each other byte as %XX: no `/`, no control character gets into a name. */
export function escapeKey(value: string): string {
  let key = ''
  for (const byte of Buffer.from(value)) {
    const char = String.fromCharCode(byte)
    const part = /[-_.a-zA-Z0-9]/.test(char)
      ? char
      : `%${byte.toString(16).toUpperCase().padStart(2, '0')}`
    if (key.length + part.length > keyLimitBytes) break
    key += part
  }
  return key
}

export function unescapeKey(key: string): string {
  const bytes = key.replace(/%([0-9a-fA-F]{2})/g, (_all, hex: string) =>
    String.fromCharCode(Number.parseInt(hex, 16)),
  )
  return Buffer.from(bytes, 'latin1').toString('utf8')
}

/** Where a buffer's files are. */
export interface BufferPlace {
  readonly directory: string
  readonly prefix: string
  /** Of the chunk files; file_single has its own. */
  readonly suffix: string
  /** Where one worker left chunks that the first of several takes over. */
  readonly alsoDirectory?: string
}

/**
 * What `path` means, by Fluentd's rules: a directory (there, or not there and without `.*`), or the start of the files'
 * names, with `.*.` where the id goes. `isDirectory`: what is at the path; undefined: nothing.
 */
export function placeOf(of: {
  readonly path: string
  readonly isDirectory: boolean | undefined
  readonly defaultPrefix: string
  readonly suffix: string
  /** undefined: the only one. */
  readonly workerId: number | undefined
}): BufferPlace {
  const { path, isDirectory, defaultPrefix, suffix, workerId } = of
  if (isDirectory === true || (isDirectory === undefined && !path.includes('.*'))) {
    if (workerId === undefined) return { directory: path, prefix: defaultPrefix, suffix }
    return {
      directory: posix.join(path, `worker${workerId}`),
      prefix: defaultPrefix,
      suffix,
      ...(workerId === 0 ? { alsoDirectory: path } : {}),
    }
  }
  const directory = posix.dirname(path)
  const base = posix.basename(path)
  const star = base.indexOf('.*.')
  if (star >= 0) return { directory, prefix: base.slice(0, star), suffix: base.slice(star + 2) }
  return { directory, prefix: base.endsWith('.*') ? base.slice(0, -2) : base, suffix }
}

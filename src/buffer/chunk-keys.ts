import { type BoundPlugin, positionOf } from '../config/schema.ts'
import { ConfigError } from '../core/errors.ts'
import type { Clock } from '../core/host.ts'
import { EventTime, MsgExt, MsgFloat, type MsgValue, RawString } from '../core/value.ts'
import type { Zone } from '../kernel/types.ts'
import { type FieldKey, fieldKey } from '../msgpack/entries.ts'
import { formatTime } from '../time/format-time.ts'
import { compileStrftime, type TimeStep } from '../time/strftime.ts'
import { localZone, parseZone, utcZone } from '../time/zones.ts'
import type { BufferParams } from './sections.ts'

/** What separates an output's chunks: its chunk keys, read from the <buffer> section. */
export interface Chunking {
  /** Whole seconds; undefined: no chunk key `time`. */
  readonly timekeySeconds: number | undefined
  readonly zone: Zone
  readonly byTag: boolean
  readonly fields: readonly ChunkField[]
  /** strftime in the slices' zone. */
  formatTime(format: string, epochSeconds: number): string
}

export interface ChunkField {
  /** As written, and as placeholders name it: `name`, `$.nested.name`. */
  readonly name: string
  /** Keys from the record down. */
  readonly path: readonly FieldKey[]
}

/** Chunk keys from which on Fluentd warns that there may be very many chunks. */
export const manyChunkKeys = 4

const plainKey = /^[-_.@a-zA-Z0-9]+$/
const nestedKey = /^\$(\.[^.[\]\s]+)+$/

/** The chunk keys of a bound <buffer>, as written. */
export function chunkKeysOf(buffer: BoundPlugin): readonly string[] {
  return (buffer.params as unknown as BufferParams).chunkKeys
}

/** Throws ConfigError where the keys, the timekey or its zone are not possible. */
export function chunkingOf(buffer: BoundPlugin, clock: Clock): Chunking {
  const params = buffer.params as unknown as BufferParams
  const byTime = params.chunkKeys.includes('time')
  if (byTime && params.timekey === undefined) {
    throw new ConfigError("<buffer ...> argument includes 'time', but timekey is not configured", {
      position: positionOf(params),
      hint: 'add `timekey 1d`, `timekey 1h`, …',
    })
  }
  const zone = zoneOf(params, clock)
  return {
    timekeySeconds: byTime ? Math.max(1, Math.floor(params.timekey as number)) : undefined,
    zone,
    byTag: params.chunkKeys.includes('tag'),
    fields: params.chunkKeys
      .filter((key) => key !== 'time' && key !== 'tag')
      .map((key) => fieldOf(key, params)),
    formatTime: timeFormatter(zone),
  }
}

function zoneOf(params: BufferParams, clock: Clock): Zone {
  if (params.timekeyUseUtc) return utcZone
  if (params.timekeyZone === undefined) return localZone(clock)
  const zone = parseZone(params.timekeyZone)
  if (zone !== undefined) return zone
  throw new ConfigError(`Unsupported timezone '${params.timekeyZone}'`, {
    position: positionOf(params, 'timekeyZone'),
    hint: 'write +0900, +09:00 or a name such as Asia/Tokyo',
  })
}

/** Formats of an output: a path, a symbolic link, a few headers. */
const formatCacheLimit = 64

function timeFormatter(zone: Zone): Chunking['formatTime'] {
  const compiled = new Map<string, readonly TimeStep[]>()
  return (format, epochSeconds) => {
    let steps = compiled.get(format)
    if (steps === undefined) {
      steps = compileStrftime(format)
      if (compiled.size >= formatCacheLimit) compiled.clear()
      compiled.set(format, steps)
    }
    return formatTime(steps, zone, epochSeconds, 0)
  }
}

function fieldOf(name: string, params: BufferParams): ChunkField {
  if (plainKey.test(name)) return { name, path: [fieldKey(name)] }
  if (nestedKey.test(name)) return { name, path: name.slice(2).split('.').map(fieldKey) }
  throw new ConfigError(`chunk_keys specification includes invalid char: ${JSON.stringify(name)}`, {
    position: positionOf(params, 'chunkKeys'),
    hint: name.startsWith('$[')
      ? 'in chunk keys, write nested fields as $.a.b'
      : 'a chunk key is tag, time, a field name of letters, digits, - _ . @, or $.a.b',
  })
}

/** How a field's value stands in a path, a URL or a header: as Ruby's to_s for what is not a container. */
export function valueText(value: MsgValue): string {
  if (value === null) return ''
  if (typeof value === 'string') return value
  if (value instanceof RawString) return Buffer.from(value.bytes).toString('utf8')
  if (value instanceof Uint8Array) return Buffer.from(value).toString('utf8')
  if (value instanceof MsgFloat) return floatText(value.value)
  if (value instanceof EventTime) return String(value.seconds)
  if (value instanceof MsgExt || Array.isArray(value) || value instanceof Map) return ''
  return String(value)
}

function floatText(value: number): string {
  const text = Object.is(value, -0) ? '-0' : String(value)
  return /[.e]/.test(text) ? text : `${text}.0`
}

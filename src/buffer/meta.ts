import type { ChunkMetadata } from '../core/output.ts'
import type { MsgValue } from '../core/value.ts'
import { Reader } from '../msgpack/decode.ts'
import { Encoder } from '../msgpack/encode.ts'
import { uint32At } from '../msgpack/walk.ts'
import { valueText } from './chunk-keys.ts'

/**
 * The `.meta` file that Fluentd keeps beside a chunk file:
 *
 *   c1 00 | u32 big-endian: length of the map | {timekey, tag, variables, seq, id, s, c, m}
 *
 * timekey: seconds or nil; tag: str or nil; variables: {key: value} or nil; seq: 0 and up, tells chunks of the same keys
 * apart; id: 16 bytes; s: events; c, m: seconds since 1970 of its creation and last change. Fluentd looks at nothing
 * behind the map, and reads old files that are the bare map. We add z where the chunk file is compressed: how many bytes come
 * out of it.
 */
export interface Meta {
  readonly metadata: ChunkMetadata
  /** 32 hex digits; undefined: Fluentd would call the file broken. */
  readonly id: string | undefined
  readonly count: number
  readonly createdSeconds: number
  readonly modifiedSeconds: number
  /** undefined: the chunk file is not compressed, or was by Fluentd. */
  readonly plainBytes: number | undefined
  /** Where the map ends in the file. */
  readonly endByte: number
}

const headBytes = 6

/** A map that is longer is none that a chunk's keys make: 4,096 staged chunks of such would fill memory. */
export const metaLimitBytes = 1024 * 1024

/** Where `count` and `modifiedSeconds` stand in what `encodeMeta` made: both are written again when a chunk is sealed. */
export interface EncodedMeta {
  readonly bytes: Uint8Array
  readonly countAt: number
  readonly modifiedAt: number
}

/**
 * Numbers that change have their full width whatever their value, so that they can be written in place: to a reader of
 * MessagePack it is all the same.
 */
export function encodeMeta(meta: {
  readonly metadata: ChunkMetadata
  readonly id: string
  readonly count: number
  readonly createdSeconds: number
  readonly modifiedSeconds: number
  readonly plainBytes?: number | undefined
}): EncodedMeta {
  const { timekey, tag, variables } = meta.metadata
  const encoder = new Encoder(256)
  encoder.raw(new Uint8Array(headBytes))
  encoder.mapHeader(meta.plainBytes === undefined ? 8 : 9)
  encoder.string('timekey')
  encoder.value(timekey ?? null)
  encoder.string('tag')
  encoder.value(tag ?? null)
  encoder.string('variables')
  if (variables === undefined) encoder.value(null)
  else encoder.value(new Map(Object.entries(variables)) as Map<MsgValue, MsgValue>)
  encoder.string('seq')
  encoder.value(0)
  encoder.string('id')
  encoder.binary(Buffer.from(meta.id, 'hex'))
  encoder.string('s')
  const countAt = encoder.length + 1
  encoder.raw(uint32(meta.count))
  encoder.string('c')
  encoder.raw(uint32(meta.createdSeconds))
  encoder.string('m')
  const modifiedAt = encoder.length + 1
  encoder.raw(uint32(meta.modifiedSeconds))
  if (meta.plainBytes !== undefined) {
    encoder.string('z')
    encoder.value(meta.plainBytes)
  }
  const bytes = Buffer.from(encoder.copy())
  bytes[0] = 0xc1
  bytes.writeUInt32BE(bytes.length - headBytes, 2)
  return { bytes, countAt, modifiedAt }
}

function uint32(value: number): Uint8Array {
  const bytes = Buffer.alloc(5)
  bytes[0] = 0xce
  bytes.writeUInt32BE(value >>> 0, 1)
  return bytes
}

/** What a .meta file says; undefined where it is none. Any bytes may come. */
export function decodeMeta(bytes: Uint8Array): Meta | undefined {
  const headed = bytes.length > headBytes && bytes[0] === 0xc1 && bytes[1] === 0
  const start = headed ? headBytes : 0
  const end = headed ? start + uint32At(bytes, 2) : bytes.length
  if (end > bytes.length || end - start > metaLimitBytes) return undefined
  const map = mapAt(bytes, start, end)
  if (map === undefined) return undefined
  const id = map.get('id')
  return {
    metadata: metadataOf(map),
    id: id instanceof Uint8Array && id.length === 16 ? Buffer.from(id).toString('hex') : undefined,
    count: whole(map.get('s')),
    createdSeconds: whole(map.get('c')),
    modifiedSeconds: whole(map.get('m')),
    plainBytes: map.has('z') ? whole(map.get('z')) : undefined,
    endByte: end,
  }
}

function mapAt(bytes: Uint8Array, start: number, end: number): Map<MsgValue, MsgValue> | undefined {
  try {
    const reader = new Reader(bytes, start, end)
    const value = reader.value()
    return value instanceof Map && reader.at === end ? value : undefined
  } catch {
    // Not MessagePack: no meta.
    return undefined
  }
}

function metadataOf(map: Map<MsgValue, MsgValue>): ChunkMetadata {
  const timekey = map.get('timekey')
  const tag = map.get('tag')
  const variables = map.get('variables')
  return {
    timekey: typeof timekey === 'number' ? timekey : undefined,
    tag: tag === null || tag === undefined ? undefined : valueText(tag),
    variables: variables instanceof Map ? variablesOf(variables) : undefined,
  }
}

function variablesOf(map: Map<MsgValue, MsgValue>): Record<string, string | null> {
  const variables = Object.create(null) as Record<string, string | null>
  for (const [key, value] of map)
    variables[valueText(key)] = value === null ? null : valueText(value)
  return variables
}

function whole(value: MsgValue | undefined): number {
  return typeof value === 'number' && Number.isSafeInteger(value) && value >= 0 ? value : 0
}

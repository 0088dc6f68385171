import {
  array,
  type Bound,
  bool,
  enumeration,
  type Param,
  positionOf,
  type Section,
  section,
  string,
} from '../config/schema.ts'
import type { Batch } from '../core/batch.ts'
import { ConfigError } from '../core/errors.ts'
import type { Formatter } from '../core/formatter.ts'
import type { Clock } from '../core/host.ts'
import type { EventTime } from '../core/value.ts'
import { Encoder, encode } from '../msgpack/encode.ts'
import {
  decodeTime,
  eachEntry,
  type FieldKey,
  fieldKey,
  findField,
  pairCount,
} from '../msgpack/entries.ts'
import { headLength, skipValue } from '../msgpack/walk.ts'
import { formatTime } from '../time/format-time.ts'
import { compileStrftime } from '../time/strftime.ts'
import { localZone, parseZone, utcZone } from '../time/zones.ts'
import { strftimeIn } from './time.ts'

const shape = {
  params: {
    hostname_key: string({ description: 'The field that gets the host name.' }),
    hostname: string({ description: "Instead of the host's own name." }),
    worker_id_key: string({ description: 'The field that gets the number of the worker.' }),
    tag_key: string({ description: 'The field that gets the tag.' }),
    time_key: string({ description: 'The field that gets the time.' }),
    time_type: enumeration(
      ['float', 'unixtime', 'unixtime_millis', 'unixtime_micros', 'unixtime_nanos', 'string'],
      {
        description:
          'How the time is written: seconds with microseconds, whole units since 1970, or text.',
        default: 'float',
      },
    ),
    time_format: string({
      description: 'With time_type string: the form of the time, as strftime has it.',
    }),
    time_format_fallbacks: array({
      description: 'Means something to parsers only; accepted here as in Fluentd.',
      default: [],
    }),
    localtime: bool({
      description: 'With time_type string: local time; false: UTC.',
      default: true,
    }),
    utc: bool({
      description: 'With time_type string: UTC, the opposite of localtime.',
      default: false,
    }),
    timezone: string({
      description:
        'With time_type string: the zone, +09:00 or Asia/Tokyo. One that does not exist counts as none, as in Fluentd.',
    }),
  },
} as const

export type InjectParams = Bound<typeof shape>

/** The `<inject>` section, for the shape of a plugin that has it; `defaults` where the plugin has others. */
export function injectSection(
  defaults: { readonly timeType?: 'string' | 'unixtime'; readonly localtime?: boolean } = {},
): Section<typeof shape, { readonly description: string }> {
  const { timeType, localtime } = defaults
  const { time_type, localtime: local } = shape.params
  const params = {
    ...shape.params,
    ...(timeType && { time_type: withDefault(time_type, timeType) }),
    ...(localtime !== undefined && { localtime: withDefault(local, localtime) }),
  }
  return section({ params }, { description: 'Adds tag, time, host name or worker to each record.' })
}

function withDefault<P extends Param<unknown>>(param: P, value: unknown): P {
  return { ...param, options: { ...param.options, default: value } }
}

export interface InjectOptions {
  /** Of the host: `host.hostname`. */
  readonly hostname: string
  readonly workerId: number
  readonly clock: Pick<Clock, 'localOffsetSeconds'>
  /** Of a buffered output: fields among its chunk keys, which the host name cannot be. */
  readonly chunkKeys?: readonly string[]
}

/** Adds the fields. The batch that comes back is borrowed: until the next call. */
export type Inject = (batch: Batch) => Batch

/** undefined: nothing is to be added. Throws ConfigError. */
export function createInject(
  params: InjectParams | undefined,
  options: InjectOptions,
): Inject | undefined {
  if (params === undefined) return undefined
  const fields = fieldsOf(params, options)
  if (fields.length === 0) return undefined
  const encoder = new Encoder(64 * 1024)
  return (batch) => {
    encoder.reset()
    for (const field of fields) field.start(batch)
    eachEntry(batch.packed, (start, timeEnd, end) => {
      encoder.raw(batch.packed, start, timeEnd)
      patch(encoder, batch.packed, { start, timeEnd, end }, fields)
    })
    return { tag: batch.tag, packed: encoder.bytes, count: batch.count }
  }
}

/** A formatter of events with the fields; the same one if there are none. */
export function withInject(formatter: Formatter, inject: Inject | undefined): Formatter {
  if (inject === undefined) return formatter
  return {
    format: (batch, maxPieceBytes, piece) => formatter.format(inject(batch), maxPieceBytes, piece),
    asLines: () => withInject(formatter.asLines?.() ?? formatter, inject),
  }
}

interface Field {
  readonly key: FieldKey
  readonly keyBytes: Uint8Array
  /** Called for each batch, before its events. */
  start(batch: Batch): void
  /** The value, as MessagePack; borrowed until the next call. */
  value(packed: Uint8Array, entryAt: number): Uint8Array
}

/** In the order in which Fluentd adds them; of two with one name the later gives the value. */
function fieldsOf(params: InjectParams, options: InjectOptions): readonly Field[] {
  const fields = new Map<string, Field>()
  const add = (name: string | undefined, value: () => Omit<Field, 'key' | 'keyBytes'>): void => {
    if (name === undefined) return
    fields.set(name, { key: fieldKey(name), keyBytes: encode(name), ...value() })
  }
  if (params.hostnameKey !== undefined && options.chunkKeys?.includes(params.hostnameKey)) {
    throw new ConfigError(
      "the key specified by 'hostname_key' in <inject> cannot be used in buffering chunk key.",
      { position: positionOf(params, 'hostnameKey'), hint: 'add it by a filter' },
    )
  }
  add(params.hostnameKey, () => constant(encode(params.hostname ?? options.hostname)))
  add(params.workerIdKey, () => constant(encode(options.workerId)))
  add(params.tagKey, tagValue)
  add(params.timeKey, () => timeValue(params, options))
  return [...fields.values()]
}

function constant(bytes: Uint8Array): Omit<Field, 'key' | 'keyBytes'> {
  return { start: () => undefined, value: () => bytes }
}

function tagValue(): Omit<Field, 'key' | 'keyBytes'> {
  let tag = ''
  let bytes = encode('')
  return {
    start(batch) {
      if (batch.tag === tag) return
      tag = batch.tag
      bytes = encode(tag)
    },
    value: () => bytes,
  }
}

function timeValue(params: InjectParams, options: InjectOptions): Omit<Field, 'key' | 'keyBytes'> {
  const encoder = new Encoder(64)
  const write = timeWriter(params, options)
  return {
    start: () => undefined,
    value(packed, entryAt) {
      encoder.reset()
      write(encoder, decodeTime(packed, entryAt))
      return encoder.bytes
    },
  }
}

type TimeWriter = (encoder: Encoder, time: EventTime) => void

/** Units of a second, and nanoseconds of a unit. */
const units = {
  unixtime_millis: [1000, 1e6],
  unixtime_micros: [1e6, 1e3],
  unixtime_nanos: [1e9, 1],
} as const

function timeWriter(params: InjectParams, options: InjectOptions): TimeWriter {
  const { timeType } = params
  if (timeType === 'string') return textWriter(params, options)
  if (timeType === 'unixtime') return (encoder, time) => encoder.number(time.seconds)
  if (timeType === 'float') return (encoder, time) => encoder.float(toMicroseconds(time))
  const [perSecond, nanoseconds] = units[timeType]
  return (encoder, time) => {
    const part = Math.floor((time.nanoseconds ?? 0) / nanoseconds)
    const sum = time.seconds * perSecond + part
    if (Number.isSafeInteger(sum)) encoder.number(sum)
    else encoder.value(inSigned64(BigInt(time.seconds) * BigInt(perSecond) + BigInt(part)))
  }
}

/** Seconds cut off behind the microsecond, as the nearest float. */
function toMicroseconds(time: EventTime): number {
  const micros = time.seconds * 1e6 + Math.floor((time.nanoseconds ?? 0) / 1e3)
  return Number.isSafeInteger(micros) ? micros / 1e6 : time.seconds
}

/** MessagePack has no larger integers; Fluentd cannot write them either. */
function inSigned64(value: bigint): bigint {
  const limit = 2n ** 63n - 1n
  return value > limit ? limit : value < -limit ? -limit : value
}

function textWriter(params: InjectParams, options: InjectOptions): TimeWriter {
  const named = params.timezone === undefined ? undefined : parseZone(params.timezone)
  const zone = named ?? (params.localtime && !params.utc ? localZone(options.clock) : utcZone)
  const steps = compileStrftime(strftimeIn(params.timeFormat, zone).format)
  return (encoder, time) => {
    const nanoseconds = time.nanoseconds ?? 0
    const seconds = time.seconds + Math.floor(nanoseconds / 1e9)
    encoder.string(formatTime(steps, zone, seconds, nanoseconds % 1e9))
  }
}

interface Span {
  readonly start: number
  readonly timeEnd: number
  readonly end: number
}

/** Writes the record with the fields: in the place of one that is there, or else at the end. */
function patch(encoder: Encoder, packed: Uint8Array, span: Span, fields: readonly Field[]): void {
  const { start, timeEnd, end } = span
  const replaced: { readonly at: number; readonly field: Field }[] = []
  const added: Field[] = []
  for (const field of fields) {
    const at = findField(packed, timeEnd, field.key)
    if (at < 0) added.push(field)
    else replaced.push({ at, field })
  }
  replaced.sort((a, b) => a.at - b.at)
  encoder.mapHeader(pairCount(packed, timeEnd) + added.length)
  let from = timeEnd + headLength(packed[timeEnd]!)
  for (const { at, field } of replaced) {
    encoder.raw(packed, from, at)
    encoder.raw(field.value(packed, start))
    from = skipValue(packed, at)
  }
  encoder.raw(packed, from, end)
  for (const field of added) {
    encoder.raw(field.keyBytes)
    encoder.raw(field.value(packed, start))
  }
}

import { isUtf8 } from 'node:buffer'
import {
  EventTime,
  MsgExt,
  MsgFloat,
  type MsgMap,
  type MsgValue,
  RawString,
} from '../core/value.ts'
import { decodeRecord, decodeTime } from '../msgpack/entries.ts'
import { skipValue } from '../msgpack/walk.ts'
import { ojFloat, rubyString } from '../text/ruby-ascii.ts'
import { rubyFloat } from '../text/ruby-text.ts'
import { formatTime } from '../time/format-time.ts'
import type { TimeStep } from '../time/strftime.ts'
import type { FormatCounts, FormatSpec, TimeFormat } from './types.ts'

/**
 * The formatter in plain TypeScript: what the kernel must equal, and what formats the events that the kernel hands back
 * (repeated keys, keys that are no strings, very wide maps, events larger than its memory).
 */

export interface Counts {
  notFinite: number
  notUtf8: number
}

export interface ReferenceLayout {
  readonly spec: FormatSpec
  /** Of a strftime time. */
  readonly steps: readonly TimeStep[]
}

/** The time's format of a layout that writes times. */
export function timeFormatOf(spec: FormatSpec): TimeFormat | undefined {
  const layout = spec.layout
  if (layout.kind === 'record') return undefined
  return layout.kind === 'out_file' && !layout.outputTime ? undefined : layout.time
}

/** What stands between time and record. Control characters of the tag are escaped: a terminal would act on them. */
export function middleOf(spec: FormatSpec, tag: string): string {
  const layout = spec.layout
  if (layout.kind === 'record') return ''
  if (layout.kind === 'stdout') return ` ${safeTag(tag)}: `
  const afterTime = layout.outputTime ? layout.delimiter : ''
  return layout.outputTag ? `${afterTime}${safeTag(tag)}${layout.delimiter}` : afterTime
}

/** C0, DEL and C1 as \u00XX. */
export function safeTag(tag: string): string {
  return tag.replace(
    /[\x00-\x1f\x7f-\x9f]/g,
    (char) => `\\u${char.charCodeAt(0).toString(16).padStart(4, '0')}`,
  )
}

/** Formats the entry at `at`; `end` is where it ends. Throws MsgpackError. */
export function formatEntry(
  layout: ReferenceLayout,
  middle: string,
  entry: { readonly packed: Uint8Array; readonly at: number },
  counts: Counts,
): { bytes: Uint8Array; end: number } {
  const timeEnd = skipValue(entry.packed, entry.at + 1)
  const end = skipValue(entry.packed, timeEnd)
  const record = jsonText(decodeRecord(entry.packed, timeEnd), layout.spec.jsonParser, counts)
  const time = timeText(layout, decodeTime(entry.packed, entry.at))
  return { bytes: Buffer.from(`${time}${middle}${record}${layout.spec.newline}`), end }
}

/** The time in front of an event; '' where the layout has none. */
export function timeText(layout: ReferenceLayout, time: EventTime): string {
  const format = timeFormatOf(layout.spec)
  if (format === undefined) return ''
  const nanoseconds = time.nanoseconds ?? 0
  const seconds = time.seconds + Math.floor(nanoseconds / 1e9)
  const rest = nanoseconds % 1e9
  switch (format.kind) {
    case 'strftime':
      return formatTime(layout.steps, format.zone, seconds, rest)
    case 'unixtime':
      return String(seconds)
    case 'float':
      return time.nanoseconds === undefined
        ? rubyFloat(seconds)
        : `${seconds}.${String(rest).padStart(9, '0')}`
    case 'unixtime_millis':
      return String(BigInt(seconds) * 1000n + BigInt(Math.floor(rest / 1e6)))
    case 'unixtime_micros':
      return String(BigInt(seconds) * 1_000_000n + BigInt(Math.floor(rest / 1e3)))
    case 'unixtime_nanos':
      return String(BigInt(seconds) * 1_000_000_000n + BigInt(rest))
  }
}

/** A value as JSON: without spaces, floats as `parser` writes them, NaN and infinities as null. */
export function jsonText(value: MsgValue, parser: 'oj' | 'yajl', counts: Counts): string {
  if (typeof value === 'string') return JSON.stringify(value)
  if (typeof value === 'number') {
    return Number.isInteger(value) ? String(value) : float(value, parser, counts)
  }
  if (value === null || typeof value === 'boolean' || typeof value === 'bigint')
    return String(value)
  if (value instanceof MsgFloat) return float(value.value, parser, counts)
  if (value instanceof RawString) return JSON.stringify(bytesText(value.bytes, counts))
  if (value instanceof Uint8Array) return JSON.stringify(bytesText(value, counts))
  if (value instanceof EventTime) return String(value.seconds)
  if (value instanceof MsgExt) return 'null'
  if (Array.isArray(value)) {
    return `[${value.map((item) => jsonText(item, parser, counts)).join(',')}]`
  }
  const pairs: string[] = []
  for (const [key, item] of withoutRepeats(value)) {
    pairs.push(`${keyText(key, counts)}:${jsonText(item, parser, counts)}`)
  }
  return `{${pairs.join(',')}}`
}

function float(value: number, parser: 'oj' | 'yajl', counts: Counts): string {
  if (!Number.isFinite(value)) {
    counts.notFinite++
    return 'null'
  }
  return parser === 'oj' ? ojFloat(value) : rubyFloat(value)
}

function bytesText(bytes: Uint8Array, counts: Counts): string {
  if (!isUtf8(bytes)) counts.notUtf8++
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString('utf8')
}

function keyText(key: MsgValue, counts: Counts): string {
  if (key instanceof RawString) return JSON.stringify(bytesText(key.bytes, counts))
  if (key instanceof Uint8Array) return JSON.stringify(bytesText(key, counts))
  return JSON.stringify(rubyString(key))
}

/**
 * Keys that are objects here (bin, broken text, times, arrays, maps) but equal to Ruby: the first keeps its place, the last
 * gives the value.
 */
function withoutRepeats(map: MsgMap): Iterable<readonly [MsgValue, MsgValue]> {
  let plain = true
  for (const key of map.keys()) {
    if (typeof key === 'object' && key !== null) plain = false
  }
  if (plain) return map
  const unique = new Map<unknown, [MsgValue, MsgValue]>()
  for (const [key, value] of map) {
    const identity = identityOf(key)
    const before = unique.get(identity)
    if (before === undefined) unique.set(identity, [key, value])
    else before[1] = value
  }
  return unique.values()
}

/** Two keys are one to Ruby if this is the same. An ASCII bin equals the str. */
function identityOf(key: MsgValue): unknown {
  if (typeof key === 'string') return `s${key}`
  if (key === null || typeof key !== 'object') return key
  if (key instanceof Uint8Array) {
    const text = Buffer.from(key).toString('latin1')
    return /^[\x00-\x7f]*$/.test(text) ? `s${text}` : `b${text}`
  }
  if (key instanceof RawString) return `r${Buffer.from(key.bytes).toString('latin1')}`
  return `o${rubyString(key)}`
}

export function noCounts(): Counts {
  return { notFinite: 0, notUtf8: 0 }
}

export function plus(counts: Counts, more: FormatCounts): void {
  counts.notFinite += more.notFinite
  counts.notUtf8 += more.notUtf8
}

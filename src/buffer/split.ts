import type { Batch } from '../core/batch.ts'
import type { MsgValue } from '../core/value.ts'
import type { Kernel } from '../kernel/types.ts'
import { decodeTime, eachEntry, findField, valueAt } from '../msgpack/entries.ts'
import { isMap, skipValue } from '../msgpack/walk.ts'
import { type ChunkField, type Chunking, valueText } from './chunk-keys.ts'

/** Events of a batch that belong into one chunk. */
export interface Part {
  /** The same for the same chunk keys. */
  readonly key: string
  readonly timekey: number | undefined
  readonly tag: string | undefined
  readonly variables: Readonly<Record<string, string | null>> | undefined
  /** A view of the batch, or a gathered copy: borrowed like the batch. */
  readonly packed: Uint8Array
  readonly count: number
}

/** Times of all zones change their offset only at such multiples. */
const offsetGranularitySeconds = 900

/**
 * Cuts batches by the chunk keys. Without record fields among them the parts are views; with them each
 * event's fields are looked up, and its bytes gathered with others of the same values.
 */
export function createSplitter(
  chunking: Chunking,
  kernel: Pick<Kernel, 'sliceByTime'>,
): (batch: Batch) => readonly Part[] {
  const { byTag, fields, timekeySeconds } = chunking
  const slice =
    timekeySeconds === undefined
      ? (batch: Batch) => [{ timekey: undefined, packed: batch.packed, count: batch.count }]
      : (batch: Batch) => timeSlices(batch, timekeySeconds, chunking, kernel)
  return (batch) => {
    const tag = byTag ? batch.tag : undefined
    const parts: Part[] = []
    for (const { timekey, packed, count } of slice(batch)) {
      const key = timekey === undefined ? (tag ?? '') : `${timekey} ${tag ?? ''}`
      if (fields.length === 0)
        parts.push({ key, timekey, tag, variables: undefined, packed, count })
      else gather(packed, fields, { key, timekey, tag }, parts)
    }
    return parts
  }
}

interface Slice {
  readonly timekey: number
  readonly packed: Uint8Array
  readonly count: number
}

function timeSlices(
  batch: Batch,
  widthSeconds: number,
  { zone }: Chunking,
  kernel: Pick<Kernel, 'sliceByTime'>,
): readonly Slice[] {
  const cut = (from: Batch, width: number, offsetSeconds: number) => {
    const slices: Slice[] = []
    kernel.sliceByTime(from, { widthSeconds: width, offsetSeconds }, (timekey, packed, count) =>
      slices.push({ timekey, packed, count }),
    )
    return slices
  }
  // Nearly always one offset holds for the whole batch: taken from its first event, checked for the others.
  const near = zone(decodeTime(batch.packed, 0).seconds)
  const slices = cut(batch, widthSeconds, near.offsetSeconds)
  // No zone changes its offset twice within a day.
  const holds = (from: number, until: number) =>
    (from >= near.from && until <= near.until) ||
    (until - from <= 86_400 &&
      zone(from).offsetSeconds === near.offsetSeconds &&
      zone(until - 1).offsetSeconds === near.offsetSeconds)
  if (slices.every(({ timekey }) => holds(timekey, timekey + widthSeconds))) return slices
  return cut(batch, offsetGranularitySeconds, 0).flatMap((quarter) =>
    cut({ ...batch, ...quarter }, widthSeconds, zone(quarter.timekey).offsetSeconds),
  )
}

interface Group {
  readonly values: readonly (string | null)[]
  /** Start and end of each run of entries. */
  readonly ranges: number[]
  count: number
}

/** Sorts the entries by the values of the fields, keeping their order among themselves. */
function gather(
  packed: Uint8Array,
  fields: readonly ChunkField[],
  of: { key: string; timekey: number | undefined; tag: string | undefined },
  parts: Part[],
): void {
  const bytes = Buffer.from(packed.buffer, packed.byteOffset, packed.byteLength)
  /** By the values' bytes, which are cheaper to compare than to decode, and by their texts. */
  const byBytes = new Map<string, Group>()
  const byText = new Map<string, Group>()
  eachEntry(packed, (start, timeEnd, end) => {
    let raw = ''
    for (const field of fields) {
      const at = fieldAt(packed, timeEnd, field)
      // A value's bytes say themselves where they end: values side by side cannot be taken for others.
      raw += at < 0 ? none : bytes.toString('latin1', at, skipValue(packed, at))
    }
    let group = byBytes.get(raw)
    if (group === undefined) {
      const values = fields.map((field) => fieldText(packed, timeEnd, field))
      const text = JSON.stringify(values)
      group = byText.get(text) ?? { values, ranges: [], count: 0 }
      byText.set(text, group)
      byBytes.set(raw, group)
    }
    group.count += 1
    const { ranges } = group
    if (ranges[ranges.length - 1] === start) ranges[ranges.length - 1] = end
    else ranges.push(start, end)
  })
  for (const [text, { values, ranges, count }] of byText) {
    const variables = variablesOf(fields, values)
    parts.push({
      ...of,
      key: `${of.key} ${text}`,
      variables,
      packed: joined(packed, ranges),
      count,
    })
  }
}

/** The byte that MessagePack never uses. */
const none = '\u00c1'

function variablesOf(
  fields: readonly ChunkField[],
  values: readonly (string | null)[],
): Part['variables'] {
  const variables = Object.create(null) as Record<string, string | null>
  for (const [i, field] of fields.entries()) variables[field.name] = values[i] ?? null
  return variables
}

function joined(packed: Uint8Array, ranges: readonly number[]): Uint8Array {
  if (ranges.length === 2) return packed.subarray(ranges[0], ranges[1])
  const views: Uint8Array[] = []
  for (let i = 0; i < ranges.length; i += 2) views.push(packed.subarray(ranges[i], ranges[i + 1]))
  return Buffer.concat(views)
}

/** Offset of the field's value, or -1. */
function fieldAt(packed: Uint8Array, recordAt: number, field: ChunkField): number {
  let at = recordAt
  for (const key of field.path) {
    if (!isMap(packed[at] as number)) return -1
    at = findField(packed, at, key)
    if (at < 0) return -1
  }
  return at
}

function fieldText(packed: Uint8Array, recordAt: number, field: ChunkField): string | null {
  const at = fieldAt(packed, recordAt, field)
  const value: MsgValue = at < 0 ? null : valueAt(packed, at)
  return value === null ? null : valueText(value)
}

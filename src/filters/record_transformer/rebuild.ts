import { assert } from '../../core/errors.ts'
import { EventTime, MsgFloat, type MsgMap, type MsgValue } from '../../core/value.ts'
import { decode, Reader } from '../../msgpack/decode.ts'
import { Encoder } from '../../msgpack/encode.ts'
import { type FieldKey, fieldKey, findField } from '../../msgpack/entries.ts'
import { eventTime } from '../../parsers/event-time.ts'
import { toFloat } from '../../parsers/types.ts'
import { deleteValue, type RecordPath } from '../../text/record-path.ts'
import type { EventView } from './event-view.ts'
import { fieldsOf, type Template, type TemplatePair } from './template.ts'

export interface RebuildPlan {
  readonly fields: readonly TemplatePair[]
  readonly removed: readonly RecordPath[]
  readonly renewRecord: boolean
  /** Of a renewed record: what stays. */
  readonly keepKeys: readonly string[]
  /** The field that gives the event its time. */
  readonly renewTimeKey: string | undefined
}

/** An event that cannot be transformed as it is configured. */
export class TransformError extends Error {
  override readonly name = 'TypeError'
}

/** Makes entries anew from decoded records: for what cannot be done by copying bytes. */
export class Rebuilder {
  private readonly plan: RebuildPlan
  private readonly view: EventView
  private readonly encoder: Encoder
  private readonly scratch = new Encoder()
  private readonly read: readonly FieldKey[]

  constructor(plan: RebuildPlan, view: EventView, encoder: Encoder) {
    this.plan = plan
    this.view = view
    this.encoder = encoder
    const templates = plan.fields.flatMap(({ key, value }): Template[] => [key, value])
    this.read = fieldsOf(templates).map(fieldKey)
  }

  /** Returns where the entry ends. Throws TransformError, and MsgpackError where a value would be nested too deep. */
  entry(packed: Uint8Array, start: number, timeEnd: number): number {
    const { plan, encoder } = this
    this.look(packed, start, timeEnd)
    const reader = new Reader(packed, timeEnd)
    const old = reader.value()
    assert(old instanceof Map, 'a batch has records only')
    const record = plan.renewRecord ? this.renewed(old) : old
    for (const { key, value } of plan.fields) record.set(this.value(key), this.value(value))
    const time = this.newTime(record)
    for (const path of plan.removed) deleteValue(record, path)
    if (time === undefined) encoder.raw(packed, start, timeEnd)
    else encoder.entry(time)
    encoder.value(record)
    return reader.at
  }

  private look(packed: Uint8Array, start: number, timeEnd: number): void {
    const { view } = this
    view.setEvent(packed, start, timeEnd)
    view.offsets.clear()
    for (const key of this.read) view.offsets.set(key.name, findField(packed, timeEnd, key))
  }

  private renewed(old: MsgMap): MsgMap {
    const record: MsgMap = new Map()
    for (const key of this.plan.keepKeys) {
      const value = old.get(key)
      if (value !== undefined) record.set(key, value)
    }
    return record
  }

  private value(template: Template): MsgValue {
    const { scratch } = this
    scratch.reset()
    this.view.write(scratch, template)
    return decode(scratch.bytes)
  }

  private newTime(record: MsgMap): EventTime | undefined {
    const { renewTimeKey } = this.plan
    const value = renewTimeKey === undefined ? undefined : record.get(renewTimeKey)
    return value === undefined ? undefined : timeOf(value)
  }
}

/** Seconds since 1970 with a fraction, by Ruby's to_f. */
function timeOf(value: MsgValue): EventTime {
  if (value instanceof EventTime) return value
  const isNumber =
    value === null ||
    typeof value === 'string' ||
    typeof value === 'number' ||
    typeof value === 'bigint' ||
    value instanceof MsgFloat
  const seconds = value === null ? 0 : isNumber ? toFloat(value) : Number.NaN
  if (!Number.isFinite(seconds) || Math.abs(seconds) > Number.MAX_SAFE_INTEGER) {
    throw new TransformError('the value of renew_time_key is no time')
  }
  const whole = Math.floor(seconds)
  return eventTime(whole, Math.min(Math.floor((seconds - whole) * 1e9), 999_999_999))
}

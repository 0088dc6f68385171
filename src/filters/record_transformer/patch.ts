import type { Encoder } from '../../msgpack/encode.ts'
import { pairCount } from '../../msgpack/entries.ts'
import { headLength, skipValue } from '../../msgpack/walk.ts'
import { KeyTable } from '../../records/key-table.ts'
import type { EventView } from './event-view.ts'
import { fieldsOf, type Template } from './template.ts'

/** What a record's key means to the filter. */
interface KeyUse {
  readonly key: string
  /** Index of the <record> field that sets it, or -1. */
  readonly sets: number
  readonly removed: boolean
  /** A placeholder asks for it. */
  readonly read: boolean
}

/** A top-level field to set, in the order of the configuration. */
export interface FieldTemplate {
  readonly key: string
  /** The key as MessagePack. */
  readonly keyBytes: Uint8Array
  readonly value: Template
}

export interface PatchPlan {
  readonly fields: readonly FieldTemplate[]
  readonly table: KeyTable<KeyUse>
  readonly renewRecord: boolean
  readonly reads: boolean
}

/** `removed`: top-level keys to take away, also of the fields that are set. */
export function planPatch(
  fields: readonly FieldTemplate[],
  options: { removed: readonly string[]; renewRecord: boolean },
): PatchPlan {
  const removed = new Set(options.removed)
  const kept = fields.filter((field) => !removed.has(field.key))
  const read = new Set(fieldsOf(kept.map((field) => field.value)))
  const keys = new Set([...removed, ...read, ...kept.map((field) => field.key)])
  const uses = [...keys].map(
    (key): KeyUse => ({
      key,
      sets: kept.findIndex((field) => field.key === key),
      removed: removed.has(key),
      read: read.has(key),
    }),
  )
  return {
    fields: kept,
    table: new KeyTable(uses),
    renewRecord: options.renewRecord,
    reads: read.size > 0,
  }
}

/** What a pair of the record becomes. */
const keep = -1
const drop = -2

/**
 * Writes entries with top-level fields set and removed, by copying the bytes of all that is not touched. A field that is
 * there keeps its place. Of a key that stands there twice, the first place and the last value count, as in a decoded record.
 */
export class Patcher {
  private readonly plan: PatchPlan
  private readonly view: EventView
  private readonly encoder: Encoder
  /** For each pair of the record at hand: where it starts, and what becomes of it. */
  private starts = new Int32Array(64)
  private fates = new Int32Array(64)
  private pairs = 0
  private readonly isSet: boolean[]

  constructor(plan: PatchPlan, view: EventView, encoder: Encoder) {
    this.plan = plan
    this.view = view
    this.encoder = encoder
    this.isSet = plan.fields.map(() => false)
  }

  /** Returns where the entry ends. Throws MsgpackError where a value would be nested too deep. */
  entry(packed: Uint8Array, start: number, timeEnd: number): number {
    const { encoder, plan, view } = this
    const end = this.look(packed, timeEnd)
    const kept = this.countKept()
    view.setEvent(packed, start, timeEnd)
    encoder.raw(packed, start, timeEnd)
    encoder.mapHeader(kept + plan.fields.length)
    if (!plan.renewRecord) this.copyPairs(packed, end)
    for (let i = 0; i < plan.fields.length; i++) {
      if (this.isSet[i]) continue
      const field = plan.fields[i] as FieldTemplate
      encoder.raw(field.keyBytes)
      view.write(encoder, field.value)
    }
    return end
  }

  /** Finds the record's fields; returns where it ends. */
  private look(packed: Uint8Array, recordAt: number): number {
    const { plan, view, isSet } = this
    if (plan.reads) view.offsets.clear()
    isSet.fill(false)
    const pairs = pairCount(packed, recordAt)
    let at = recordAt + headLength(packed[recordAt] as number)
    for (let i = 0; i < pairs; i++) {
      if (i === this.starts.length) this.grow()
      const valueAt = skipShort(packed, at)
      this.starts[i] = at
      this.fates[i] = this.fateOf(packed, at, valueAt)
      at = skipShort(packed, valueAt)
    }
    this.pairs = pairs
    return at
  }

  private fateOf(packed: Uint8Array, keyAt: number, valueAt: number): number {
    const { plan, view, isSet } = this
    const use = plan.table.find(packed, keyAt)
    if (use === undefined) return keep
    if (use.read) view.offsets.set(use.key, valueAt)
    if (use.removed || (use.sets >= 0 && isSet[use.sets])) return drop
    if (use.sets < 0 || plan.renewRecord) return keep
    isSet[use.sets] = true
    return use.sets
  }

  /** Pairs are there before they are counted here, so this is bounded by the bytes. */
  private grow(): void {
    const starts = new Int32Array(this.starts.length * 2)
    const fates = new Int32Array(this.fates.length * 2)
    starts.set(this.starts)
    fates.set(this.fates)
    this.starts = starts
    this.fates = fates
  }

  private countKept(): number {
    if (this.plan.renewRecord) return 0
    let kept = 0
    for (let i = 0; i < this.pairs; i++) if (this.fates[i] === keep) kept += 1
    return kept
  }

  private copyPairs(packed: Uint8Array, end: number): void {
    const { encoder, plan, starts, fates, view } = this
    let runStart = -1
    for (let i = 0; i < this.pairs; i++) {
      const fate = fates[i] as number
      const at = starts[i] as number
      if (fate === keep) {
        if (runStart < 0) runStart = at
        continue
      }
      if (runStart >= 0) encoder.raw(packed, runStart, at)
      runStart = -1
      if (fate === drop) continue
      const field = plan.fields[fate] as FieldTemplate
      encoder.raw(field.keyBytes)
      view.write(encoder, field.value)
    }
    if (runStart >= 0) encoder.raw(packed, runStart, end)
  }
}

/** Most keys and values are short texts, whose end is quickly found. */
function skipShort(packed: Uint8Array, at: number): number {
  const head = packed[at] as number
  if (head >= 0xa0 && head < 0xc0) {
    const end = at + 1 + (head & 31)
    if (end <= packed.length) return end
  }
  return skipValue(packed, at)
}

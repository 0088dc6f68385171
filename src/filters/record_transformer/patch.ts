import type { Encoder } from '../../msgpack/encode.ts'
import { eachPair } from '../../msgpack/entries.ts'
import type { EventView } from './event-view.ts'
import { KeyTable, type KeyUse } from './key-table.ts'
import { fieldsOf, type Template } from './template.ts'

/** A top-level field to set, in the order of the configuration. */
export interface FieldTemplate {
  readonly key: string
  /** The key as MessagePack. */
  readonly keyBytes: Uint8Array
  readonly value: Template
}

export interface PatchPlan {
  readonly fields: readonly FieldTemplate[]
  readonly table: KeyTable
  readonly renewRecord: boolean
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
  return { fields: kept, table: new KeyTable(uses), renewRecord: options.renewRecord }
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
  private readonly starts: number[] = []
  private readonly fates: number[] = []
  private readonly isSet: boolean[] = []

  constructor(plan: PatchPlan, view: EventView, encoder: Encoder) {
    this.plan = plan
    this.view = view
    this.encoder = encoder
  }

  /** Throws MsgpackError where a value would be nested too deep. */
  entry(packed: Uint8Array, start: number, timeEnd: number): void {
    const { encoder, plan, view } = this
    const end = this.look(packed, timeEnd)
    const kept = this.countKept()
    view.packed = packed
    view.entryAt = start
    encoder.raw(packed, start, timeEnd)
    encoder.mapHeader(kept + plan.fields.length)
    if (!plan.renewRecord) this.copyPairs(packed, end)
    plan.fields.forEach((field, i) => {
      if (this.isSet[i]) return
      encoder.raw(field.keyBytes)
      view.write(encoder, field.value)
    })
  }

  /** Finds the record's fields; returns where it ends. */
  private look(packed: Uint8Array, recordAt: number): number {
    const { plan, view, starts, fates, isSet } = this
    view.offsets.clear()
    starts.length = 0
    fates.length = 0
    isSet.length = 0
    for (let i = 0; i < plan.fields.length; i++) isSet.push(false)
    return eachPair(packed, recordAt, (keyAt, valueAt) => {
      const use = plan.table.find(packed, keyAt)
      let fate = keep
      if (use !== undefined) {
        if (use.read) view.offsets.set(use.key, valueAt)
        if (use.removed || (use.sets >= 0 && isSet[use.sets])) fate = drop
        else if (use.sets >= 0 && !plan.renewRecord) {
          fate = use.sets
          isSet[use.sets] = true
        }
      }
      starts.push(keyAt)
      fates.push(fate)
    })
  }

  private countKept(): number {
    if (this.plan.renewRecord) return 0
    let kept = 0
    for (const fate of this.fates) if (fate === keep) kept += 1
    return kept
  }

  private copyPairs(packed: Uint8Array, end: number): void {
    const { encoder, plan, starts, fates, view } = this
    let runStart = -1
    for (let i = 0; i < fates.length; i++) {
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

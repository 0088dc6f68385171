import { type Engine, field } from './engine.ts'
import { type MutableRun, type Now, noBytes } from './steps.ts'
import type { MessageIdentity } from './types.ts'

/** What the run step that ends a message carries. */
export interface MessageEnd {
  readonly tag: Uint8Array
  readonly ack: Uint8Array
  readonly wireBytes: number
}

/** start, end, count, invalid, how to hand it on, and where it was written to (scan-entries.ts). */
const sliceFields = 7
const inPlace = 0
const written = 1

/**
 * The slices that the last walk over entries left in the engine's table, handed on one run at a time: in place where all
 * entries of a slice are as they should be, else written anew.
 */
export class EntrySlices {
  #engine: Engine | undefined
  #next = 0
  #slices = 0
  #invalidLeft = 0
  #ends: MessageEnd | undefined
  #tag: Uint8Array = noBytes
  #identity: MessageIdentity | undefined

  /** Whether runs are still to be taken. */
  get active(): boolean {
    return this.#engine !== undefined
  }

  /** `ends`: what the last run carries; undefined: the message goes on after it. `identity`: what the first run carries. */
  start(
    engine: Engine,
    tag: Uint8Array,
    ends: MessageEnd | undefined,
    identity?: MessageIdentity,
  ): void {
    this.#engine = engine
    this.#next = 0
    this.#slices = engine.field(field.count) === 0 ? 0 : engine.field(field.slices)
    this.#invalidLeft = engine.field(field.invalid)
    this.#tag = tag
    this.#ends = ends
    this.#identity = identity
    if (this.#slices === 0 && this.#invalidLeft === 0 && !ends) this.#engine = undefined
  }

  /** Fills `run` with the next slice. The engine still has the rules of the walk. */
  take(run: MutableRun, now: Now): void {
    const engine = this.#engine!
    const at = field.sliceTable + this.#next * sliceFields
    this.#next++
    const last = this.#next >= this.#slices
    const some = this.#slices > 0
    run.count = some ? engine.field(at + 2) : 0
    run.packed = some && run.count > 0 ? this.#packed(engine, at, now) : noBytes
    run.invalid = last ? this.#invalidLeft : engine.field(at + 3)
    this.#invalidLeft -= run.invalid
    const ends = last ? this.#ends : undefined
    run.tag = this.#tag
    run.acks = ends ? ends.ack : noBytes
    run.ackCount = run.acks.length > 0 ? 1 : 0
    run.messages = ends ? 1 : 0
    run.wireBytes = ends ? ends.wireBytes : 0
    run.partial = !ends
    run.ackEnds = undefined
    run.identity = this.#identity
    this.#identity = undefined
    if (last) this.#engine = undefined
  }

  #packed(engine: Engine, at: number, now: Now): Uint8Array {
    const start = engine.field(at)
    const end = engine.field(at + 1)
    const handed = engine.field(at + 4)
    if (handed === inPlace) return engine.view(start, end)
    if (handed === written) return engine.view(engine.field(at + 5), engine.field(at + 6))
    const out = engine.layout.normalised
    const outEnd = engine.exports.scanRewrite(
      start,
      end,
      out.at,
      out.at + out.bytes,
      now.seconds,
      now.nanoseconds,
    )
    if (outEnd === 0) throw new Error('kernel: no room for rewritten entries')
    return engine.view(out.at, outEnd)
  }

  /** Ends handing on: copies of what is left, to be walked again. Undefined if nothing was left. */
  hold(): HeldEntries | undefined {
    const engine = this.#engine
    if (!engine) return undefined
    this.#engine = undefined
    const ends = this.#ends && {
      tag: this.#tag.slice(),
      ack: this.#ends.ack.slice(),
      wireBytes: this.#ends.wireBytes,
    }
    const tag = ends?.tag ?? this.#tag.slice()
    let invalid = this.#invalidLeft
    if (this.#next >= this.#slices) return { tag, bytes: noBytes, invalid, ends }
    const last = field.sliceTable + (this.#slices - 1) * sliceFields
    const first = field.sliceTable + this.#next * sliceFields
    for (let at = first; at <= last; at += sliceFields) invalid -= engine.field(at + 3)
    const bytes = engine.bytes.slice(engine.field(first), engine.field(last + 1))
    return { tag, bytes, invalid, ends }
  }
}

/** The bytes of all entries that the last walk went over; they lie side by side. */
export function entriesIn(engine: Engine): Uint8Array {
  const slices = engine.field(field.slices)
  if (slices === 0) return noBytes
  const last = field.sliceTable + (slices - 1) * sliceFields
  return engine.view(engine.field(field.sliceTable), engine.field(last + 1))
}

/** `invalid`: entries left out besides those that a walk over `bytes` will find (the truncated last one). */
export interface HeldEntries {
  readonly tag: Uint8Array
  readonly bytes: Uint8Array
  readonly invalid: number
  readonly ends: MessageEnd | undefined
}

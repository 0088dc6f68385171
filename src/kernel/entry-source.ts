import { type Engine, fault, field, type Rules } from './engine.ts'
import type { MessageEnd } from './entry-slices.ts'
import type { MessageIdentity } from './types.ts'

/**
 * Entries of one message that come in pieces (inflated, or held while a consumer pushed back), or of a large one: cut into windows that end
 * at an entry's end. Linear however they are cut: what was walked without an entry's end in it is tried again
 * only with twice as many bytes.
 */
export class EntrySource {
  readonly ends: MessageEnd
  readonly #pieces: Uint8Array[] = []
  #bytes = 0
  #stalledBytes = 0
  #last = false
  #invalid: number
  /** Set: an entry beyond the limit of a record is passed over; the state of that walk. */
  #passing: Uint8Array | undefined
  /** For the first run; from then on undefined. */
  identity: MessageIdentity | undefined

  constructor(ends: MessageEnd, invalid = 0, identity?: MessageIdentity) {
    this.ends = ends
    this.#invalid = invalid
    this.identity = identity
  }

  /** `bytes` must not change until the steps that follow are taken. */
  add(bytes: Uint8Array, last: boolean): void {
    if (bytes.length > 0) this.#pieces.push(bytes)
    this.#bytes += bytes.length
    if (last) this.#last = true
  }

  /** Puts entries back that were taken out by a window. */
  putBack(bytes: Uint8Array, invalid: number): void {
    if (bytes.length > 0) this.#pieces.unshift(bytes)
    this.#bytes += bytes.length
    this.#invalid += invalid
    this.#finished = false
  }

  #finished = false

  /** The message's last window has been walked. */
  get finished(): boolean {
    return this.#finished
  }

  /** Bytes that the next window wants; 0 if more must be added first. */
  get windowBytes(): number {
    if (this.#last) return Math.max(1, Math.min(this.#bytes, this.#windowMin))
    if (this.#bytes === 0 || this.#bytes < this.#stalledBytes * 2) return 0
    return Math.min(this.#bytes, this.#windowMin)
  }

  get #windowMin(): number {
    return Math.max(windowBytes, this.#stalledBytes * 2)
  }

  /** Walks a window in `engine`, which takes `windowBytes`. False: the entries are malformed, the engine's fault says how. */
  walk(engine: Engine, rules: Rules): boolean {
    const start = engine.inputAt
    const end = start + this.#fill(engine, this.windowBytes)
    const final = this.#last && this.#bytes === 0
    if (this.#passing !== undefined) return this.#pass(engine, end, final)
    if (!walkEntries(engine, start, end, rules)) return false
    const walked = engine.field(field.entriesEnd)
    if (walked === start && end - start > rules.recordBytes + besideRecordBytes) {
      engine.exports.scanFrameStart(rules.items, rules.levels)
      this.#passing = engine.saveFrame(undefined)
      return this.#pass(engine, end, final)
    }
    this.#stalledBytes = 0
    if (walked < end && !final) this.#stalledBytes = this.#takeBack(engine, walked, end)
    if (final) {
      if (walked < end) engine.result[field.invalid]!++
      engine.result[field.invalid]! += this.#invalid
      this.#invalid = 0
      this.#finished = true
    }
    return true
  }

  /** Passes over what is in the window of an entry whose record is too long: it is invalid. */
  #pass(engine: Engine, end: number, final: boolean): boolean {
    const { result } = engine
    engine.restoreFrame(this.#passing as Uint8Array)
    const entryEnd = engine.exports.scanFrame(engine.inputAt, end, 1)
    if (entryEnd === 0 && !wantsMore(engine)) return false
    result[field.count] = result[field.slices] = result[field.invalid] = 0
    this.#stalledBytes = 0
    if (entryEnd === 0 && !final) {
      this.#passing = engine.saveFrame(this.#passing)
      return true
    }
    this.#passing = undefined
    this.#invalid += 1
    if (entryEnd !== 0 && entryEnd < end) this.#takeBack(engine, entryEnd, end)
    if (!this.#last || this.#bytes > 0) return true
    result[field.invalid] = this.#invalid
    this.#invalid = 0
    this.#finished = true
    return true
  }

  /** Puts what follows `from` in the window back; says how many bytes. */
  #takeBack(engine: Engine, from: number, end: number): number {
    const left = engine.bytes.slice(from, end)
    this.#pieces.unshift(left)
    this.#bytes += left.length
    return left.length
  }

  /** Moves up to `wanted` bytes into the engine's input; says how many. */
  #fill(engine: Engine, wanted: number): number {
    let filled = 0
    while (filled < wanted && this.#pieces.length > 0) {
      const piece = this.#pieces[0]!
      const taken = Math.min(piece.length, wanted - filled)
      engine.bytes.set(
        taken === piece.length ? piece : piece.subarray(0, taken),
        engine.inputAt + filled,
      )
      if (taken === piece.length) this.#pieces.shift()
      else this.#pieces[0] = piece.subarray(taken)
      filled += taken
    }
    this.#bytes -= filled
    return filled
  }
}

/** What may stand in an entry beside its record. */
const besideRecordBytes = 64 * 1024

/** So much at a time: of entries of one byte, the most work for its length, ten milliseconds. */
const windowBytes = 128 * 1024

/** Walks the entries in [start, end) of `engine`. False: they are malformed, the engine's fault says how. */
export function walkEntries(engine: Engine, start: number, end: number, rules: Rules): boolean {
  engine.setRules(rules, false)
  engine.exports.scanEntries(start, end)
  return engine.field(field.fault) === fault.none || wantsMore(engine)
}

/** Whether a walk stopped for want of bytes. If not, its fault is that of the entries. */
function wantsMore(engine: Engine): boolean {
  const stop = engine.field(field.fault)
  if (stop === fault.truncated) return true
  if (stop === fault.invalidByte) engine.result[field.fault] = fault.malformedEntries
  return false
}

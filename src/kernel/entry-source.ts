import { type Engine, fault, field, type Rules } from './engine.ts'
import type { MessageEnd } from './entry-slices.ts'
import type { MessageIdentity } from './types.ts'

/**
 * Entries of one message that come in pieces (inflated, or held while a consumer pushed back), or of a large one: cut into windows that end
 * at an entry's end. Linear however they are cut: an entry that is longer than a window is measured first, by a walk that stops and
 * goes on; one that is longer than a record may be is passed over.
 */
export class EntrySource {
  readonly ends: MessageEnd
  readonly #pieces: Uint8Array[] = []
  #bytes = 0
  /** The next window wants so many: what is left has no whole entry, or the entry in front was measured. */
  #leastBytes = 0
  /** Nothing whole is left; more must be added first. */
  #starved = false
  /** Set: the entry in front is measured. The state of that walk, and how far it came; `passed`: what it came past is gone. */
  #measuring: { frame: Uint8Array; bytes: number; passed: boolean } | undefined
  #last = false
  #invalid: number
  #finished = false
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
    this.#starved = false
    if (last) this.#last = true
  }

  /** Puts entries back that were taken out by a window. */
  putBack(bytes: Uint8Array, invalid: number): void {
    if (bytes.length > 0) this.#pieces.unshift(bytes)
    this.#bytes += bytes.length
    this.#invalid += invalid
    this.#leastBytes = 0
    this.#starved = false
    this.#finished = false
  }

  /** The message's last window has been walked. */
  get finished(): boolean {
    return this.#finished
  }

  /** Bytes that the next window wants; 0 if more must be added first. */
  get windowBytes(): number {
    const there = this.#bytes - (this.#measuring?.bytes ?? 0)
    const wanted = Math.min(there, Math.max(windowBytes, this.#leastBytes))
    if (this.#last) return Math.max(1, wanted)
    return this.#starved || there < this.#leastBytes ? 0 : wanted
  }

  /** Walks a window in `engine`, which takes `windowBytes`. False: the entries are malformed, the engine's fault says how. */
  walk(engine: Engine, rules: Rules): boolean {
    if (this.#measuring !== undefined) return this.#measure(engine, rules)
    const start = engine.inputAt
    const end = start + this.#take(engine, this.windowBytes)
    const final = this.#last && this.#bytes === 0
    this.#leastBytes = 0
    if (!walkEntries(engine, start, end, rules)) return false
    const walked = engine.field(field.entriesEnd)
    if (walked === start && end - start >= windowBytes) {
      this.#putBack(engine, start, end)
      engine.exports.scanFrameStart(rules.items, rules.levels)
      this.#measuring = { frame: engine.saveFrame(undefined), bytes: 0, passed: false }
      return this.#measure(engine, rules)
    }
    if (final) this.#finish(engine, walked < end ? 1 : 0)
    else if (walked < end) {
      this.#starved = this.#bytes === 0
      // What is tried again has twice as many bytes then, however few come at a time.
      if (walked === start) this.#leastBytes = Math.min(2 * (end - start), windowBytes)
      this.#putBack(engine, walked, end)
    }
    return true
  }

  /** How long the entry in front is, as far as it is there. */
  #measure(engine: Engine, rules: Rules): boolean {
    const measuring = this.#measuring!
    const start = engine.inputAt
    const wanted = Math.min(this.#bytes - measuring.bytes, windowBytes)
    const end = start + this.#copy(engine, measuring.bytes, wanted)
    engine.restoreFrame(measuring.frame)
    const entryEnd = engine.exports.scanFrame(start, end, 1)
    if (entryEnd === 0 && !wantsMore(engine)) return false
    measuring.frame = engine.saveFrame(measuring.frame)
    measuring.bytes += (entryEnd === 0 ? end : entryEnd) - start
    engine.result[field.count] = engine.result[field.slices] = engine.result[field.invalid] = 0
    const isWhole = entryEnd !== 0
    const isCut = !isWhole && this.#last && measuring.bytes === this.#bytes
    if (measuring.passed || isCut || measuring.bytes > rules.recordBytes + besideRecordBytes) {
      this.#drop(measuring.bytes)
      measuring.bytes = 0
      measuring.passed = true
    }
    if (!isWhole && !isCut) {
      this.#starved = measuring.bytes === this.#bytes
      return true
    }
    this.#measuring = undefined
    if (!measuring.passed) this.#leastBytes = measuring.bytes
    else if (this.#last && this.#bytes === 0) this.#finish(engine, 1)
    else this.#invalid += 1
    return true
  }

  #finish(engine: Engine, invalid: number): void {
    engine.result[field.invalid]! += this.#invalid + invalid
    this.#invalid = 0
    this.#finished = true
  }

  /** Puts back what stands in the window from `from` on. */
  #putBack(engine: Engine, from: number, end: number): void {
    this.#pieces.unshift(engine.bytes.slice(from, end))
    this.#bytes += end - from
  }

  /** Moves up to `wanted` bytes into the engine's input; says how many. */
  #take(engine: Engine, wanted: number): number {
    const taken = this.#copy(engine, 0, wanted)
    this.#drop(taken)
    return taken
  }

  /** Copies up to `wanted` bytes from `from` on into the engine's input; says how many. */
  #copy(engine: Engine, from: number, wanted: number): number {
    let skip = from
    let copied = 0
    for (const piece of this.#pieces) {
      if (copied === wanted) break
      const rest = piece.subarray(skip, skip + wanted - copied)
      skip = Math.max(0, skip - piece.length)
      engine.bytes.set(rest, engine.inputAt + copied)
      copied += rest.length
    }
    return copied
  }

  #drop(bytes: number): void {
    this.#bytes -= bytes
    let left = bytes
    while (left > 0) {
      const piece = this.#pieces[0]!
      if (piece.length > left) this.#pieces[0] = piece.subarray(left)
      else this.#pieces.shift()
      left -= Math.min(left, piece.length)
    }
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

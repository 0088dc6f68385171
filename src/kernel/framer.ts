import {
  type Engine,
  type EnginePool,
  fault,
  field,
  found,
  largestMessageBytes,
  notInside,
  type Rules,
  rulesOf,
} from './engine.ts'
import { EntrySlices, entriesIn } from './entry-slices.ts'
import { EntrySource, walkEntries } from './entry-source.ts'
import { Growable } from './growable.ts'
import { gunzip } from './gunzip.ts'
import { droppedHeadBytes, droppedNote, takeApart } from './large-message.ts'
import {
  acksOf,
  compressedStep,
  emptyRun,
  fatal,
  fatalOf,
  fillRun,
  identityOf,
  type MutableRun,
  type Now,
  noBytes,
  note,
  tagOf,
} from './steps.ts'
import type {
  CompressedStep,
  FatalStep,
  Framer,
  FramerOptions,
  GunzipVerdict,
  Step,
} from './types.ts'
import { WaitingBytes } from './waiting-bytes.ts'

/**
 * Framer over one shared engine (`home`). Bytes of the stream are, in order: loaded in an engine, at `#at` to `#end`; in
 * `#waiting`, copied; or, the head of a message whose end has not come, in `#unfinished`. How far that message goes
 * is known from a walk that stops and goes on (`#frame` is its state): no byte is walked more than three times.
 */
export class KernelFramer implements Framer {
  readonly #home: Engine
  readonly #pool: EnginePool
  readonly #options: FramerOptions
  readonly #rules: Rules
  readonly #run: MutableRun = emptyRun()
  readonly #slices = new EntrySlices()
  readonly #unfinished = new Growable()
  readonly #waiting: WaitingBytes
  /** Where the loaded bytes are: home, or a larger engine that belongs to this framer until they are done. */
  #engine: Engine
  #at = 0
  #end = 0
  /** The first message's size was noted already. */
  #warned = false
  #frame: Uint8Array | undefined
  /** Bytes of the unfinished message so far, kept or not. */
  #wireBytes = 0
  #entries: EntrySource | undefined
  /** Steps that are known already; in their order, before all others. */
  readonly #pending: Step[] = []
  #ended = false

  constructor(home: Engine, pool: EnginePool, options: FramerOptions) {
    this.#home = home
    this.#engine = home
    this.#pool = pool
    this.#options = options
    this.#waiting = new WaitingBytes(home.layout.readArea.bytes)
    this.#rules = rulesOf(options)
  }

  get unfinishedBytes(): number {
    return this.#unfinished.length
  }

  feed(bytes: Uint8Array): void {
    if (this.#ended || bytes.length === 0) return
    const readArea = this.#home.layout.readArea
    const inPlace = bytes.buffer === this.#home.bytes.buffer && bytes.byteOffset === readArea.at
    if (this.#busy || (!inPlace && bytes.length > readArea.bytes)) {
      // A read that was under way when the stream was held, or more than a socket brings at once.
      const copy = bytes.slice()
      this.hold()
      this.#waiting.push(copy)
      return
    }
    if (!inPlace) this.#home.bytes.set(bytes, readArea.at)
    this.#waiting.forgetLoaded()
    this.#arrive(bytes.length)
  }

  feedEntries(bytes: Uint8Array, of: CompressedStep, last: boolean): void {
    if (this.#ended) return
    // What follows the message in the stream makes room.
    if (!this.#slices.active) this.hold()
    this.#entries ??= new EntrySource({ tag: of.tag, ack: of.ack, wireBytes: of.wireBytes })
    this.#entries.add(bytes, last)
  }

  gunzip(of: CompressedStep, limitBytes: number): GunzipVerdict {
    const home = this.#home
    // A payload in a larger engine is a large one.
    if (of.payload.buffer !== home.bytes.buffer) return 'large'
    const verdict = gunzip(home, of.payload, limitBytes)
    if (verdict !== 'done') return verdict
    const end = home.inflatedEnd
    this.#entries = undefined
    if (walkEntries(home, home.layout.inflated.at, end, this.#rules)) {
      if (home.field(field.entriesEnd) < end) home.result[field.invalid]!++
      this.#slices.start(home, of.tag, of)
    } else this.#pending.push(this.#stop(fatalOf(home)))
    return verdict
  }

  next(now: Now): Step | undefined {
    for (;;) {
      const step = this.#step(now)
      if (step !== 'again') return step
    }
  }

  #step(now: Now): Step | undefined | 'again' {
    if (this.#pending.length > 0) return this.#pending.shift()
    if (this.#slices.active) {
      this.#slices.take(this.#run, now)
      if (!this.#slices.active) this.#settle()
      return this.#run
    }
    if (this.#entries) return this.#walkEntries()
    if (this.#at < this.#end) return this.#scan(now)
    return this.#load() ? 'again' : undefined
  }

  hold(): void {
    const home = this.#home
    if (this.#engine !== home) return
    const held = this.#slices.hold()
    this.#waiting.putBack(home.bytes.subarray(this.#at, this.#end))
    this.#at = this.#end = 0
    if (!held) return
    if (this.#entries) {
      this.#entries.putBack(held.bytes, held.invalid)
    } else {
      const ends = held.ends ?? { tag: held.tag, ack: noBytes, wireBytes: 0 }
      this.#entries = new EntrySource(ends, held.invalid)
      this.#entries.add(held.bytes, true)
    }
  }

  /** Steps are still to be taken, or a compressed message's entries are awaited. */
  get #busy(): boolean {
    return (
      this.#at < this.#end ||
      this.#waiting.any ||
      this.#slices.active ||
      this.#entries !== undefined ||
      this.#pending.length > 0
    )
  }

  /** After a step that may have used up what was loaded: a larger engine goes back. */
  #settle(): void {
    if (this.#entries?.finished) this.#entries = undefined
    if (this.#engine === this.#home || this.#at < this.#end || this.#slices.active) return
    this.#pool.release(this.#engine)
    this.#engine = this.#home
    this.#at = this.#end = 0
  }

  #walkEntries(): Step | undefined | 'again' {
    const entries = this.#entries!
    const wanted = entries.windowBytes
    if (wanted === 0) return undefined
    if (wanted > largestMessageBytes) return this.#stop(fatal('message_too_long'))
    this.#engine = wanted <= this.#home.inputBytes ? this.#home : this.#pool.take(wanted)
    if (!entries.walk(this.#engine, this.#rules)) return this.#stop(fatalOf(this.#engine))
    const ends = entries.finished ? entries.ends : undefined
    this.#slices.start(this.#engine, entries.ends.tag, ends, entries.identity)
    if (this.#slices.active) entries.identity = undefined
    else this.#settle()
    return 'again'
  }

  #scan(now: Now): Step | 'again' {
    const engine = this.#engine
    engine.setRules(this.#rules, true)
    const kind = engine.exports.scanNext(
      this.#at,
      this.#end,
      this.#warned ? 1 : 0,
      now.seconds,
      now.nanoseconds,
    )
    this.#warned = kind === found.large
    if (kind === found.run || kind === found.entries) return this.#entriesFound(kind)
    if (kind === found.incomplete) return this.#keepUnfinished()
    if (kind === found.fatal) return this.#stop(fatalOf(engine))
    this.#at = engine.field(field.next)
    const step = this.#otherStep(kind)
    this.#settle()
    return step
  }

  #entriesFound(kind: number): Step | 'again' {
    const engine = this.#engine
    this.#at = engine.field(field.next)
    if (kind === found.entries) {
      const tag = tagOf(engine)
      const ends = { tag, ack: acksOf(engine), wireBytes: engine.field(field.wireBytes) }
      const identify = this.#options.identify === true
      const identity = identify ? identityOf(engine, ends.ack, entriesIn(engine)) : undefined
      this.#slices.start(engine, tag, ends, identity)
      return 'again'
    }
    const run = fillRun(this.#run, engine)
    this.#settle()
    return run
  }

  #otherStep(kind: number): Step {
    const engine = this.#engine
    const bytes = engine.field(field.wireBytes)
    if (kind === found.compressed) {
      const step = compressedStep(engine)
      // From here on the stream waits for its entries.
      this.#entries = new EntrySource(step)
      return step
    }
    if (kind === found.heartbeat) return note('heartbeat', bytes)
    if (kind === found.broken) return note('broken', bytes)
    return note(kind === found.large ? 'large' : 'too_large', bytes, tagOf(engine))
  }

  /** Nothing more comes from this stream. */
  #stop(step: FatalStep): FatalStep {
    this.#ended = true
    this.#at = this.#end = 0
    this.#waiting.clear()
    this.#entries = undefined
    this.#unfinished.clear()
    this.#settle()
    return step
  }

  /** Loads the next of the copies in hand; false if there is none. */
  #load(): boolean {
    const part = this.#waiting.take()
    if (part === undefined) return false
    this.#home.bytes.set(part, this.#home.layout.readArea.at)
    this.#arrive(part.length)
    return true
  }

  /** `length` bytes of the stream lie at the start of the read area. */
  #arrive(length: number): void {
    const start = this.#home.layout.readArea.at
    const end = start + length
    if (this.#wireBytes === 0) {
      this.#at = start
      this.#end = end
      return
    }
    const home = this.#home
    home.restoreFrame(this.#frame!)
    const messageEnd = home.exports.scanFrame(start, end, this.#wireBytes)
    if (messageEnd !== 0) this.#complete(start, messageEnd, end)
    else if (home.field(field.fault) !== fault.truncated)
      this.#pending.push(this.#stop(fatalOf(home)))
    else this.#keep(start, end)
  }

  /** The loaded bytes are the head of a message that goes on: walks it as far as it is there, and keeps it. */
  #keepUnfinished(): 'again' {
    const engine = this.#engine
    const exports = engine.exports
    const elements = engine.field(field.elementsLeft)
    let from = this.#at
    // Forward mode's entries stand two levels inside the message.
    const levels = this.#rules.levels + 2
    if (elements !== notInside) {
      from = engine.field(field.entriesEnd)
      const budget = engine.field(field.entriesBudget)
      exports.scanFrameStartInside(budget, levels, engine.field(field.entriesLeft), elements)
    } else {
      exports.scanFrameStart(this.#rules.items, levels)
    }
    const start = this.#at
    const end = this.#end
    this.#at = this.#end = 0
    if (exports.scanFrame(from, end, from - start) !== 0 || engine !== this.#home) {
      throw new Error('kernel: a message is both whole and unfinished')
    }
    if (engine.field(field.fault) === fault.truncated) this.#keep(start, end)
    else this.#pending.push(this.#stop(fatalOf(engine)))
    return 'again'
  }

  /** Keeps [start, end) of the unfinished message, and the state of its walk. */
  #keep(start: number, end: number): void {
    const home = this.#home
    this.#frame = home.saveFrame(this.#frame)
    this.#wireBytes += end - start
    const dropped = this.#wireBytes > this.#options.messageLimitBytes
    const limit = Math.min(this.#options.unfinishedLimitBytes, largestMessageBytes)
    const expected = this.#wireBytes + home.field(field.frameNeed)
    if (!dropped && expected > limit) {
      this.#pending.push(this.#stop(fatal('message_too_long')))
      return
    }
    if (dropped) this.#keepHead(start, end)
    else this.#unfinished.append(home.view(start, end), expected)
  }

  /** Keeps what is missing of the head of a message that will be dropped. */
  #keepHead(start: number, end: number): void {
    const most = Math.max(droppedHeadBytes - this.#unfinished.length, 0)
    this.#unfinished.append(this.#home.view(start, Math.min(end, start + most)))
  }

  /** The unfinished message ends at `messageEnd`: it goes in front of what follows it, or is worked on alone. */
  #complete(start: number, messageEnd: number, end: number): void {
    const home = this.#home
    const kept = this.#unfinished
    const wireBytes = this.#wireBytes + messageEnd - start
    this.#wireBytes = 0
    if (wireBytes - (messageEnd - start) > this.#options.messageLimitBytes) {
      this.#keepHead(start, messageEnd)
      this.#pending.push(droppedNote(home, kept.bytes, wireBytes, this.#rules))
      this.#at = messageEnd
      this.#end = end
    } else if (kept.length <= home.layout.headroom.bytes) {
      this.#at = start - kept.length
      this.#end = end
      home.bytes.set(kept.bytes, this.#at)
    } else {
      kept.append(home.view(start, messageEnd))
      if (messageEnd < end) this.#waiting.unshift(home.bytes.slice(messageEnd, end))
      this.#waiting.forgetLoaded()
      this.#at = this.#end = 0
      if (kept.length > home.inputBytes && this.#takeApart(kept.bytes)) {
        // Its entries are looked at where they lie.
        kept.take()
        return
      }
      this.#engine = kept.length <= home.inputBytes ? home : this.#pool.take(kept.length)
      this.#engine.bytes.set(kept.bytes, this.#engine.inputAt)
      this.#at = this.#engine.inputAt
      this.#end = this.#at + kept.length
    }
    kept.clear()
  }

  /** Of a large message the entries are walked a window at a time. False: it has to be worked on whole. */
  #takeApart(bytes: Uint8Array): boolean {
    const large = takeApart(this.#home, bytes, { rules: this.#rules, options: this.#options })
    if (large === undefined) return false
    for (const step of large.steps)
      this.#pending.push(step.kind === 'fatal' ? this.#stop(step) : step)
    this.#entries = large.entries
    return true
  }
}

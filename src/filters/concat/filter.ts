import type { PluginContext } from '../../config/define.ts'
import type { Batch } from '../../core/batch.ts'
import type { Consumer } from '../../core/consumer.ts'
import type { Filter, FilterLedger } from '../../core/filter.ts'
import type { Receipt } from '../../core/receipt.ts'
import { EventTime } from '../../core/value.ts'
import { Encoder } from '../../msgpack/encode.ts'
import { eachEntry, type FieldKey, fieldKey, findField } from '../../msgpack/entries.ts'
import { currentTime } from '../../parsers/event-time.ts'
import { keyName, textBytes, writeJoined } from '../../records/join.ts'
import { Streams } from '../../records/streams.ts'
import { LogLimiter } from '../../routing/log-limiter.ts'
import { packedText } from '../../text/packed-text.ts'
import { RegexpInputError } from '../../text/regexp.ts'
import { createGroup, type Group, joinedText } from './group.ts'
import { type Rules, rulesOf } from './rules.ts'
import type { ConcatParams } from './shape.ts'

/** The event at hand: borrowed bytes, where they divide, and where the text to join stands. */
export interface Part {
  readonly tag: string
  readonly packed: Uint8Array
  readonly start: number
  readonly timeEnd: number
  readonly end: number
  readonly textAt: number
}

/** An event that the rules cannot be applied to. */
class ConcatError extends Error {
  override readonly name = 'ConcatError'
}

/** A stream was silent too long, or the filter stops: fluent-plugin-concat's name for it. */
class TimeoutError extends Error {
  override readonly name = 'TimeoutError'
}

const ownLog = /^fluent\.(?:trace|debug|info|warn|error|fatal)$/

export class ConcatFilter implements Filter {
  readonly ledger: FilterLedger
  readonly #counts = { heldEvents: 0, joinedEvents: 0, passedEvents: 0 }
  readonly #params: ConcatParams
  readonly #context: PluginContext
  readonly #rules: Rules
  readonly #key: FieldKey
  readonly #keyName: string
  readonly #identityKey: FieldKey | undefined
  readonly #separator: Uint8Array
  readonly #without: ReadonlySet<string>
  readonly #fromLast: ReadonlySet<string>
  readonly #fields: ReadonlyMap<string, FieldKey>
  readonly #timeoutRoute: Consumer | undefined
  readonly #streams: Streams<Group>
  readonly #limiter: LogLimiter
  readonly #encoder = new Encoder()
  readonly #pending = new Set<Promise<void>>()
  #count = 0
  /** Of the batch at hand. */
  #receipt: Receipt | undefined
  #changed = false
  #stopped = false

  /** Throws ConfigError. */
  constructor(params: ConcatParams, context: PluginContext) {
    this.ledger = this.#counts
    this.#params = params
    this.#context = context
    this.#rules = rulesOf(params)
    this.#key = fieldKey(params.key)
    this.#keyName = keyName(params.key)
    this.#separator = Buffer.from(params.separator)
    const names = fieldsOf(this.#rules)
    this.#fields = new Map(names.map((name) => [name, fieldKey(name)]))
    this.#without = new Set(removedBy(params, this.#rules).map(keyName))
    this.#fromLast = new Set(decidedByLast(this.#rules).map(keyName))
    const identity = params.streamIdentityKey ?? ownIdentity(this.#rules)
    this.#identityKey = identity === undefined ? undefined : fieldKey(identity)
    const label = params.timeoutLabel
    this.#timeoutRoute = label === undefined ? undefined : context.route(label, params)
    this.#limiter = new LogLimiter(context.host.clock)
    this.#streams = new Streams({
      clock: context.host.clock,
      silenceMs: params.flushInterval * 1000,
      limitBytes: params.totalLimitSize,
      due: (group, why) =>
        this.#giveOut(group, why === 'silence' ? 'Timeout flush' : 'Memory limit flush'),
    })
  }

  apply(batch: Batch): Batch | undefined {
    const { packed, tag } = batch
    if (ownLog.test(tag)) return batch
    const encoder = this.#encoder
    encoder.reset()
    this.#count = 0
    this.#changed = false
    this.#receipt = batch.receipt
    eachEntry(packed, (start, timeEnd, end) => {
      const textAt = findField(packed, timeEnd, this.#key)
      const part = { tag, packed, start, timeEnd, end, textAt }
      if (textAt < 0 || !this.#concerned(part)) this.#pass(part)
      else this.#take(part)
    })
    if (this.#stopped)
      for (const group of this.#streams.end()) this.#giveOut(group, 'Flush remaining buffer')
    if (!this.#changed) return batch
    const count = this.#count
    return count === 0 ? undefined : { tag, packed: encoder.bytes, count }
  }

  async stop(_deadline: AbortSignal): Promise<void> {
    this.#stopped = true
    for (const group of this.#streams.end()) this.#giveOut(group, 'Flush remaining buffer')
    await Promise.allSettled(this.#pending)
  }

  /** Whether the event is one that can be a part. */
  #concerned(part: Part): boolean {
    const rules = this.#rules
    if (rules.kind === 'partial') return this.#has(part, rules.key)
    if (rules.kind === 'metadata') return this.#has(part, rules.fields.indicator)
    return true
  }

  #has(part: Part, field: string): boolean {
    return this.#find(part, field) >= 0
  }

  #find(part: Part, field: string): number {
    return findField(part.packed, part.timeEnd, this.#fields.get(field) as FieldKey)
  }

  #text(part: Part, field: string): string {
    return packedText(part.packed, this.#find(part, field))
  }

  /** The event goes on as it came. */
  #pass(part: Part): void {
    this.#encoder.raw(part.packed, part.start, part.end)
    this.#count++
  }

  #take(part: Part): void {
    try {
      this.#step(part)
    } catch (error) {
      if (!(error instanceof RegexpInputError || error instanceof ConcatError)) throw error
      this.#changed = true
      const packed = part.packed.subarray(part.start, part.end)
      this.#context.emitError({ tag: part.tag, packed, count: 1 }, error)
    }
  }

  #step(part: Part): void {
    const rules = this.#rules
    const identity = this.#identity(part)
    switch (rules.kind) {
      case 'lines': {
        const group = this.#add(part, identity)
        if (group.texts.length >= rules.count) this.#complete(group, part)
        return
      }
      case 'partial':
        this.#partial(part, identity, this.#text(part, rules.key) === rules.value)
        return
      case 'metadata': {
        const { ordinal, last } = rules.fields
        const place = Number.parseInt(this.#text(part, ordinal), 10)
        const group = this.#add(part, identity, Number.isFinite(place) ? place : 0)
        if (this.#text(part, last) === 'true') this.#complete(group, part)
        return
      }
      case 'cri': {
        if (!this.#has(part, rules.logtagKey)) {
          throw new ConcatError(`the event has no field ${rules.logtagKey}`)
        }
        const isLast = this.#text(part, rules.logtagKey).split(':', 1)[0] === 'F'
        const group = this.#add(part, identity)
        if (isLast) this.#complete(group, part)
        return
      }
      case 'regexp':
        this.#lines(part, identity, rules)
    }
  }

  #lines(part: Part, identity: string, rules: Rules & { kind: 'regexp' }): void {
    const text = packedText(part.packed, part.textAt)
    const waiting = this.#streams.get(identity)
    const isEnd = () => rules.end?.test(text) === true
    if (rules.start?.test(text) === true) {
      const ends = isEnd()
      if (waiting !== undefined) this.#complete(waiting, part, false)
      const group = this.#add(part, identity)
      if (ends) this.#complete(group, part)
    } else if (isEnd()) {
      this.#complete(this.#add(part, identity), part)
    } else if (waiting === undefined) {
      if (rules.start === undefined) this.#add(part, identity)
      else this.#pass(part)
    } else if (rules.continuous === undefined || rules.continuous.test(text)) {
      this.#add(part, identity)
    } else {
      this.#complete(waiting, part, false)
      this.#pass(part)
    }
  }

  #partial(part: Part, identity: string, more: boolean): void {
    const { bufferLimitSize, bufferOverflowMethod: method } = this.#params
    const waiting = this.#streams.get(identity)
    const bytes = part.end - part.timeEnd
    const overflows = waiting !== undefined && waiting.recordBytes + bytes > bufferLimitSize
    if (!overflows || method === 'ignore') {
      const group = this.#add(part, identity)
      if (!more) this.#complete(group, part)
      return
    }
    if (method === 'drop') this.#drop(waiting)
    else this.#complete(waiting, part, false)
    if (method === 'new') {
      const group = this.#add(part, identity)
      if (!more) this.#complete(group, part)
    } else this.#changed = true
  }

  #identity(part: Part): string {
    const rules = this.#rules
    const { packed, timeEnd, tag } = part
    let identity = tag
    if (this.#identityKey !== undefined) {
      identity += `:${packedText(packed, findField(packed, timeEnd, this.#identityKey))}`
    }
    if (rules.kind === 'metadata') identity += `:${this.#text(part, rules.fields.id)}`
    return identity
  }

  /** Holds the part. A stream that holds too much already gives out what it has first. */
  #add(part: Part, identity: string, ordinal = 0): Group {
    const text = textBytes(part.packed, part.textAt)
    let group = this.#streams.get(identity)
    if (group !== undefined && group.heldBytes + text.length > this.#params.streamLimitSize) {
      this.#warn('a stream holds more than stream_limit_size: what it has goes on', part.tag)
      this.#complete(group, part, false)
      group = undefined
    }
    this.#changed = true
    this.#counts.heldEvents++
    const isNew = group === undefined
    group ??= createGroup(identity, part.tag, part)
    group.recordBytes += part.end - part.timeEnd
    group.texts.push({ bytes: new Uint8Array(text), ordinal })
    group.receipts.add(this.#receipt)
    this.#streams.charge(group, (isNew ? group.first.length : 64) + text.length)
    return group
  }

  /** The group goes on, at the event that completed it; `isLast`: that is a part of it. */
  #complete(group: Group, trigger: Part, isLast = true): void {
    this.#release(group)
    group.receipts.goWith(this.#receipt)
    this.#changed = true
    const encoder = this.#encoder
    const { first, firstRecordAt } = group
    if (this.#params.useFirstTimestamp) encoder.raw(first, 0, firstRecordAt)
    else encoder.raw(trigger.packed, trigger.start, trigger.timeEnd)
    this.#count++
    if (group.texts.length === 1 && this.#without.size === 0) {
      encoder.raw(first, firstRecordAt, first.length)
      return
    }
    const sameEvent = group.texts.length === 1 || !isLast
    writeJoined(encoder, {
      first: { packed: first, recordAt: firstRecordAt },
      last: sameEvent ? undefined : { packed: trigger.packed, recordAt: trigger.timeEnd },
      key: this.#keyName,
      text: this.#joined(group),
      without: this.#without,
      fromLast: this.#fromLast,
    })
  }

  #joined(group: Group): Uint8Array {
    return joinedText(group, this.#separator, this.#rules.kind === 'metadata')
  }

  /** It is held no longer, and is one event now. */
  #release(group: Group): void {
    this.#streams.remove(group)
    this.#counts.heldEvents -= group.texts.length
    this.#counts.joinedEvents += group.texts.length - 1
  }

  /** What overflows with `drop`: all parts are gone, as filtered. */
  #drop(group: Group): void {
    this.#streams.remove(group)
    this.#counts.heldEvents -= group.texts.length
    group.receipts.tell(true)
    this.#changed = true
  }

  /** Sends on a group that nothing completed: to timeout_label, or as an error. */
  #giveOut(group: Group, why: string): void {
    this.#release(group)
    const encoder = new Encoder(group.heldBytes + 64)
    const { first, firstRecordAt } = group
    const own = this.#params.useFirstTimestamp || this.#stopped
    if (own) encoder.raw(first, 0, firstRecordAt)
    else {
      const now = currentTime(this.#context.host.clock)
      encoder.entry(new EventTime(now.seconds, now.nanoseconds))
    }
    writeJoined(encoder, {
      first: { packed: first, recordAt: firstRecordAt },
      last: undefined,
      key: this.#keyName,
      text: this.#joined(group),
      without: none,
      fromLast: none,
    })
    this.#limiter.run({ tag: group.tag }, (fields) => this.#context.log.info(why, fields))
    const batch = { tag: group.tag, packed: encoder.bytes, count: 1 }
    const failed = (error: unknown) => this.#context.emitError(batch, error as Error)
    if (this.#timeoutRoute === undefined) {
      group.receipts.tell(true)
      failed(new TimeoutError(`${why}: ${group.identity.slice(0, 200)}`))
      return
    }
    try {
      const taken = group.receipts.emit(this.#timeoutRoute, batch)
      if (taken === undefined) this.#counts.passedEvents++
      else this.#await(taken, failed)
    } catch (error) {
      failed(error)
    }
  }

  /** Until the label's outputs have it, the event counts as held. */
  #await(taken: Promise<void>, failed: (error: unknown) => void): void {
    this.#counts.heldEvents++
    const settled: Promise<void> = taken
      .then(() => {
        this.#counts.passedEvents++
      }, failed)
      .finally(() => {
        this.#counts.heldEvents--
        this.#pending.delete(settled)
      })
    this.#pending.add(settled)
  }

  #warn(message: string, tag: string): void {
    this.#limiter.run({ tag }, (fields) => this.#context.log.warn(message, fields))
  }
}

const none: ReadonlySet<string> = new Set()

/** Fields that the rules look at. */
function fieldsOf(rules: Rules): string[] {
  if (rules.kind === 'partial') return [rules.key]
  if (rules.kind === 'cri') return [rules.logtagKey]
  return rules.kind === 'metadata' ? Object.values(rules.fields) : []
}

function removedBy(params: ConcatParams, rules: Rules): string[] {
  if (rules.kind === 'partial') return params.keepPartialKey ? [] : [rules.key]
  if (rules.kind === 'cri') {
    return params.keepPartialKey ? [rules.streamKey] : [rules.logtagKey, rules.streamKey]
  }
  if (rules.kind !== 'metadata' || params.keepPartialMetadata) return []
  const { message, id, ordinal, last } = rules.fields
  return [message, id, ordinal, last]
}

function decidedByLast(rules: Rules): string[] {
  if (rules.kind === 'partial') return [rules.key]
  return rules.kind === 'cri' ? [rules.logtagKey] : []
}

function ownIdentity(rules: Rules): string | undefined {
  return rules.kind === 'cri' ? rules.streamKey : undefined
}

import type { PluginContext } from '../../config/define.ts'
import type { Batch } from '../../core/batch.ts'
import type { Output } from '../../core/output.ts'
import type { Receipt } from '../../core/receipt.ts'
import { Encoder } from '../../msgpack/encode.ts'
import { eachEntry, type FieldKey, fieldKey, findField, textAt } from '../../msgpack/entries.ts'
import { Encoders } from '../../records/encoders.ts'
import { keyName, textBytes, writeJoined } from '../../records/join.ts'
import { type Stream, Streams } from '../../records/streams.ts'
import { HeldReceipts } from '../../routing/slip.ts'
import { packedText } from '../../text/packed-text.ts'
import { Detector } from './detector.ts'
import { type Rule, type State, startState } from './languages.ts'

interface Params {
  readonly removeTagPrefix: string
  readonly message: string
  readonly multilineFlushInterval: number | undefined
  readonly forceLineBreaks: boolean
  readonly maxLines: number
  readonly maxBytes: number
  readonly stream: string
  readonly streamLimitSize: number
  readonly totalLimitSize: number
}

/** Lines of a trace that is not at its end. */
interface Trace extends Stream {
  readonly tag: string
  readonly field: FieldKey
  /** The first line's entry, and where its record begins in it. */
  readonly first: Uint8Array
  readonly firstRecordAt: number
  readonly lines: Uint8Array[]
  readonly receipts: HeldReceipts
  chars: number
  state: State
}

interface Event {
  readonly packed: Uint8Array
  readonly start: number
  readonly timeEnd: number
  readonly end: number
  readonly receipt: Receipt | undefined
}

const lineFeed = Uint8Array.of(0x0a)
const standardFields = ['message', 'log'].map(fieldKey)
const none: ReadonlySet<string> = new Set()

export class DetectExceptionsOutput implements Output {
  readonly #params: Params
  readonly #context: PluginContext
  readonly #detector: Detector
  readonly #fields: readonly FieldKey[]
  readonly #streamKey: FieldKey | undefined
  readonly #traces: Streams<Trace>
  readonly #encoders = new Encoders()
  readonly #pending = new Set<Promise<void>>()
  #held = 0
  #joined = 0
  #stopped = false

  constructor(params: Params, rules: readonly Rule[], context: PluginContext) {
    this.#params = params
    this.#context = context
    this.#detector = new Detector(rules)
    this.#fields = params.message === '' ? standardFields : [fieldKey(params.message)]
    this.#streamKey = params.stream === '' ? undefined : fieldKey(params.stream)
    this.#traces = new Streams({
      clock: context.host.clock,
      silenceMs: (params.multilineFlushInterval ?? 0) * 1000,
      fromFirst: true,
      limitBytes: params.totalLimitSize,
      due: (trace) => this.#giveOut(trace),
    })
  }

  emit(batch: Batch): void | Promise<void> {
    return this.#encoders.with((encoder) => {
      const { tag, packed, receipt } = batch
      let count = 0
      eachEntry(packed, (start, timeEnd, end) => {
        count += this.#event(encoder, tag, { packed, start, timeEnd, end, receipt })
      })
      if (count === 0) return undefined
      return this.#context.router.emit({
        tag: this.#newTag(tag),
        packed: encoder.bytes,
        count,
        receipt,
      })
    })
  }

  async start(): Promise<void> {
    const { host, id: plugin_id, type } = this.#context
    const labels = { plugin_id, type }
    host.metrics.observableGauge(
      {
        name: 'sluice_output_held_events',
        help: 'Events that wait inside an output for others to come.',
        labels,
      },
      () => this.#held,
    )
    host.metrics.observableCounter(
      {
        name: 'sluice_output_joined_events_total',
        help: 'Events that an output made a part of others.',
        labels,
      },
      () => this.#joined,
    )
  }

  async stop(_deadline: AbortSignal): Promise<void> {
    this.#stopped = true
    for (const trace of this.#traces.end()) this.#giveOut(trace)
    await Promise.allSettled(this.#pending)
  }

  #newTag(tag: string): string {
    const prefix = `${this.#params.removeTagPrefix}.`
    return tag.startsWith(prefix) ? tag.slice(prefix.length) : tag
  }

  /** Returns how many events it wrote. */
  #event(encoder: Encoder, tag: string, event: Event): number {
    const { packed, timeEnd } = event
    const identity = this.#identity(tag, event)
    let trace = this.#traces.get(identity)
    let written = 0
    const field = trace?.field ?? this.#fieldOf(event)
    const at = field === undefined ? -1 : findField(packed, timeEnd, field)
    const line = at < 0 ? undefined : textAt(packed, at)
    const finish = () => {
      if (trace === undefined) return
      this.#release(trace)
      trace.receipts.goWith(event.receipt)
      this.#write(encoder, trace)
      trace = undefined
      written++
    }
    if (trace !== undefined && line !== undefined && this.#isFull(trace, line)) finish()
    const { kind, state } =
      line === undefined || this.#stopped
        ? ({ kind: 'none', state: startState } as const)
        : this.#detector.look(trace?.state ?? startState, line)
    if (kind === 'starts') finish()
    if (kind === 'none' || (kind === 'ends' && trace === undefined)) {
      finish()
      encoder.raw(packed, event.start, event.end)
      return written + 1
    }
    trace = this.#add(trace ?? this.#begin(identity, tag, field as FieldKey, event), event, at)
    trace.state = state
    if (kind === 'ends' || trace.lines.length === this.#params.maxLines) finish()
    return written
  }

  #identity(tag: string, { packed, timeEnd }: Event): string {
    if (this.#streamKey === undefined) return tag
    return `${tag}\u0000${packedText(packed, findField(packed, timeEnd, this.#streamKey))}`
  }

  #fieldOf({ packed, timeEnd }: Event): FieldKey | undefined {
    return this.#fields.find((field) => findField(packed, timeEnd, field) >= 0)
  }

  #isFull(trace: Trace, line: string): boolean {
    const { maxBytes, streamLimitSize } = this.#params
    if (maxBytes > 0 && trace.chars + line.length > maxBytes) return true
    return trace.heldBytes + line.length > streamLimitSize
  }

  #begin(identity: string, tag: string, field: FieldKey, event: Event): Trace {
    return {
      identity,
      tag,
      field,
      // Not slice: of a Buffer that is a view.
      first: new Uint8Array(event.packed.subarray(event.start, event.end)),
      firstRecordAt: event.timeEnd - event.start,
      lines: [],
      receipts: new HeldReceipts(),
      chars: 0,
      state: startState,
      heldBytes: 0,
      touchedMs: 0,
    }
  }

  /** With a line end in front where lines are to be broken and it has none of its own. */
  #add(trace: Trace, { packed, receipt }: Event, at: number): Trace {
    const text = textBytes(packed, at)
    const breaks = this.#params.forceLineBreaks && trace.lines.length > 0 && !text.includes(0x0a)
    const line = breaks ? Buffer.concat([lineFeed, text]) : new Uint8Array(text)
    const isFirst = trace.lines.length === 0
    trace.lines.push(line)
    trace.chars += line.length
    this.#held++
    trace.receipts.add(receipt)
    this.#traces.charge(trace, line.length + (isFirst ? trace.first.length : 64))
    return trace
  }

  /** It is held no longer, and is one event. */
  #release(trace: Trace): void {
    this.#traces.remove(trace)
    this.#held -= trace.lines.length
    this.#joined += trace.lines.length - 1
  }

  #write(encoder: Encoder, { first, firstRecordAt, field, lines }: Trace): void {
    if (lines.length === 1) {
      encoder.raw(first)
      return
    }
    encoder.raw(first, 0, firstRecordAt)
    writeJoined(encoder, {
      first: { packed: first, recordAt: firstRecordAt },
      last: undefined,
      key: keyName(field.name),
      text: Buffer.concat(lines),
      without: none,
      fromLast: none,
    })
  }

  /** Sends on a trace that did not end. */
  #giveOut(trace: Trace): void {
    this.#release(trace)
    const encoder = new Encoder(trace.heldBytes + 64)
    this.#write(encoder, trace)
    const batch = { tag: this.#newTag(trace.tag), packed: encoder.bytes, count: 1 }
    const failed = (error: unknown) => this.#context.emitError(batch, error as Error)
    try {
      const taken = trace.receipts.emit(this.#context.router, batch)
      if (taken === undefined) return
      const settled: Promise<void> = taken.catch(failed).finally(() => {
        this.#pending.delete(settled)
      })
      this.#pending.add(settled)
    } catch (error) {
      failed(error)
    }
  }
}

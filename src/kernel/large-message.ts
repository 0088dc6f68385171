import { isMap, skipValue } from '../msgpack/walk.ts'
import { type Engine, field, found, type Rules } from './engine.ts'
import type { MessageEnd } from './entry-slices.ts'
import { EntrySource } from './entry-source.ts'
import {
  acksOf,
  compressedStep,
  emptyRun,
  fatalOf,
  fillRun,
  identityOf,
  noBytes,
  note,
  tagOf,
} from './steps.ts'
import type { CompressedStep, FatalStep, FramerOptions, NoteStep, RunStep } from './types.ts'

/** What is known at once of a message that is longer than the home engine's input. */
export interface LargeMessage {
  readonly steps: readonly (NoteStep | CompressedStep | FatalStep | RunStep)[]
  /** Its entries, or (of a compressed one) their place, to be walked a window at a time. */
  readonly entries: EntrySource | undefined
}

/** What is kept of a message that will be dropped for its length: enough to name its tag. */
export const droppedHeadBytes = 64 * 1024

/**
 * Takes a whole message apart. What stands around its entries (tag, option) is read by the engine, as a message of its own
 * without entries; of a single record that is beyond its limit nothing else is looked at. undefined: it has to be worked on as one
 * (a single record, a tag that is none, an option of megabytes; one above the limit). `engine` has just walked it with scanFrame; its input is used. `bytes` are kept.
 */
export function takeApart(
  engine: Engine,
  bytes: Uint8Array,
  of: { rules: Rules; options: FramerOptions },
): LargeMessage | undefined {
  const { messageLimitBytes, messageWarnBytes, identify } = of.options
  if (bytes.length > messageLimitBytes) return undefined
  const open = openMessage(engine, bytes, of.rules)
  if (open === undefined) return undefined
  if ('code' in open) return { steps: [open], entries: undefined }
  const { ends, entries, compressed, invalid } = open
  const steps: LargeMessage['steps'][number][] = []
  if (bytes.length > messageWarnBytes) steps.push(note('large', bytes.length, ends.tag))
  if (invalid !== undefined) return { steps: [...steps, invalid], entries: undefined }
  if (compressed !== undefined) {
    // From there on the stream waits for its entries.
    return { steps: [...steps, compressed], entries: new EntrySource(ends) }
  }
  const identity = identify === true ? identityOf(engine, ends.ack, entries) : undefined
  const source = new EntrySource(ends, 0, identity)
  source.add(entries, true)
  return { steps, entries: source }
}

/** The note of a message that was dropped for its length, of which `head` is kept; its tag is empty if it is not all there. */
export function droppedNote(
  engine: Engine,
  head: Uint8Array,
  wireBytes: number,
  rules: Rules,
): NoteStep {
  if (arrayHeadLength(head[0]!) === 0) return note('broken', wireBytes)
  const at = engine.inputAt
  engine.bytes.set(head, at)
  engine.setRules(rules, false)
  engine.exports.scanNext(at, at + head.length, 0, 0, 0)
  return note('too_large', wireBytes, tagOf(engine).slice())
}

interface OpenMessage {
  readonly ends: MessageEnd
  readonly entries: Uint8Array
  readonly compressed?: CompressedStep
  /** Of a record beyond its limit: what comes of the message. */
  readonly invalid?: RunStep
}

function openMessage(
  engine: Engine,
  bytes: Uint8Array,
  rules: Rules,
): OpenMessage | FatalStep | undefined {
  const parts = partsOf(bytes, engine.field(field.frameInnerEnd), rules.recordBytes)
  if (parts === undefined) return undefined
  const { headAt, from, to } = parts
  const rest = bytes.subarray(to)
  const length = headAt + parts.nothing.length + rest.length
  if (length > engine.inputBytes) return undefined
  const at = engine.inputAt
  engine.bytes.set(bytes.subarray(0, headAt), at)
  engine.bytes.set(parts.nothing, at + headAt)
  engine.bytes.set(rest, at + headAt + parts.nothing.length)
  engine.setRules(rules, false)
  const kind = engine.exports.scanNext(at, at + length, 1, 0, 0)
  if (kind === found.fatal) return fatalOf(engine)
  const entries = bytes.subarray(from, to)
  const ends = {
    tag: tagOf(engine).slice(),
    ack: acksOf(engine).slice(),
    wireBytes: bytes.length,
  }
  if (kind === found.compressed) {
    const compressed = { ...compressedStep(engine), payload: entries, wireBytes: bytes.length }
    return { ends, entries, compressed }
  }
  if (kind === found.run) {
    const run = fillRun(emptyRun(), engine)
    const { tag, ack: acks, wireBytes } = ends
    const ackEnds = run.ackEnds?.slice()
    return { ends, entries, invalid: { ...run, tag, acks, packed: noBytes, ackEnds, wireBytes } }
  }
  if (kind !== found.entries || ends.tag.length === 0) return undefined
  return { ends, entries }
}

interface Parts {
  /** Of what is looked at apart: the message's second element, or its record. */
  readonly headAt: number
  /** What is in it. */
  readonly from: number
  readonly to: number
  /** The same element with nothing in it. */
  readonly nothing: Uint8Array
}

const emptyBytes = Uint8Array.of(0xc4, 0)
const emptyArray = Uint8Array.of(0x90)

const noRecord = Uint8Array.of(0xc0)

/** `bytes` hold a whole value, whose first inner array or map ends at `innerEnd`. */
function partsOf(bytes: Uint8Array, innerEnd: number, recordBytes: number): Parts | undefined {
  const tagAt = arrayHeadLength(bytes[0]!)
  if (tagAt === 0) return undefined
  const tag = textAt(bytes, tagAt)
  if (tag === undefined || tag.to >= bytes.length) return undefined
  const headAt = tag.to
  const payload = textAt(bytes, headAt)
  if (payload !== undefined) return { headAt, ...payload, nothing: emptyBytes }
  const arrayHead = arrayHeadLength(bytes[headAt]!)
  if (arrayHead === 0) return largeRecord(bytes, headAt, { innerEnd, recordBytes })
  if (innerEnd < headAt + arrayHead) return undefined
  return { headAt, from: headAt + arrayHead, to: innerEnd, nothing: emptyArray }
}

/** Of Message mode: a record beyond its limit, behind the time. */
function largeRecord(
  bytes: Uint8Array,
  timeAt: number,
  { innerEnd, recordBytes }: { innerEnd: number; recordBytes: number },
): Parts | undefined {
  const from = skipValue(bytes, timeAt)
  if (from >= bytes.length) return undefined
  // What is no record is as long as it is: the first map may be the option then.
  const to = isMap(bytes[from]!) ? innerEnd : textAt(bytes, from)?.to
  if (to === undefined || to - from <= recordBytes) return undefined
  return { headAt: from, from, to, nothing: noRecord }
}

/** 0: no array. */
function arrayHeadLength(head: number): number {
  if ((head & 0xf0) === 0x90) return 1
  return head === 0xdc ? 3 : head === 0xdd ? 5 : 0
}

/** What is in the str or bin at `at`; undefined if there is another value. */
function textAt(bytes: Uint8Array, at: number): { from: number; to: number } | undefined {
  const head = bytes[at]!
  if ((head & 0xe0) === 0xa0) return span(at + 1, head & 31)
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length)
  if (head === 0xd9 || head === 0xc4) return span(at + 2, view.getUint8(at + 1))
  if (head === 0xda || head === 0xc5) return span(at + 3, view.getUint16(at + 1))
  if (head === 0xdb || head === 0xc6) return span(at + 5, view.getUint32(at + 1))
  return undefined
}

function span(from: number, length: number): { from: number; to: number } {
  return { from, to: from + length }
}

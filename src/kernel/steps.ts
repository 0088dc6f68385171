import { type Engine, fault, field } from './engine.ts'
import type { CompressedStep, FatalStep, MessageIdentity, NoteStep, RunStep } from './types.ts'

/** The same, writable: one object a framer, filled anew for each step. */
export type MutableRun = { -readonly [K in keyof RunStep]: RunStep[K] }

export interface Now {
  readonly seconds: number
  readonly nanoseconds: number
}

/** The ids of clients are random, or count up from a start: the events of another message with the same id differ at once. */
const identitySampleBytes = 8 * 1024

export const noBytes = new Uint8Array(0)

export function emptyRun(): MutableRun {
  return {
    kind: 'run',
    tag: noBytes,
    packed: noBytes,
    count: 0,
    invalid: 0,
    acks: noBytes,
    ackCount: 0,
    messages: 0,
    wireBytes: 0,
    partial: false,
    ackEnds: undefined,
    identity: undefined,
  }
}

export function tagOf(engine: Engine): Uint8Array {
  const at = engine.field(field.tagAt)
  return engine.view(at, at + engine.field(field.tagBytes))
}

export function acksOf(engine: Engine): Uint8Array {
  if (engine.field(field.ackCount) === 0) return noBytes
  return engine.view(engine.layout.acks.at, engine.field(field.acksEnd))
}

function ackEndsOf(engine: Engine): Uint32Array | undefined {
  const count = engine.field(field.ackCount)
  if (count === 0) return undefined
  return new Uint32Array(engine.memory.buffer, engine.layout.ackEnds.at, count)
}

/** The run that the engine has found. */
export function fillRun(run: MutableRun, engine: Engine): MutableRun {
  run.tag = tagOf(engine)
  run.packed = engine.view(engine.layout.normalised.at, engine.field(field.packedEnd))
  run.count = engine.field(field.count)
  run.invalid = engine.field(field.invalid)
  run.acks = acksOf(engine)
  run.ackCount = engine.field(field.ackCount)
  run.messages = engine.field(field.messages)
  run.wireBytes = engine.field(field.wireBytes)
  run.partial = false
  run.ackEnds = ackEndsOf(engine)
  run.identity = undefined
  return run
}

/** Tag and ack are copies: they are needed again when the inflated entries come. */
export function compressedStep(engine: Engine): CompressedStep {
  const codecBytes = engine.field(field.codecBytes) | 0
  const codecAt = engine.field(field.codecAt)
  const codec =
    codecBytes < 0
      ? 'not a string'
      : Buffer.from(engine.view(codecAt, codecAt + Math.min(codecBytes, 64))).toString('utf8')
  return {
    kind: 'compressed',
    tag: tagOf(engine).slice(),
    codec,
    payload: engine.view(engine.field(field.payloadAt), engine.field(field.payloadEnd)),
    ack: acksOf(engine).slice(),
    wireBytes: engine.field(field.wireBytes),
  }
}

export function note(code: NoteStep['code'], bytes: number, tag: Uint8Array = noBytes): NoteStep {
  return { kind: 'note', code, bytes, tag }
}

export function fatal(code: FatalStep['code']): FatalStep {
  return { kind: 'fatal', code, message: fatalMessages[code] }
}

/** The step for the engine's fault. Throws if there is none: that would be a mistake of the kernel. */
export function fatalOf(engine: Engine): FatalStep {
  const code = faultCodes[engine.field(field.fault)]
  if (!code) throw new Error(`kernel: stopped with fault ${engine.field(field.fault)}`)
  return fatal(code)
}

const faultCodes: Record<number, FatalStep['code']> = {
  [fault.invalidByte]: 'invalid_byte',
  [fault.unknownExt]: 'unknown_ext',
  [fault.tooDeep]: 'too_deep',
  [fault.tooManyItems]: 'too_many_items',
  [fault.badOption]: 'bad_option',
  [fault.malformedEntries]: 'malformed_entries',
}

const fatalMessages: Record<FatalStep['code'], string> = {
  invalid_byte: 'byte 0xc1, which MessagePack never uses',
  unknown_ext: 'an extension type other than EventTime',
  too_deep: 'arrays and maps nested too deep',
  too_many_items: 'more array elements and map pairs than a message may have',
  bad_option: 'the option is neither a map nor nil',
  malformed_entries: 'byte 0xc1 among the packed entries',
  message_too_long: 'an unfinished message is longer than what is kept of one',
}

/** An identity of all of the entries' bytes, or of the beginning and end of very many. */
export function identityOf(
  engine: Engine,
  ack: Uint8Array,
  entries: Uint8Array,
): MessageIdentity | undefined {
  if (ack.length === 0) return undefined
  const bytes = entries.length
  if (bytes <= 2 * identitySampleBytes) return { ack, bytes, crc: engine.crc32(entries) }
  const head = engine.crc32(entries.subarray(0, identitySampleBytes))
  return { ack, bytes, crc: engine.crc32(entries.subarray(bytes - identitySampleBytes), head) }
}

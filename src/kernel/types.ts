import type { Batch } from '../core/batch.ts'
import type { PieceConsumer } from '../core/formatter.ts'
import type { EventTime, MsgValue } from '../core/value.ts'
import type { FieldKey } from '../msgpack/entries.ts'

/**
 * The kernel's typed face. Inside is one WebAssembly instance with a memory of fixed size (nothing moves, nothing
 * grows: sockets read straight into it); everything here runs on one thread, synchronously.
 *
 * Regions of its memory: tables, room in front of the read area for an unfinished message's head, the read area, normalised
 * entries, formatter input, formatter output. What does not fit (a message of many megabytes) is worked on by a second,
 * larger kernel made for it and let go afterwards.
 */
export interface Kernel {
  /** 256 KiB of kernel memory that sockets may read into (ListenOptions.readArea). */
  readonly readArea: Uint8Array
  createFramer(options: FramerOptions): Framer
  /** Formats straight from the packed bytes. See FormatSpec. The program is compiled once a formatter. */
  compileFormat(spec: FormatSpec): FormatProgram
  format(
    program: FormatProgram,
    batch: Batch,
    maxPieceBytes: number,
    piece: PieceConsumer,
  ): FormatCounts
  /** CRC-32 as gzip has it, of bytes whose CRC is `crc` (0: there are none) followed by these: fast where they lie in kernel memory. */
  crc32(bytes: Uint8Array, crc: number): number
  /**
   * Cuts entries where the time slice changes: calls `run` for consecutive entries of one slice, in order.
   * `slice` is floor((seconds + offsetSeconds) / widthSeconds) * widthSeconds - offsetSeconds.
   * `packed` handed on is a view of the batch's.
   */
  sliceByTime(
    batch: Batch,
    options: { widthSeconds: number; offsetSeconds: number },
    run: (sliceSeconds: number, packed: Uint8Array, count: number) => void,
  ): void
  /**
   * Makes entries of JSON objects. `timeKey`: the key whose value is the time; it is left out of the record unless
   * `keepTimeKey`. `lenient`: as JsonOptions has it.
   */
  createJsonPacker(options: {
    readonly timeKey: string | undefined
    readonly keepTimeKey: boolean
    readonly lenient: boolean
  }): JsonPacker
  /** For a look at some fields of many entries. undefined: they are too many, or too long. */
  createFieldFinder(keys: readonly FieldKey[]): FieldFinder | undefined
}

/** `find`, then any of the rest about its rows, before anything else of the kernel is called. */
export interface FieldFinder {
  /**
   * Looks at entries of `packed` from the one at `at` on: as many as it is good for. Returns how many, each of which is a row,
   * from 0 on; 0: not done here (the entry is too long, or is none).
   */
  find(packed: Uint8Array, at: number): number
  /** Where the row's entry ends. */
  end(row: number): number
  /** Where the value of a key (by its number) stands; -1: there is none. Not for values of which `text` is known. */
  at(row: number, key: number): number
  /** The value if it is a str of ASCII alone. */
  text(row: number, key: number): string | undefined
}

/** One text after the other: `pack`, then `time`, then `entry`, with nothing in between. */
export interface JsonPacker {
  /**
   * Packs an object as text/json.ts and msgpack/encode.ts do. false: not done here, as it is no object, no JSON, or has something rare
   * (a key twice, bytes that are not UTF-8, numbers of many digits, half a surrogate pair, more than 64 KiB ...).
   */
  pack(text: Buffer, start: number, end: number): boolean
  /** What the time key holds; undefined: there is none. */
  time(): MsgValue | undefined
  /** The entry, borrowed until the next `pack` of anyone. undefined: the time does not fit. */
  entry(time: EventTime): Uint8Array | undefined
}

// ---- framing: bytes of a connection → messages → runs of normalised entries

export interface FramerOptions {
  /** Fluentd's skip_invalid_event. */
  readonly skipInvalidEvent: boolean
  /** chunk_size_limit, of the message's own bytes; Infinity: none. A longer message is a `tooLarge` step. */
  readonly messageLimitBytes: number
  readonly messageWarnBytes: number
  /** Bytes of an unfinished message that are kept; beyond: a `fatal` step with code `message_too_long`. */
  readonly unfinishedLimitBytes: number
  /** Items (array elements, map pairs) one message may declare in all. */
  readonly itemLimit: number
  readonly depthLimit: number
  /** Keys and elements of arrays that a record may have in all; undefined: any number. One with more is an invalid event. */
  readonly keyLimit?: number
  /** Bytes a record may have; undefined: any number. One with more is an invalid event. */
  readonly recordLimitBytes?: number
  /** Whether RunStep.identity is wanted: a walk over the entries' bytes for each message with an ack. */
  readonly identify?: boolean
}

/**
 * One connection's place in the stream. Linear in the bytes received, however they are cut. Feed, then take steps until
 * `undefined`; a step and all it refers to is valid until the next call of anything on this kernel.
 */
export interface Framer {
  /** `bytes`: a view of the start of readArea (no copy), or any others (copied in). Only when the last feed's steps were all taken. */
  feed(bytes: Uint8Array): void
  /**
   * Inflated entries of a compressed message: steps with tag and ack of that message follow. In as many
   * calls as there are pieces; `last` with the final one. The run step that carries the ack comes last. A malformed
   * byte is a `fatal` step (nothing of this piece and of those after it is emitted).
   * `bytes` are borrowed until the steps are taken; up to the read area's size, until the first `next`.
   */
  feedEntries(bytes: Uint8Array, of: CompressedStep, last: boolean): void
  /**
   * Inflates the payload (gzip) of the compressed step that was just taken, in the kernel's own memory, and checks all
   * of it; its steps follow, as after feedEntries. If not 'done', nothing has changed. An empty payload is none.
   * Output is bounded by `limitBytes`, and by the kernel's room.
   */
  gunzip(of: CompressedStep, limitBytes: number): GunzipVerdict
  /** Undefined: more bytes are wanted (the unfinished rest is kept by the framer). The object is reused. */
  next(now: { seconds: number; nanoseconds: number }): Step | undefined
  /**
   * Before something else happens on this kernel while steps are still to be taken (the consumer pushes back, an
   * inflation is under way): keeps the rest of the fed bytes as a copy.
   */
  hold(): void
  /** Bytes of the unfinished message kept here; 0 between messages. */
  readonly unfinishedBytes: number
}

/** large: too large to be inflated here. over_limit: more than `limitBytes` come out. */
export type GunzipVerdict = 'done' | 'large' | 'over_limit' | GunzipFault
export type GunzipFault =
  | 'truncated'
  | 'bad_header' // or what follows the last member is none
  | 'bad_block' // its type, length, or code
  | 'bad_code' // bits that stand for nothing
  | 'bad_distance' // a match that begins before the output
  | 'bad_check' // CRC-32 or length

export type Step = RunStep | CompressedStep | NoteStep | FatalStep

/** Events to emit: consecutive messages of one tag, or a part of one message. */
export interface RunStep {
  readonly kind: 'run'
  /** The tag's bytes as sent: not checked for UTF-8, control characters or length. */
  readonly tag: Uint8Array
  readonly packed: Uint8Array
  readonly count: number
  /** Entries left out (float time, record that is no map, …). A message of which nothing is left is a run with count 0. */
  readonly invalid: number
  /** `{"ack": chunk}` maps, packed end to end, of the messages that END in this run; empty if none asked. */
  readonly acks: Uint8Array
  readonly ackCount: number
  /** Messages that end in this run. */
  readonly messages: number
  /** Bytes on the wire of the messages that end in this run. */
  readonly wireBytes: number
  /** true: the message goes on in the next run (only of this kernel's slicing of a large one). */
  readonly partial: boolean
  /**
   * Of a run of Message mode with acks (all of its messages have one then): where each message's entry ends in `packed`,
   * in the order of the acks; the next one's begins there. An invalid message has an entry of no bytes.
   */
  readonly ackEnds?: Uint32Array | undefined
  /** On the first run of a Forward or Packed message with an ack, if FramerOptions.identify is set. */
  readonly identity?: MessageIdentity | undefined
}

/** By which the same message is known when it comes again. */
export interface MessageIdentity {
  /** Its `{"ack": chunk}` map. */
  readonly ack: Uint8Array
  /** Of its entries' bytes as they came: how many, and their CRC-32. */
  readonly bytes: number
  readonly crc: number
}

export interface CompressedStep {
  readonly kind: 'compressed'
  readonly tag: Uint8Array
  /** option.compressed as text: 'gzip', 'zstd', or what stands there ('text' and nil never come here). */
  readonly codec: string
  readonly payload: Uint8Array
  readonly ack: Uint8Array
  readonly wireBytes: number
}

export interface NoteStep {
  readonly kind: 'note'
  /**
   * broken: a value that is no message (Fluentd: "incoming chunk is broken"); the connection goes on.
   * too_large: over messageLimitBytes, dropped, not acked. large: over messageWarnBytes (the run follows).
   * heartbeat: nil.
   */
  readonly code: 'broken' | 'too_large' | 'large' | 'heartbeat'
  readonly bytes: number
  /** Of a message with a tag: its bytes. */
  readonly tag: Uint8Array
}

/**
 * The connection cannot go on: close it with a reset. Nothing of the message concerned was emitted, unless its entries came in
 * several runs (a large or compressed one).
 */
export interface FatalStep {
  readonly kind: 'fatal'
  readonly code:
    | 'invalid_byte' // 0xc1
    | 'unknown_ext'
    | 'too_deep'
    | 'too_many_items'
    | 'bad_option' // neither map nor nil
    | 'malformed_entries' // inside a packed payload
    | 'message_too_long'
  readonly message: string
}

// ---- formatting

export interface FormatSpec {
  /** What stands before and after the record. */
  readonly layout:
    | { readonly kind: 'record' } // json: only the record
    /** out_file: time, tag, record; delimiter between them (default TAB); each may be left out. */
    | {
        readonly kind: 'out_file'
        readonly delimiter: string
        readonly outputTime: boolean
        readonly outputTag: boolean
        readonly time: TimeFormat
      }
    /** stdout: `TIME TAG: record`. */
    | { readonly kind: 'stdout'; readonly time: TimeFormat }
  /** '\n', '\r\n' or ''. */
  readonly newline: string
  /** How floats and the like are written: Oj (Fluentd's image) or yajl/json. */
  readonly jsonParser: 'oj' | 'yajl'
}

/** How times are written. */
export type TimeFormat =
  | { readonly kind: 'strftime'; readonly format: string; readonly zone: Zone }
  | { readonly kind: 'unixtime' } // integer seconds
  | { readonly kind: 'float' } // seconds.fraction
  | { readonly kind: 'unixtime_millis' }
  | { readonly kind: 'unixtime_micros' }
  | { readonly kind: 'unixtime_nanos' }

/** Seconds east of UTC at a moment. */
export type Zone = (epochSeconds: number) => ZoneOffset

/** The same offset holds in [from, until). `name` is what %Z writes ('JST'); '' or none if nobody knows it. */
export interface ZoneOffset {
  readonly offsetSeconds: number
  readonly from: number
  readonly until: number
  readonly name?: string
}

export interface FormatProgram {
  readonly spec: FormatSpec
}

/** What was not plain: NaN and Infinity written as null, bytes that are not UTF-8 replaced by U+FFFD. */
export interface FormatCounts {
  readonly notFinite: number
  readonly notUtf8: number
}

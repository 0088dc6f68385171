import * as zlib from 'node:zlib'
import { createLayout, type Layout } from './layout.ts'
import type { FramerOptions } from './types.ts'

/** What the scanner's and the inflater's assembly exports. Places are addresses in memory; 0 stands for none. */
interface ScanExports {
  scanInit(): void
  scanRegions(acks: number, ackEnds: number, out: number, outLimit: number): void
  scanRules(
    items: number,
    levels: number,
    keys: number,
    recordBytes: number,
    skip: number,
    messageBytes: number,
    warnBytes: number,
  ): void
  scanNext(at: number, end: number, warned: number, seconds: number, nanoseconds: number): number
  scanEntries(at: number, end: number): number
  scanRewrite(
    at: number,
    end: number,
    out: number,
    outLimit: number,
    seconds: number,
    nanoseconds: number,
  ): number
  scanFrameStart(items: number, levels: number): void
  scanFrameStartInside(items: number, levels: number, entries: number, elements: number): void
  scanFrame(at: number, end: number, before: number): number
  scanSlice(at: number, end: number, width: number, offset: number): number
  gunzipInit(): void
  crc32(at: number, end: number, crc: number): number
  gunzip(at: number, end: number, out: number, outEnd: number): number
}

/** What scanNext found (scan-message.ts). */
export const found = {
  end: 0,
  incomplete: 1,
  fatal: 2,
  heartbeat: 3,
  broken: 4,
  tooLarge: 5,
  large: 6,
  run: 7,
  entries: 8,
  compressed: 9,
} as const

/** Fields of the result, in units of 4 bytes (scan-walk.ts, scan-entries.ts, scan-message.ts). */
export const field = {
  fault: 0,
  next: 2,
  tagAt: 3,
  tagBytes: 4,
  packedEnd: 6,
  count: 7,
  invalid: 8,
  acksEnd: 9,
  ackCount: 10,
  messages: 11,
  wireBytes: 12,
  slices: 13,
  payloadAt: 14,
  payloadEnd: 15,
  codecAt: 16,
  codecBytes: 17,
  entriesEnd: 20,
  entriesBudget: 23,
  entriesLeft: 30,
  elementsLeft: 31,
  frameNeed: 512,
  frameInnerEnd: 522,
  sliceTable: 2048,
} as const

/** In units of 8 bytes. */
const sliceSecondsField = 16

/** Values of `field.fault`. */
export const fault = {
  none: 0,
  truncated: 1,
  invalidByte: 2,
  unknownExt: 3,
  tooDeep: 4,
  tooManyItems: 5,
  badOption: 6,
  malformedEntries: 7,
} as const

/** A no that scanNext leaves in `elementsLeft`. */
export const notInside = 0xffff_ffff

export const u32Max = 0xffff_ffff

/** What holds for one connection's messages, within what the kernel's tables have room for. */
export interface Rules {
  readonly skipInvalid: boolean
  readonly levels: number
  readonly items: number
  readonly keys: number
  readonly recordBytes: number
  readonly messageBytes: number
  readonly warnBytes: number
}

export function rulesOf(options: FramerOptions): Rules {
  return {
    skipInvalid: options.skipInvalidEvent,
    levels: Math.min(Math.max(options.depthLimit, 3), 64),
    items: Math.min(options.itemLimit, 2 ** 30),
    keys: Math.min(options.keyLimit ?? u32Max, u32Max),
    recordBytes: Math.min(options.recordLimitBytes ?? u32Max, u32Max),
    messageBytes: Math.min(options.messageLimitBytes, u32Max),
    warnBytes: Math.min(options.messageWarnBytes, u32Max),
  }
}

const frameOffset = 2048
const frameBytes = 512

/** One WebAssembly instance as the scanner uses it: its regions, its result, its exports. */
export class Engine {
  readonly layout: Layout
  readonly memory: WebAssembly.Memory
  /** All of the memory. */
  readonly bytes: Uint8Array
  readonly result: Uint32Array
  readonly exports: ScanExports
  /** Where a message that is worked on alone is put, and how long it may be. */
  readonly inputAt: number
  readonly inputBytes: number
  readonly #doubles: Float64Array
  readonly #inflated: Uint32Array
  readonly #frame: Uint8Array

  constructor(instance: WebAssembly.Instance, memory: WebAssembly.Memory, layout: Layout) {
    this.layout = layout
    this.memory = memory
    this.bytes = new Uint8Array(memory.buffer)
    const tables = layout.scanTables
    this.result = new Uint32Array(memory.buffer, tables.at, tables.bytes >>> 2)
    this.#doubles = new Float64Array(memory.buffer, tables.at, 32)
    this.#frame = new Uint8Array(memory.buffer, tables.at + frameOffset, frameBytes)
    this.exports = instance.exports as unknown as ScanExports
    this.#inflated = new Uint32Array(memory.buffer, layout.inflateTables.at, 1)
    this.inputAt = layout.headroom.at
    this.inputBytes = layout.headroom.bytes + layout.readArea.bytes
    const { acks, ackEnds, normalised } = layout
    this.exports.scanInit()
    this.exports.gunzipInit()
    this.exports.scanRegions(acks.at, ackEnds.at, normalised.at, normalised.at + normalised.bytes)
  }

  /** For the next scans, until they are set again: an engine serves many connections. `sizes`: of messages; false: any. */
  setRules(rules: Rules, sizes: boolean): void {
    this.exports.scanRules(
      rules.items,
      rules.levels,
      rules.keys,
      rules.recordBytes,
      rules.skipInvalid ? 1 : 0,
      sizes ? rules.messageBytes : u32Max,
      sizes ? rules.warnBytes : u32Max,
    )
  }

  /** Past what `gunzip` has inflated. */
  get inflatedEnd(): number {
    return this.#inflated[0]!
  }

  field(index: number): number {
    return this.result[index]!
  }

  sliceSeconds(): number {
    return this.#doubles[sliceSecondsField]!
  }

  view(at: number, end: number): Uint8Array {
    return this.bytes.subarray(at, end)
  }

  /** CRC-32 of bytes wherever they lie, which follow others whose CRC is `crc`. */
  crc32(bytes: Uint8Array, crc = 0): number {
    if (bytes.buffer !== this.memory.buffer || bytes.length < crcFromBytes) {
      return zlib.crc32(bytes, crc)
    }
    const at = bytes.byteOffset
    return this.exports.crc32(at, at + bytes.length, crc) >>> 0
  }

  saveFrame(into: Uint8Array | undefined): Uint8Array {
    const saved = into ?? new Uint8Array(frameBytes)
    saved.set(this.#frame)
    return saved
  }

  restoreFrame(saved: Uint8Array): void {
    this.#frame.set(saved)
  }
}

/** Of less than this, zlib is as fast. */
const crcFromBytes = 16 * 1024

/** Makes an engine of the layout given. */
export type MakeEngine = (layout: Layout) => Engine

/**
 * Larger engines for messages that do not fit. One is kept for the next such message, unless it is very large: memory of
 * an instance cannot be given back but with the instance.
 */
export class EnginePool {
  readonly #make: MakeEngine
  #spare: Engine | undefined

  constructor(make: MakeEngine) {
    this.#make = make
  }

  /** An engine whose input takes `bytes`; it belongs to the caller until `release`. */
  take(bytes: number): Engine {
    const spare = this.#spare
    if (spare && spare.inputBytes >= bytes) {
      this.#spare = undefined
      return spare
    }
    const bodyBytes = 2 ** Math.ceil(Math.log2(Math.max(bytes, smallestLargeBytes)))
    return this.#make(
      createLayout({ bodyBytes, inflatedBytes: 0, formatInputBytes: 0, formatOutputBytes: 0 }),
    )
  }

  release(engine: Engine): void {
    const larger = engine.inputBytes > (this.#spare?.inputBytes ?? 0)
    if (larger && engine.layout.readArea.bytes <= largestSpareBytes) this.#spare = engine
  }
}

/** What an engine can be made for at most: its input, acks and rewritten entries share 4 GiB. */
export const largestMessageBytes = 1024 * 1024 * 1024

const smallestLargeBytes = 2 * 1024 * 1024
const largestSpareBytes = 16 * 1024 * 1024

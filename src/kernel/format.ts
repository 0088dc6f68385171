import type { Batch } from '../core/batch.ts'
import type { PieceConsumer } from '../core/formatter.ts'
import { rubyFloat } from '../text/ruby-text.ts'
import { compileStrftime, type TimeStep } from '../time/strftime.ts'
import { encodeProgram, table, writeConstants } from './format-program.ts'
import {
  type Counts,
  formatEntry,
  middleOf,
  noCounts,
  plus,
  timeFormatOf,
} from './format-reference.ts'
import { createLayout, type Layout, pageBytes } from './layout.ts'
import type { FormatCounts, FormatProgram, FormatSpec, Kernel, Zone } from './types.ts'

/** What the kernel's formatter imports (module `env`). */
export function formatImports(memory: WebAssembly.Memory): {
  formatFloat(value: number, at: number): number
} {
  const bytes = new Uint8Array(memory.buffer)
  return {
    formatFloat(value, at) {
      const size = Math.abs(value)
      // Most floats: JavaScript writes them as Ruby does, and quicker.
      const alike = size >= 1e-4 && size < 1e16 && !Number.isInteger(value)
      const text = alike ? String(value) : rubyFloat(value)
      for (let i = 0; i < text.length; i++) bytes[at + i] = text.charCodeAt(i)
      return text.length
    },
  }
}

/** Why the kernel stopped: assembly/format-state.ts. */
const status = { done: 0, full: 1, cut: 2, slow: 3, zone: 4 } as const

interface Exports {
  formatProgram(tables: number): void
  formatMiddle(bytes: number): void
  formatRun(from: number, to: number, out: number, outEnd: number, pieceEnd: number): number
}

class Program implements FormatProgram {
  readonly spec: FormatSpec
  readonly steps: readonly TimeStep[]
  /** undefined: the kernel cannot do it. */
  readonly bytes: Uint8Array | undefined
  readonly zone: Zone | undefined

  constructor(spec: FormatSpec) {
    const time = timeFormatOf(spec)
    this.spec = spec
    this.steps = time?.kind === 'strftime' ? compileStrftime(time.format) : []
    this.zone = time?.kind === 'strftime' ? time.zone : undefined
    this.bytes = encodeProgram(spec, this.steps)
  }
}

/** One call of `format`: the batch, where it goes, and what was counted. */
interface Job {
  readonly program: Program
  readonly packed: Uint8Array
  readonly middle: string
  readonly maxPieceBytes: number
  readonly piece: PieceConsumer
  readonly counts: Counts
}

/** An instance made with `formatImports`, and its memory. */
interface Place {
  readonly instance: WebAssembly.Instance
  readonly memory: WebAssembly.Memory
  readonly layout: Layout
}

/** The kernel's formatting half. `make` makes larger places for events that this one has no room for. */
export function createFormat(
  place: Place,
  make: (layout: Layout) => Place,
): Pick<Kernel, 'compileFormat' | 'format'> {
  const formatting = new Formatting(place, make)
  return {
    compileFormat: (spec) => new Program(spec),
    format: (program, batch, maxPieceBytes, piece) =>
      formatting.format(program as Program, batch, maxPieceBytes, piece),
  }
}

/** How much larger the next place is that is tried for a large event. */
const largerBy = 8
/** JSON has up to six bytes for one of MessagePack: a control character is \u0000. */
const grownBy = 6
/** A larger place whose input has more is not kept. */
const keptInputBytes = 4 * 1024 * 1024
/** Input and output share 4 GiB. */
const largestInputBytes = 512 * 1024 * 1024

class Formatting {
  readonly #make: (layout: Layout) => Place
  #larger: Formatting | undefined
  readonly #exports: Exports
  readonly #buffer: ArrayBuffer
  readonly #tables: DataView
  readonly #tableBytes: Buffer
  readonly #input: Uint8Array
  readonly #output: Uint8Array
  #program: Program | undefined
  #tag: string | undefined
  #middle = ''
  /** The middle is longer than the kernel's room for it. */
  #middleTooLong = false
  /** A piece is with its consumer, which must not format: the output is still in use. */
  #busy = false

  constructor({ instance, memory, layout }: Place, make: (layout: Layout) => Place) {
    const { formatTables, formatInput, formatOutput } = layout
    this.#make = make
    this.#exports = instance.exports as unknown as Exports
    this.#buffer = memory.buffer
    this.#tables = new DataView(memory.buffer, formatTables.at, formatTables.bytes)
    this.#tableBytes = Buffer.from(memory.buffer, formatTables.at, formatTables.bytes)
    this.#input = new Uint8Array(memory.buffer, formatInput.at, formatInput.bytes)
    this.#output = new Uint8Array(memory.buffer, formatOutput.at, formatOutput.bytes)
    writeConstants(this.#tableBytes)
  }

  format(
    program: Program,
    batch: Pick<Batch, 'tag' | 'packed'>,
    maxPieceBytes: number,
    piece: PieceConsumer,
  ): FormatCounts {
    if (this.#busy) throw new Error('bug: a consumer of formatted bytes formats')
    this.#load(program, batch.tag)
    const { packed } = batch
    const middle = this.#middle
    const job: Job = { program, packed, middle, maxPieceBytes, piece, counts: noCounts() }
    this.#busy = true
    try {
      if (program.bytes === undefined || this.#middleTooLong) this.#formatSlowly(job)
      else if (packed.buffer === this.#buffer) this.#formatInPlace(job)
      else this.#formatCopies(job)
    } finally {
      this.#busy = false
    }
    return job.counts
  }

  /** Puts program and tag where the kernel finds them, unless they are there. */
  #load(program: Program, tag: string): void {
    const another = this.#program !== program
    if (!another && this.#tag === tag) return
    this.#program = program
    this.#tag = tag
    this.#middle = middleOf(program.spec, tag)
    if (program.bytes === undefined) return
    const bytes = Buffer.byteLength(this.#middle)
    this.#middleTooLong = bytes > table.middleLimit
    if (this.#middleTooLong) return
    this.#tableBytes.write(this.#middle, table.middle)
    if (another) {
      this.#tableBytes.set(program.bytes, table.program)
      this.#tables.setFloat64(table.zoneFrom, Number.NaN, true)
      this.#exports.formatProgram(this.#tableBytes.byteOffset)
    }
    this.#exports.formatMiddle(bytes)
  }

  #formatInPlace(job: Job): void {
    const from = job.packed.byteOffset
    const end = from + job.packed.length
    let at = from
    while (at < end) {
      const state = this.#run(at, end, job)
      at += this.#consumed()
      if (state === status.cut) throw new Error('bug: the entries of a batch end inside an entry')
      if (state === status.slow) at = from + this.#formatOne(job, at - from)
      else if (this.#hasNoRoom(state)) at = from + this.#formatElsewhere(job, at - from)
    }
  }

  /** Through windows of the kernel's input region. */
  #formatCopies(job: Job): void {
    const { packed } = job
    const input = this.#input
    let at = 0
    while (at < packed.length) {
      const bytes = Math.min(input.length, packed.length - at)
      input.set(packed.subarray(at, at + bytes))
      const last = at + bytes === packed.length
      let done = 0
      while (done < bytes) {
        const state = this.#run(input.byteOffset + done, input.byteOffset + bytes, job)
        done += this.#consumed()
        if (state === status.cut) {
          if (last) throw new Error('bug: the entries of a batch end inside an entry')
          if (done > 0) break
        }
        if (state === status.cut || this.#hasNoRoom(state))
          done = this.#formatElsewhere(job, at + done) - at
        else if (state === status.slow) done = this.#formatOne(job, at + done) - at
      }
      at += done
    }
  }

  /** One stretch of the kernel's work, handed on as a piece. */
  #run(from: number, to: number, job: Job): number {
    const out = this.#output.byteOffset
    const outEnd = out + this.#output.length
    const pieceEnd = Math.min(outEnd, out + job.maxPieceBytes)
    const state = this.#exports.formatRun(from, to, out, outEnd, pieceEnd)
    const tables = this.#tables
    const count = tables.getUint32(table.count, true)
    if (count > 0) {
      job.counts.notFinite += tables.getUint32(table.notFinite, true)
      job.counts.notUtf8 += tables.getUint32(table.notUtf8, true)
      const written = tables.getUint32(table.written, true)
      job.piece(this.#output.subarray(0, written), count)
    }
    if (state === status.zone) this.#answerZone(job.program)
    return state
  }

  #consumed(): number {
    return this.#tables.getUint32(table.consumed, true)
  }

  /** The next event is too large for the output even alone. */
  #hasNoRoom(state: number): boolean {
    return state === status.full && this.#tables.getUint32(table.count, true) === 0
  }

  /** From an event on that is too large here: the rest of the batch, where there is more room. Returns how far it came. */
  #formatElsewhere(job: Job, at: number): number {
    const inputBytes = this.#input.length * largerBy
    if (inputBytes > largestInputBytes) return this.#formatOne(job, at)
    const larger = this.#larger ?? new Formatting(this.#place(inputBytes), this.#make)
    this.#larger = inputBytes > keptInputBytes ? undefined : larger
    const rest = { tag: this.#tag as string, packed: job.packed.subarray(at) }
    plus(job.counts, larger.format(job.program, rest, job.maxPieceBytes, job.piece))
    return job.packed.length
  }

  #place(formatInputBytes: number): Place {
    const formatOutputBytes = formatInputBytes * grownBy + pageBytes
    return this.#make(createLayout({ inflatedBytes: 0, formatInputBytes, formatOutputBytes }))
  }

  #answerZone(program: Program): void {
    const tables = this.#tables
    const seconds = tables.getFloat64(table.zoneAt, true)
    const found = program.zone?.(seconds)
    if (found === undefined) throw new Error('bug: a zone was asked for where there is none')
    const holds = seconds >= found.from && seconds < found.until
    tables.setFloat64(table.zoneFrom, holds ? found.from : seconds, true)
    tables.setFloat64(table.zoneUntil, holds ? found.until : seconds + 1, true)
    tables.setInt32(table.zoneOffset, found.offsetSeconds, true)
    const wanted = program.steps.some((step) => step.kind === 'zone')
    const name = Buffer.from(wanted ? (found.name ?? '') : '').subarray(0, table.zoneNameLimit)
    this.#tableBytes.set(name, table.zoneName)
    tables.setUint32(table.zoneNameBytes, name.length, true)
  }

  /** Formats the entry at an offset of the batch by the reference; returns where it ends. */
  #formatOne(job: Job, at: number): number {
    const counts = noCounts()
    const { bytes, end } = formatEntry(job.program, job.middle, { packed: job.packed, at }, counts)
    plus(job.counts, counts)
    job.piece(bytes, 1)
    return end
  }

  #formatSlowly(job: Job): void {
    const collected: Uint8Array[] = []
    let bytes = 0
    let at = 0
    const hand = (): void => {
      if (collected.length === 0) return
      job.piece(Buffer.concat(collected), collected.length)
      collected.length = 0
      bytes = 0
    }
    while (at < job.packed.length) {
      const entry = { packed: job.packed, at }
      const formatted = formatEntry(job.program, job.middle, entry, job.counts)
      if (bytes + formatted.bytes.length > Math.min(job.maxPieceBytes, this.#output.length)) hand()
      collected.push(formatted.bytes)
      bytes += formatted.bytes.length
      at = formatted.end
    }
    hand()
  }
}

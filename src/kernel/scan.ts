import { type Engine, EnginePool, field, type MakeEngine } from './engine.ts'
import { KernelFramer } from './framer.ts'
import type { Kernel } from './types.ts'

export type ScanPart = Pick<Kernel, 'readArea' | 'createFramer' | 'crc32' | 'sliceByTime'>

/** The scanning half of the kernel. `make` makes larger engines for messages that `engine` has no room for. */
export function createScan(engine: Engine, make: MakeEngine): ScanPart {
  const pool = new EnginePool(make)
  const { readArea } = engine.layout
  return {
    readArea: engine.view(readArea.at, readArea.at + readArea.bytes),
    createFramer: (options) => new KernelFramer(engine, pool, options),
    crc32: (bytes, crc) => engine.crc32(bytes, crc),
    sliceByTime(batch, options, run) {
      const cuts: Cut[] = []
      if (batch.packed.buffer === engine.bytes.buffer) {
        sliceInPlace(engine, batch.packed, options, cuts)
      } else {
        sliceCopied(engine, pool, batch.packed, options, cuts)
      }
      // Only now: what `run` does may use the memory that was walked.
      let start = 0
      for (const cut of cuts) {
        run(cut.seconds, batch.packed.subarray(start, cut.end), cut.count)
        start = cut.end
      }
    },
  }
}

/** Entries of one slice in a row, up to `end`. */
interface Cut {
  seconds: number
  end: number
  count: number
}

interface SliceOptions {
  readonly widthSeconds: number
  readonly offsetSeconds: number
}

/** Adds the slices of the entries in [at, end); `base` is the address of the batch's first byte. Returns where it stopped. */
function addCuts(
  engine: Engine,
  area: { at: number; end: number; base: number },
  options: SliceOptions,
  cuts: Cut[],
): number {
  let at = area.at
  while (at < area.end) {
    const next = engine.exports.scanSlice(at, area.end, options.widthSeconds, options.offsetSeconds)
    if (next === 0) break
    const count = engine.field(field.count)
    const seconds = engine.sliceSeconds()
    const last = cuts.at(-1)
    if (last?.seconds === seconds) {
      last.end = next - area.base
      last.count += count
    } else {
      cuts.push({ seconds, end: next - area.base, count })
    }
    at = next
  }
  return at
}

function sliceInPlace(
  engine: Engine,
  packed: Uint8Array,
  options: SliceOptions,
  cuts: Cut[],
): void {
  const base = packed.byteOffset
  const end = base + packed.length
  if (addCuts(engine, { at: base, end, base }, options, cuts) < end) throw malformed()
}

/** A batch that lies elsewhere is walked as a copy, a window at a time. */
function sliceCopied(
  engine: Engine,
  pool: EnginePool,
  packed: Uint8Array,
  options: SliceOptions,
  cuts: Cut[],
): void {
  const input = engine.layout.formatInput
  let done = 0
  while (done < packed.length) {
    const window = Math.min(packed.length - done, input.bytes)
    engine.bytes.set(packed.subarray(done, done + window), input.at)
    const area = { at: input.at, end: input.at + window, base: input.at - done }
    let walked = addCuts(engine, area, options, cuts) - area.base
    if (walked === done) {
      walked = sliceLarge(pool, packed, done, options, cuts)
      if (walked === done) throw malformed()
    }
    done = walked
  }
}

/** The same from an entry on that is longer than the window. */
function sliceLarge(
  pool: EnginePool,
  packed: Uint8Array,
  done: number,
  options: SliceOptions,
  cuts: Cut[],
): number {
  const large = pool.take(packed.length - done)
  const at = large.inputAt
  large.bytes.set(packed.subarray(done), at)
  const area = { at, end: at + packed.length - done, base: at - done }
  const walked = addCuts(large, area, options, cuts) - area.base
  pool.release(large)
  return walked
}

function malformed(): Error {
  return new Error('kernel: a batch whose entries are not whole')
}

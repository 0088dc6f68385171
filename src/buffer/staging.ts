import type { Batch } from '../core/batch.ts'
import type { Formatter } from '../core/formatter.ts'
import type { Clock } from '../core/host.ts'
import type { Logger } from '../core/log.ts'
import type { Receipt } from '../core/receipt.ts'
import { eachEntry } from '../msgpack/entries.ts'
import type { Books } from './books.ts'
import { nextState } from './chunk.ts'
import { addTo, changeBy, type Held, type Totals } from './held.ts'
import type { Part } from './split.ts'
import type { ChunkChange, ChunkStore } from './store.ts'

export interface ChunkLimits {
  readonly bytes: number
  /** Infinity: none. */
  readonly records: number
  /** Share of the limits at which a chunk counts as full. */
  readonly fullShare: number
}

/** The chunks that take events, one for each set of chunk keys. */
export interface Staging {
  readonly totals: Readonly<Totals>
  readonly length: number
  /** Formats the batch into chunks. Settles once the store has it safe (undefined: already). */
  append(batch: Batch): void | Promise<void>
  /** Goes on with a chunk of an earlier run. False: another has the same keys; it is to be queued. */
  adopt(held: Held, key: string): boolean
  /** A staged chunk turned out to hold less. */
  changed(held: Held, change: ChunkChange): void
  chunks(): Iterable<Held>
  /** Ends a staged chunk: it goes to `onSealed`. */
  seal(held: Held): void
  sealAll(): void
  sealOldest(): boolean
}

/** Bytes the formatter makes at a time: what it wrote is still in the processor's cache when it is copied. */
const pieceBytes = 128 * 1024

/**
 * Staged chunks at most: whoever sends tags or fields that never repeat would else hold a block of memory for each. The
 * oldest is queued, as if it were full.
 */
export const stagedLimit = 4096

export function createStaging(options: {
  readonly store: ChunkStore
  readonly formatter: Formatter
  readonly split: (batch: Batch) => readonly Part[]
  readonly limits: ChunkLimits
  readonly clock: Clock
  readonly books: Books
  readonly log: Logger
  onCreated(held: Held): void
  /** A chunk, in whatever state it is by now, turned out to hold less. */
  onChanged?(held: Held, change: ChunkChange): void
  onSealed(held: Held): void
  /** The batch's source waits for what becomes of a chunk. */
  onAwaited?(held: Held, receipt: Receipt): void
}): Staging {
  const { store, formatter, split, limits, clock, books, log } = options
  const staged = new Map<string, Held>()
  const keys = new Map<Held, string>()
  const totals: Totals = { bytes: 0, events: 0 }
  const touched = new Set<Held>()
  const maxPieceBytes = Math.max(1, Math.min(formatter.pieceBytes ?? pieceBytes, limits.bytes))

  function create(part: Part): Held {
    if (staged.size >= stagedLimit) sealOldest()
    const { timekey, tag, variables } = part
    const held: Held = {
      stored: store.create({ timekey, tag, variables }, (change) =>
        options.onChanged?.(held, change),
      ),
      state: nextState('unstaged', 'stage'),
      createdMonotonicMs: clock.monotonicMs(),
      sealed: undefined,
    }
    staged.set(part.key, held)
    keys.set(held, part.key)
    options.onCreated(held)
    return held
  }

  function seal(held: Held): void {
    held.state = nextState(held.state, 'enqueue')
    staged.delete(keys.get(held) as string)
    keys.delete(held)
    totals.bytes -= held.stored.sizeBytes
    totals.events -= held.stored.count
    held.sealed = held.stored.seal() ?? undefined
    options.onSealed(held)
  }

  function sealOldest(): boolean {
    const [first] = staged.values()
    if (first === undefined) return false
    seal(first)
    return true
  }

  /** Puts formatted events into the part's chunk, or the next one where they do not fit any more. */
  function put(part: Part, bytes: Uint8Array, count: number): void {
    let held = staged.get(part.key)
    if (held !== undefined && !fits(held, bytes.byteLength, count, limits)) {
      seal(held)
      held = undefined
    }
    held ??= create(part)
    held.stored.append(bytes, count)
    totals.bytes += bytes.byteLength
    totals.events += count
    touched.add(held)
    if (isFull(held, limits)) seal(held)
  }

  function formatPart(tag: string, part: Part, packed: Uint8Array, count: number): void {
    let done = 0
    try {
      formatter.format({ tag, packed, count }, maxPieceBytes, (bytes, events) => {
        put(part, bytes, events)
        done += events
      })
    } catch (error) {
      // Sending the same events again would fail again: they are given up, with the reason.
      log.error('events could not be formatted, and are dropped', { events: count - done, error })
      books.drop('format_error', count - done)
      return
    }
    // A formatter may have no line for an event (csv or single_value without its fields).
    books.drop('not_formatted', count - done)
  }

  /** As many events at a time as the part's chunk has room for. */
  function formatLimited(tag: string, part: Part): void {
    const cuts: number[] = []
    eachEntry(part.packed, (start) => cuts.push(start))
    cuts.push(part.packed.length)
    for (let done = 0; done < part.count; ) {
      const held = staged.get(part.key)
      if (held !== undefined && held.stored.count >= limits.records) seal(held)
      const room = limits.records - (staged.get(part.key)?.stored.count ?? 0)
      const next = Math.min(part.count, done + room)
      formatPart(tag, part, part.packed.subarray(cuts[done], cuts[next]), next - done)
      done = next
    }
  }

  return {
    totals,
    get length() {
      return staged.size
    },
    append(batch) {
      touched.clear()
      for (const part of split(batch)) {
        if (Number.isFinite(limits.records)) formatLimited(batch.tag, part)
        else formatPart(batch.tag, part, part.packed, part.count)
      }
      const { receipt } = batch
      if (receipt?.until === 'delivered') {
        for (const held of touched) options.onAwaited?.(held, receipt)
      }
      return commitAll(touched)
    },
    adopt(held, key) {
      if (staged.has(key) || staged.size >= stagedLimit) return false
      staged.set(key, held)
      keys.set(held, key)
      addTo(totals, held)
      options.onCreated(held)
      return true
    },
    changed: (_held, change) => changeBy(totals, change),
    chunks: () => staged.values(),
    seal,
    sealAll() {
      for (const held of [...staged.values()]) seal(held)
    },
    sealOldest,
  }
}

function commitAll(touched: ReadonlySet<Held>): void | Promise<void> {
  const pending: Promise<void>[] = []
  for (const { stored } of touched) {
    const settled = stored.commit()
    if (settled !== undefined) pending.push(settled)
  }
  if (pending.length > 0) return Promise.all(pending).then(() => undefined)
}

function fits({ stored }: Held, bytes: number, count: number, limits: ChunkLimits): boolean {
  if (stored.count === 0) return true
  return stored.sizeBytes + bytes <= limits.bytes && stored.count + count <= limits.records
}

function isFull({ stored }: Held, limits: ChunkLimits): boolean {
  return (
    stored.sizeBytes >= limits.bytes * limits.fullShare ||
    stored.count >= limits.records * limits.fullShare
  )
}

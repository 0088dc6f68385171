import type { Clock } from '../core/host.ts'
import { type ChunkState, nextState } from './chunk.ts'
import type { Division } from './division.ts'
import type { StoredChunk } from './store.ts'

/** A chunk, where it stands in its life, and since when. */
export interface Held {
  readonly stored: StoredChunk
  state: ChunkState
  /** Of the host's monotonic clock. */
  readonly createdMonotonicMs: number
  /** Settles when the store has sealed it; undefined: nothing to wait for. */
  sealed: Promise<void> | undefined
  /** What is known of it once its sink has refused some of its events. */
  division?: Division
}

/** Bytes and events that a chunk turned out not to have. */
export function changeBy(totals: Totals, change: { bytes: number; events: number }): void {
  totals.bytes += change.bytes
  totals.events += change.events
}

/** Sums over chunks that come and go. */
export interface Totals {
  bytes: number
  events: number
}

export function addTo(totals: Totals, { stored }: Held): void {
  totals.bytes += stored.heldBytes ?? stored.sizeBytes
  totals.events += stored.count
}

export function takeFrom(totals: Totals, { stored }: Held): void {
  totals.bytes -= stored.heldBytes ?? stored.sizeBytes
  totals.events -= stored.count
}

/** A chunk that an earlier run left: it takes no more events if it is queued, and is as old as it was otherwise. */
export function heldOf(stored: StoredChunk, clock: Clock, as: 'stage' | 'enqueue'): Held {
  const ageMs = as === 'stage' ? Math.max(0, clock.wallMs() - stored.createdMs) : 0
  return {
    stored,
    state: nextState('unstaged', as),
    createdMonotonicMs: clock.monotonicMs() - ageMs,
    sealed: undefined,
  }
}

export function isEmpty({ stored }: Held): boolean {
  return stored.count === 0 && stored.sizeBytes === 0
}

import type { Clock } from '../core/host.ts'
import { type ChunkState, nextState } from './chunk.ts'
import type { StoredChunk } from './store.ts'

/** A chunk, where it stands in its life, and since when. */
export interface Held {
  readonly stored: StoredChunk
  state: ChunkState
  /** Of the host's monotonic clock. */
  readonly createdMonotonicMs: number
  /** Settles when the store has sealed it; undefined: nothing to wait for. */
  sealed: Promise<void> | undefined
}

/** Sums over chunks that come and go. */
export interface Totals {
  bytes: number
  events: number
}

export function addTo(totals: Totals, { stored }: Held): void {
  totals.bytes += stored.sizeBytes
  totals.events += stored.count
}

export function takeFrom(totals: Totals, { stored }: Held): void {
  totals.bytes -= stored.sizeBytes
  totals.events -= stored.count
}

/** A chunk that an earlier run left: it is queued, and takes no more events. */
export function heldOf(stored: StoredChunk, clock: Clock): Held {
  return {
    stored,
    state: nextState('unstaged', 'enqueue'),
    createdMonotonicMs: clock.monotonicMs(),
    sealed: undefined,
  }
}

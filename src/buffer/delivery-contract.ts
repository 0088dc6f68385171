import type { Clock, Random } from '../core/host.ts'
import type { Logger } from '../core/log.ts'
import type { Sink } from '../core/output.ts'
import type { Backup } from './backup.ts'
import type { Books } from './books.ts'
import type { Held, Totals } from './held.ts'
import type { RetryPolicy, RetryState } from './retry.ts'
import type { ChunkChange } from './store.ts'

/** refused: kept aside or dropped, since to send it again would not help. lost: dropped. */
export type ChunkEnd = 'delivered' | 'refused' | 'lost'

/** Chunks on their way: queued, in flight, waiting to be tried again. */
export interface Delivery {
  /** Of queued chunks and those in flight. */
  readonly totals: Readonly<Totals>
  readonly length: number
  readonly inFlight: number
  readonly retry: RetryState | undefined
  chunks(): Iterable<Held>
  enqueue(held: Held): void
  /** A chunk turned out to hold less. */
  changed(change: ChunkChange): void
  /** Starts what can be started now. */
  pump(): void
  /** Gives up the oldest queued chunk. */
  dropOldest(reason: string): boolean
  /** Settles when nothing is in flight, and nothing queued that could be tried now. */
  idle(): Promise<void>
  /**
   * The last round: what waits for a retry is tried at once, failures go to the secondary if there is one, and are
   * repeated otherwise. Settles when nothing is left or the deadline has aborted; then all writes are aborted.
   * `onlyInFlight`: what is queued stays.
   */
  drain(deadline: AbortSignal, options: { onlyInFlight: boolean }): Promise<void>
  /** Gives up everything, in flight too. Returns the events that were lost. */
  abandon(reason: string): number
}

export interface DeliveryOptions {
  readonly sink: Sink
  readonly secondary: Sink | undefined
  readonly backup: Backup
  /** Whether chunks that nobody took in the end are kept in the backup directory: those that are in files. */
  readonly backupExhausted: boolean
  readonly policy: RetryPolicy
  readonly concurrency: number
  readonly slowFlushMs: number
  readonly clock: Clock
  readonly random: Random
  readonly books: Books
  readonly log: Logger
  /** Called when there is nothing queued and a place is free: may enqueue something. */
  refill(): void
  /** A chunk is gone: there is room. */
  onGone(held: Held, end: ChunkEnd): void
  observeSeconds(seconds: number): void
}

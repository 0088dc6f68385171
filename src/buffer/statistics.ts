import type { Clock } from '../core/host.ts'
import type { Logger } from '../core/log.ts'
import type { OutputStatistics } from '../core/output.ts'
import type { Books } from './books.ts'
import type { Delivery } from './delivery-contract.ts'
import type { Staging } from './staging.ts'

/** The figures of a buffered output at this moment. */
export function statisticsOf(of: {
  readonly books: Books
  readonly staging: Staging
  readonly delivery: Delivery
  readonly totalBytes: number
  readonly clock: Clock
}): OutputStatistics {
  const { books, staging, delivery, clock } = of
  const extremes = extremesOf(staging, delivery)
  return {
    ...countsOf(books),
    bufferedEvents: staging.totals.events + delivery.totals.events,
    stagedBytes: staging.totals.bytes,
    queuedBytes: delivery.totals.bytes,
    queueLength: delivery.length + delivery.inFlight,
    stagedLength: staging.length,
    totalLimitBytes: of.totalBytes,
    ...extremes,
    retry: retryOf(delivery, clock),
  }
}

/** One line when an output ends: received = delivered + buffered + dropped, each with its reason. */
export function sayBooks(log: Logger, statistics: OutputStatistics): void {
  const { emittedEvents, deliveredEvents, bufferedEvents, droppedEvents } = statistics
  if (emittedEvents === 0) return
  const dropped = Object.entries(droppedEvents).map(([reason, n]) => [`dropped_${reason}`, n])
  log.info('events of this output', {
    received: emittedEvents,
    delivered: deliveredEvents,
    buffered: bufferedEvents,
    ...(Object.fromEntries(dropped) as Record<string, number>),
  })
}

export function countsOf(books: Books) {
  return {
    emittedEvents: books.emittedEvents,
    deliveredEvents: books.deliveredEvents,
    droppedEvents: Object.fromEntries(books.dropped),
    emitCount: books.emitCount,
    writeCount: books.writeCount,
    retryCount: books.errorCount,
    rollbackCount: books.rollbackCount,
    slowFlushCount: books.slowFlushCount,
    errorCount: books.errorCount,
    flushTimeMs: books.flushTimeMs,
  }
}

function extremesOf(staging: Staging, delivery: Delivery) {
  let oldestMs: number | undefined
  let oldestTimekey: number | undefined
  let newestTimekey: number | undefined
  for (const chunks of [staging.chunks(), delivery.chunks()]) {
    for (const { stored } of chunks) {
      const { timekey } = stored.metadata
      oldestMs = Math.min(oldestMs ?? stored.createdMs, stored.createdMs)
      if (timekey === undefined) continue
      oldestTimekey = Math.min(oldestTimekey ?? timekey, timekey)
      newestTimekey = Math.max(newestTimekey ?? timekey, timekey)
    }
  }
  return { oldestMs, oldestTimekey, newestTimekey }
}

/** Retries are counted on the monotonic clock; people read the wall clock. */
function retryOf(delivery: Delivery, clock: Clock): OutputStatistics['retry'] {
  const { retry } = delivery
  if (retry === undefined) return undefined
  const toWall = clock.wallMs() - clock.monotonicMs()
  return {
    steps: retry.steps,
    startMs: retry.startMs + toWall,
    nextMs: retry.nextMs + toWall,
  }
}

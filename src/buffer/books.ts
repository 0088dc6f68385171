import type { PluginContext } from '../config/define.ts'
import type { Histogram } from '../core/metrics.ts'
import type { WriteResult } from '../core/output.ts'
import type { Held } from './held.ts'

/**
 * What an output has done with the events it took, as plain numbers: emitted = delivered + buffered + dropped, at every
 * moment.
 */
export interface Books {
  emittedEvents: number
  emittedBytes: number
  deliveredEvents: number
  emitCount: number
  writeCount: number
  /** Failed attempts to deliver, and failed emits: Fluentd's retry_count. */
  errorCount: number
  rollbackCount: number
  slowFlushCount: number
  flushTimeMs: number
  readonly dropped: ReadonlyMap<string, number>
  /** Every drop has a reason, by which it is counted. */
  drop(reason: string, events: number): void
  droppedEvents(): number
}

/** Seconds a delivery takes. */
const flushSecondsBuckets = [0.001, 0.005, 0.02, 0.1, 0.5, 2, 10, 60]

export interface BufferedView {
  events(): number
  bytes(): number
  oldestSeconds(): number
}

type Place = Pick<PluginContext, 'host' | 'id' | 'type'>

export function createBooks(context: Place): Books {
  const dropped = new Map<string, number>()
  const labels = labelsOf(context)
  return {
    emittedEvents: 0,
    emittedBytes: 0,
    deliveredEvents: 0,
    emitCount: 0,
    writeCount: 0,
    errorCount: 0,
    rollbackCount: 0,
    slowFlushCount: 0,
    flushTimeMs: 0,
    dropped,
    drop(reason, events) {
      if (events === 0) return
      const before = dropped.get(reason)
      dropped.set(reason, (before ?? 0) + events)
      if (before !== undefined) return
      context.host.metrics.observableCounter(
        {
          name: 'sluice_output_dropped_events_total',
          help: 'Events that an output gave up, by reason.',
          labels: { ...labels, reason },
        },
        () => dropped.get(reason) ?? 0,
      )
    },
    droppedEvents: () => [...dropped.values()].reduce((sum, count) => sum + count, 0),
  }
}

/**
 * Enters what became of a chunk, when it is closed: events that its parts have brought to the destination, and the rest,
 * which was delivered, or is dropped for `reason`. `lost`: of what was delivered, taken and given up by the destination.
 */
export function enterChunk(
  books: Books,
  { stored, division }: Held,
  rest: { readonly reason?: string | undefined; readonly lost?: WriteResult['refused'] },
): void {
  const inParts = division?.delivered ?? 0
  const others = Math.max(0, stored.count - inParts)
  if (rest.reason !== undefined) books.drop(rest.reason, others)
  let delivered = inParts + (rest.reason === undefined ? others : 0)
  for (const lost of [division?.lost, rest.lost]) {
    if (lost === undefined) continue
    const events = Math.min(lost.events, delivered)
    delivered -= events
    books.drop(lost.reason, events)
  }
  books.deliveredEvents += delivered
}

function labelsOf({ id, type }: Place) {
  return { plugin_id: id, type }
}

/** Shows the books as metrics, at start. Returns where the time of each delivery is observed. */
export function exposeBooks(context: Place, books: Books, buffered?: BufferedView): Histogram {
  const { metrics } = context.host
  const labels = labelsOf(context)
  metrics.observableCounter(
    {
      name: 'sluice_output_emitted_events_total',
      help: 'Events that an output took.',
      labels,
    },
    () => books.emittedEvents,
  )
  metrics.observableCounter(
    {
      name: 'sluice_output_delivered_events_total',
      help: 'Events that arrived at an output’s destination, or its secondary’s.',
      labels,
    },
    () => books.deliveredEvents,
  )
  if (buffered !== undefined) exposeBuffered(context, buffered)
  return metrics.histogram({
    name: 'sluice_output_flush_seconds',
    help: 'How long deliveries take, in seconds.',
    labels,
    buckets: flushSecondsBuckets,
  })
}

function exposeBuffered(context: Place, buffered: BufferedView): void {
  const { metrics } = context.host
  const labels = labelsOf(context)
  const gauges = [
    ['sluice_output_buffered_events', 'Events that wait in an output’s buffer.', buffered.events],
    ['sluice_output_buffered_bytes', 'Bytes that wait in an output’s buffer.', buffered.bytes],
    [
      'sluice_output_oldest_seconds',
      'Age of the oldest chunk in an output’s buffer, in seconds; 0 if it is empty.',
      buffered.oldestSeconds,
    ],
  ] as const
  for (const [name, help, read] of gauges) metrics.observableGauge({ name, help, labels }, read)
}

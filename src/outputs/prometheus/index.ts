import { countsOf, createBooks, exposeBooks } from '../../buffer/index.ts'
import { defineOutput } from '../../config/define.ts'
import type { Output } from '../../core/output.ts'
import { surroundingsOf } from '../../observe/labels.ts'
import { recordMetricsShape } from '../../observe/metric-section.ts'
import { createRecordMetrics } from '../../observe/record-metrics.ts'

/** `<match> @type prometheus`: metrics made from events, which end here. */
export const prometheusOutput = defineOutput({
  name: 'prometheus',
  summary: 'Makes metrics from events, which end here.',
  shape: recordMetricsShape,
  create(params, context): Output {
    const { host, log } = context
    const surroundings = surroundingsOf(context)
    const metrics = createRecordMetrics(params, { metrics: host.metrics, surroundings })
    const books = createBooks(context)
    return {
      async start() {
        exposeBooks(context, books)
      },
      async stop() {},
      emit(batch) {
        books.emitCount++
        books.emittedEvents += batch.count
        books.emittedBytes += batch.packed.length
        books.deliveredEvents += batch.count
        metrics.instrument(batch, (error) => {
          books.errorCount++
          log.warn('an event cannot be counted', { tag: batch.tag, error })
        })
      },
      statistics: () => ({ ...countsOf(books), ...withoutBuffer }),
    }
  },
})

const withoutBuffer = {
  bufferedEvents: 0,
  stagedBytes: 0,
  queuedBytes: 0,
  queueLength: 0,
  stagedLength: 0,
  totalLimitBytes: 0,
  oldestMs: undefined,
  newestTimekey: undefined,
  oldestTimekey: undefined,
  retry: undefined,
}

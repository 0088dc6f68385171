import { defineSource, type PluginView } from '../../config/define.ts'
import { bool, time } from '../../config/schema.ts'
import type { Sample } from '../../core/metrics.ts'
import type { OutputStatistics } from '../../core/output.ts'
import type { Source } from '../../core/source.ts'
import { baseLabels, labelsSection, surroundingsOf } from '../../observe/labels.ts'
import { availableSpacePercent, hasBuffer } from '../../observe/monitor-info.ts'

/** `<source> @type prometheus_output_monitor`: fluent-plugin-prometheus' metrics of outputs. */
export const prometheusOutputMonitorSource = defineSource({
  name: 'prometheus_output_monitor',
  summary:
    'Adds fluentd_output_status_* to the metrics: what each output emitted, wrote, retried and holds.',
  shape: {
    params: {
      interval: time({
        description: 'Time between updates.',
        default: 5,
        differs: 'No effect: the figures are read when they are asked for.',
      }),
      gauge_all: bool({
        description: 'Whether counts are exposed as gauges, as they were once, or as counters.',
        default: true,
      }),
    },
    sections: { labels: labelsSection('Labels on each of the metrics.') },
  },
  create(params, context): Source {
    const base = baseLabels(params.labels, surroundingsOf(context))
    const countType = params.gaugeAll ? 'gauge' : 'counter'
    let end: (() => void) | undefined
    return {
      claims: [],
      async start() {
        end ??= context.host.metrics.collect?.((report) => {
          for (const view of context.app.plugins()) {
            const statistics = view.statistics()
            if (statistics === undefined || view.category !== 'output') continue
            for (const sample of samplesOf(statistics, countType)) {
              report({ ...sample, labels: labelsOf(base, view) })
            }
          }
        })
      },
      async stop() {
        end?.()
        end = undefined
      },
    }
  },
})

function labelsOf(base: Readonly<Record<string, string>>, view: PluginView) {
  return { ...base, plugin_id: view.id, type: view.type }
}

type Bare = Omit<Sample, 'labels'>

function* samplesOf(statistics: OutputStatistics, countType: Sample['type']): Generator<Bare> {
  const sample = (type: Sample['type'], name: string, help: string, value: number): Bare => ({
    name: `fluentd_output_status_${name}`,
    help,
    type,
    value,
  })
  if (hasBuffer(statistics)) {
    const totalBytes = statistics.stagedBytes + statistics.queuedBytes
    yield sample('gauge', 'buffer_total_bytes', 'Bytes in the buffer.', totalBytes)
    yield sample('gauge', 'buffer_stage_length', 'Chunks being filled.', statistics.stagedLength)
    yield sample(
      'gauge',
      'buffer_stage_byte_size',
      'Bytes in chunks being filled.',
      statistics.stagedBytes,
    )
    yield sample(
      'gauge',
      'buffer_queue_length',
      'Chunks waiting for delivery.',
      statistics.queueLength,
    )
    yield sample(
      'gauge',
      'buffer_queue_byte_size',
      'Bytes in chunks waiting for delivery.',
      statistics.queuedBytes,
    )
    yield sample(
      'gauge',
      'buffer_available_space_ratio',
      'Free part of the buffer, in percent.',
      availableSpacePercent(statistics),
    )
  }
  const { newestTimekey, oldestTimekey, retry } = statistics
  if (newestTimekey !== undefined) {
    yield sample('gauge', 'buffer_newest_timekey', 'Newest timekey in the buffer.', newestTimekey)
  }
  if (oldestTimekey !== undefined) {
    yield sample('gauge', 'buffer_oldest_timekey', 'Oldest timekey in the buffer.', oldestTimekey)
  }
  yield sample(
    countType,
    'retry_count',
    'Failed deliveries that were tried again.',
    statistics.errorCount,
  )
  yield sample(countType, 'num_errors', 'Failed deliveries.', statistics.errorCount)
  yield sample(countType, 'emit_count', 'Batches taken.', statistics.emitCount)
  yield sample(countType, 'emit_records', 'Events taken.', statistics.emittedEvents)
  yield sample(countType, 'write_count', 'Deliveries tried.', statistics.writeCount)
  yield sample(
    'gauge',
    'rollback_count',
    'Chunks put back into the queue.',
    statistics.rollbackCount,
  )
  yield sample(
    countType,
    'flush_time_count',
    'Time spent on deliveries, in milliseconds.',
    Math.round(statistics.flushTimeMs),
  )
  yield sample(
    countType,
    'slow_flush_count',
    'Deliveries that took too long.',
    statistics.slowFlushCount,
  )
  const retryWaitSeconds = retry === undefined ? 0 : (retry.nextMs - retry.startMs) / 1000
  yield sample(
    'gauge',
    'retry_wait',
    'Seconds from the first failure to the next try.',
    retryWaitSeconds,
  )
}

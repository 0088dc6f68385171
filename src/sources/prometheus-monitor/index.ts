import { defineSource, type PluginView } from '../../config/define.ts'
import { time } from '../../config/schema.ts'
import type { Sample } from '../../core/metrics.ts'
import type { Source } from '../../core/source.ts'
import { baseLabels, labelsSection, surroundingsOf } from '../../observe/labels.ts'
import { hasBuffer } from '../../observe/monitor-info.ts'

/** `<source> @type prometheus_monitor`: fluent-plugin-prometheus' metrics of buffers and retries, for all plugins. */
export const prometheusMonitorSource = defineSource({
  name: 'prometheus_monitor',
  summary: "Adds fluentd_status_* to the metrics: each output's buffer and retries.",
  shape: {
    params: {
      interval: time({
        description: 'Time between updates.',
        default: 5,
        differs: 'No effect: the figures are read when they are asked for.',
      }),
    },
    sections: { labels: labelsSection('Labels on each of the metrics.') },
  },
  create(params, context): Source {
    const base = baseLabels(params.labels, surroundingsOf(context))
    let end: (() => void) | undefined
    return {
      claims: [],
      async start() {
        end ??= context.host.metrics.collect?.((report) => {
          for (const view of context.app.plugins()) reportPlugin(view, base, report)
        })
      },
      async stop() {
        end?.()
        end = undefined
      },
    }
  },
})

function reportPlugin(
  view: PluginView,
  base: Readonly<Record<string, string>>,
  report: (sample: Sample) => void,
): void {
  const statistics = view.statistics()
  if (statistics === undefined) return
  const labels = {
    ...base,
    plugin_id: view.id,
    plugin_category: view.category,
    type: view.type,
  }
  const gauge = (name: string, help: string, value: number | undefined): void => {
    if (value === undefined) return
    report({ name: `fluentd_status_${name}`, help, type: 'gauge', labels, value })
  }
  gauge('retry_count', 'Failed deliveries that were tried again.', statistics.errorCount)
  if (!hasBuffer(statistics)) return
  gauge('buffer_queue_length', 'Chunks that wait for delivery.', statistics.queueLength)
  const totalBytes = statistics.stagedBytes + statistics.queuedBytes
  gauge('buffer_total_bytes', 'Bytes in the buffer.', totalBytes)
  gauge('buffer_newest_timekey', 'Newest timekey in the buffer.', statistics.newestTimekey)
  gauge('buffer_oldest_timekey', 'Oldest timekey in the buffer.', statistics.oldestTimekey)
}

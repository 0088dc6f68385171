import { defineFilter } from '../../config/define.ts'
import type { Filter } from '../../core/filter.ts'
import { surroundingsOf } from '../../observe/labels.ts'
import { recordMetricsShape } from '../../observe/metric-section.ts'
import { createRecordMetrics } from '../../observe/record-metrics.ts'

/** `<filter> @type prometheus`: metrics made from the events that pass, which go on unchanged. */
export const prometheusFilter = defineFilter({
  name: 'prometheus',
  summary: 'Makes metrics from events, which pass unchanged.',
  shape: recordMetricsShape,
  create(params, context): Filter {
    const { host } = context
    const surroundings = surroundingsOf(context)
    const metrics = createRecordMetrics(params, { metrics: host.metrics, surroundings })
    return {
      apply(batch) {
        metrics.instrument(batch, (error) => {
          // Unlike Fluentd's, the event is not sent to @ERROR: it goes on, and would be there twice.
          context.log.warn('an event cannot be counted', { tag: batch.tag, error })
          host.metrics.counter(failures(context.id)).add()
        })
        return batch
      },
    }
  },
})

function failures(pluginId: string) {
  return {
    name: 'sluice_record_metrics_failures_total',
    help: 'Values that could not be put into a metric made from events.',
    labels: { plugin_id: pluginId, type: 'prometheus' },
  }
}

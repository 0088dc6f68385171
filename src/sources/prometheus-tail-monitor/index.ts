import { defineSource } from '../../config/define.ts'
import { time } from '../../config/schema.ts'
import type { Source } from '../../core/source.ts'
import { baseLabels, labelsSection, surroundingsOf } from '../../observe/labels.ts'

/** `<source> @type prometheus_tail_monitor`: accepted, so that configurations that have it go on working. */
export const prometheusTailMonitorSource = defineSource({
  name: 'prometheus_tail_monitor',
  summary: 'Accepted; there are no files to watch as long as there is no tail source.',
  shape: {
    params: {
      interval: time({ description: 'Time between updates.', default: 5 }),
    },
    sections: { labels: labelsSection('Labels on each of the metrics.') },
  },
  create(params, context): Source {
    baseLabels(params.labels, surroundingsOf(context))
    return {
      claims: [],
      async start() {
        context.log.info('nothing to report: there is no tail source yet')
      },
      async stop() {},
    }
  },
})

import { defineSource } from '../../config/define.ts'
import { time } from '../../config/schema.ts'
import type { Source } from '../../core/source.ts'
import { baseLabels, labelsSection, surroundingsOf } from '../../observe/labels.ts'

/** `<source> @type prometheus_tail_monitor`: fluent-plugin-prometheus' metrics of the files that tail follows. */
export const prometheusTailMonitorSource = defineSource({
  name: 'prometheus_tail_monitor',
  summary:
    'Adds fluentd_tail_file_position and fluentd_tail_file_inode to the metrics: how far each file of a tail source was read.',
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
          for (const view of context.app.plugins()) {
            for (const { path, position, inode } of view.files?.() ?? []) {
              const labels = { ...base, plugin_id: view.id, type: view.type, path }
              report({
                name: 'fluentd_tail_file_position',
                help: 'Current position of file.',
                type: 'gauge',
                labels,
                value: position,
              })
              report({
                name: 'fluentd_tail_file_inode',
                help: 'Current inode of file.',
                type: 'gauge',
                labels,
                value: Number(inode),
              })
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

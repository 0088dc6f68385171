import { type Bound, bool, enumeration, type Shape, section, string } from '../config/schema.ts'
import { labelsSection } from './labels.ts'

const initlabels = section(
  { params: {} },
  { description: 'Values of labels that the metric has from the start.', multi: true, open: true },
)

const metric = {
  params: {
    name: string({ description: 'Name of the metric.', required: true }),
    type: enumeration(['counter', 'gauge', 'summary', 'histogram'], {
      description: 'Kind of the metric.',
      required: true,
    }),
    desc: string({ description: 'What it says, for its HELP line.', required: true }),
    key: string({
      description: 'Field with the value, by name or path. A counter without it counts events.',
    }),
    buckets: string({ description: 'Upper bounds of the buckets of a histogram, with commas.' }),
    initialized: bool({ description: 'Whether it is shown before any event.', default: false }),
  },
  sections: {
    labels: labelsSection('Labels of the metric: text, placeholders, or paths of fields.'),
    initlabels,
  },
} satisfies Shape

/** What `<filter> @type prometheus` and `<match> @type prometheus` have in common. */
export const recordMetricsShape = {
  params: {},
  sections: {
    metric: section(metric, { description: 'A metric made from events.', multi: true }),
    labels: labelsSection('Labels of all metrics of this section.'),
  },
} satisfies Shape

export type RecordMetricsParams = Bound<typeof recordMetricsShape>
export type MetricParams = RecordMetricsParams['metric'][number]

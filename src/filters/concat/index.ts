import { defineFilter } from '../../config/define.ts'
import { ConcatFilter } from './filter.ts'
import { concatShape } from './shape.ts'

/** As fluent-plugin-concat 2.6. */
export const concatFilter = defineFilter({
  name: 'concat',
  summary:
    'Joins the lines of one event that came as several: stack traces, long lines that Docker divided.',
  description:
    'What is held lives in memory: its source has been told that it arrived, and a crash loses it. ' +
    'A joined event has the fields of its first part.',
  shape: concatShape,
  create: (params, context) => new ConcatFilter(params, context),
})

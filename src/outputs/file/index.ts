import { defineOutput } from '../../config/define.ts'
import { fileShape } from './shape.ts'
import { createFileSink } from './sink.ts'

export const fileOutput = defineOutput({
  name: 'file',
  summary: 'Writes events to files, by default one for each day.',
  description:
    'Names are `path`, a dot, the time slice, `_N`, and `path_suffix`. Without `append` each flushed chunk becomes a file of its own, with the first number N that is free. Tags and record fields in names are reduced to letters, digits, `.`, `_` and `-`.',
  shape: fileShape,
  createSink: createFileSink,
})

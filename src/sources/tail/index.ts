import { defineSource } from '../../config/define.ts'
import { shape } from './shape.ts'
import { TailSource } from './source.ts'

export const tailSource = defineSource({
  name: 'tail',
  multiWorkersReady: false,
  summary: 'Follows files as they grow and rotate, one event a line.',
  shape,
  create: (params, context) => new TailSource(params, context),
})

import { defineParser } from '../config/define.ts'
import { string } from '../config/schema.ts'
import { parserParams } from './base.ts'

/** What a source http without another parser goes by; it reads no texts itself. */
export const inHttpParser = defineParser({
  name: 'in_http',
  summary: 'The default of the source http: bodies as their Content-Type says.',
  description:
    'Only its time parameters count: where the time of a record stands, and how it is written (without `time_type` and `time_format`: seconds, as a number).',
  shape: {
    params: {
      ...parserParams,
      time_key: string({ description: "The field that holds the event's time.", default: 'time' }),
    },
  },
  create: () => ({ parse: () => [undefined] }),
})

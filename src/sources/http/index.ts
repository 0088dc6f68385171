import { defineSource } from '../../config/define.ts'
import { shape } from './shape.ts'
import { createHttpSource } from './source.ts'

/** `<source> @type http`: events by HTTP POST; the path is the tag. */
export const httpSource = defineSource({
  name: 'http',
  summary: 'Receives events by HTTP: `POST /app.access` has the tag `app.access`.',
  description:
    'The answer is 200 once the events are in the buffers of every output that their tag goes to, and 503 with `Retry-After` where a buffer is full. Bodies may be compressed (`Content-Encoding: gzip`, `deflate` or `zstd`). `?time=` sets the time of all events of a request.',
  shape,
  create: createHttpSource,
})

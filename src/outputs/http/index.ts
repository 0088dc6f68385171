import { defineOutput } from '../../config/define.ts'
import { httpShape } from './shape.ts'
import { createHttpSink } from './sink.ts'

export const httpOutput = defineOutput({
  name: 'http',
  summary: 'Sends each chunk to an HTTP server, as one request.',
  description:
    'Any 2xx is a success. Redirects are not followed. A `Retry-After` of a retryable answer is heeded.',
  shape: httpShape,
  createSink: createHttpSink,
})

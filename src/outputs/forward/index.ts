import { defineOutput } from '../../config/define.ts'
import { forwardShape } from './shape.ts'
import { createForwardSink } from './sink.ts'

export const forwardOutput = defineOutput({
  name: 'forward',
  summary: 'Sends events to other receivers by the forward protocol: Sluice, Fluentd, Fluent Bit.',
  description:
    'Entries go out as they came in, without being decoded. Chunks are spread over servers by weight; one that does not answer is left out until it does. With `require_ack_response` a chunk is sent again until a server has acknowledged it.',
  shape: forwardShape,
  createSink: createForwardSink,
})

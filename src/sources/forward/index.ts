import { defineSource } from '../../config/define.ts'
import { settingsOf } from './settings.ts'
import { shape } from './shape.ts'
import { ForwardSource } from './source.ts'

/** `<source> @type forward`: events from Docker, Fluentd, Fluent Bit and every fluent-logger. */
export const forwardSource = defineSource({
  name: 'forward',
  summary: 'Receives events by the Fluentd forward protocol, over TCP or a unix socket.',
  description:
    'Takes Message, Forward, PackedForward and CompressedPackedForward (gzip, zstd) messages and JSON, acknowledges what is safely buffered, and answers UDP heartbeats on the same port.',
  shape,
  create: (params, context) => new ForwardSource(settingsOf(params), context),
})

// An output with a buffer: one message to a chat's webhook for the events of each chunk.
import {
  bufferSection,
  ConfigError,
  defineOutput,
  integer,
  PermanentError,
  positionOf,
  RetryableError,
  secondarySection,
  string,
  textFormatter,
} from 'sluice/plugin'

export default defineOutput({
  name: 'chat',
  summary: 'Posts events to a chat.',
  shape: {
    params: {
      webhook: string({ description: 'Address of the webhook.', required: true, secret: true }),
      max_lines: integer({ description: 'Lines a message shows.', default: 10 }),
    },
    sections: {
      buffer: bufferSection({ flush_interval: 10, retry_max_times: 5 }),
      secondary: secondarySection('chat'),
    },
  },
  createSink(params, context) {
    // Nothing is opened here: only what can be seen to be wrong in the configuration is.
    if (!URL.canParse(params.webhook)) {
      const position = positionOf(params, 'webhook')
      throw new ConfigError('webhook must be an address: https://chat.example/hook', { position })
    }
    let client
    return {
      // What a chunk holds is made when an event comes in, and stays the same when sending is retried.
      formatter: textFormatter(({ tag, record }) => `${tag}: ${record.get('message') ?? ''}\n`),
      async start() {
        client = context.host.http.client({
          connections: 1,
          keepAlive: true,
          connectTimeoutMs: 5_000,
          headersTimeoutMs: 10_000,
          bodyTimeoutMs: 10_000,
          maxResponseBytes: 1_024,
        })
      },
      async write(chunk, signal) {
        const lines = Buffer.concat(await chunk.read()).toString().trimEnd().split('\n')
        const rest = lines.splice(params.maxLines)
        if (rest.length > 0) lines.push(`… and ${rest.length} more`)
        const { status } = await client.request({
          method: 'POST',
          url: params.webhook,
          headers: { 'content-type': 'application/json' },
          body: [Buffer.from(JSON.stringify({ text: lines.join('\n') }))],
          signal,
        })
        if (status < 300) return
        const message = `the chat answered ${status}`
        // Either kind of error keeps the chunk: the one for a later try, the other for <secondary>.
        if (status === 429 || status >= 500) throw new RetryableError('chat_busy', message)
        throw new PermanentError('chat_refused', message)
      },
      async stop() {
        await client?.close()
      },
    }
  },
})

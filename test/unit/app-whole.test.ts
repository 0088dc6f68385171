import { describe, expect, test } from 'vitest'
import { createApp } from '../../src/app.ts'
import { parseConfig } from '../../src/config/index.ts'
import { loadKernel } from '../../src/host/load-kernel.ts'
import { createNodeHost } from '../../src/host/node-host.ts'
import { createKernel } from '../../src/kernel/index.ts'
import { createMetrics } from '../../src/observe/metrics.ts'
import { plugins } from '../../src/plugins.ts'
import { createFakeHost, createFakeStdout, createRecordingLog } from '../support/fake-host.ts'

/** The application with all its plugins: bytes in at a socket, lines out at standard output. */

const kernelModule = loadKernel()

function configOf(text: string) {
  const world = { readFile: () => undefined, listDir: () => undefined, env: {}, hostname: 'h' }
  const parsed = parseConfig({ path: 'whole.conf', text, ...world })
  expect(parsed.errors).toEqual([])
  return parsed
}

const forward = (port: number) => `
<source>
  @type forward
  bind 127.0.0.1
  port ${port}
</source>
`
/** Messages ["a.b", 1700000000, {"n": 1}] and ["other", 1700000001, {"n": 2}]. */
const messageA = Buffer.from('93a3612e62ce6553f10081a16e01', 'hex')
const messageOther = Buffer.from('93a56f74686572ce6553f10181a16e02', 'hex')
/** The same as messageA with an ack asked for: chunk "c". */
const messageAcked = Buffer.from('94a3612e62ce6553f10081a16e0181a56368756e6ba163', 'hex')
/** As that, with the chunk "d": not the same message again. */
const messageAfter = Buffer.from('94a3612e62ce6553f10081a16e0181a56368756e6ba164', 'hex')

const configText = `
${forward(24224)}
<match a.**>
  @type copy
  <store>
    @type stdout
  </store>
  <store>
    @type stdout
    <format>
      @type json
    </format>
  </store>
  <store>
    @type relabel
    @label @REST
  </store>
</match>
<label @REST>
  <match **>
    @type null
  </match>
</label>
`

describe('the whole application', () => {
  test('with a world in memory: forward, copy, relabel, formats, unmatched, books', async () => {
    const host = createFakeHost()
    const kernel = createKernel(kernelModule)
    const app = createApp({ host, plugins, kernel, config: configOf(configText) })
    await app.check()
    await app.start()
    const client = host.net.client(24224)
    client.send(Buffer.concat([messageA, messageA, messageOther]))
    await host.clock.settle()
    const line = '2023-11-14 22:13:20.000000000 +0000 a.b: {"n":1}\n'
    expect(host.stdout.text()).toBe(`${line}${line}{"n":1}\n{"n":1}\n`)
    const { metrics } = host
    expect(metrics.value('sluice_input_events_total', { plugin_id: 'forward_0' })).toBe(3)
    expect(metrics.value('sluice_unmatched_events_total', { tag: 'other' })).toBe(1)
    for (const plugin_id of ['stdout_0', 'stdout_1', 'null_0']) {
      expect(metrics.value('sluice_output_delivered_events_total', { plugin_id })).toBe(2)
    }
    client.end()
    const stopped = app.stop(AbortSignal.abort())
    await host.clock.advance(10_000)
    await stopped
    expect(() => host.net.client(24224)).toThrow(/ECONNREFUSED/)
  })

  test('over real sockets on port 0: an ack comes once the event is safe, a reload keeps serving', async () => {
    const log = createRecordingLog()
    const stdout = createFakeStdout()
    const host = { ...createNodeHost({ log, metrics: createMetrics() }), stdout }
    const text = (format: string) =>
      `${forward(0)}<match **>\n@type stdout\n<format>\n@type ${format}\n</format>\n</match>\n`
    const kernel = createKernel(kernelModule)
    const app = createApp({ host, plugins, kernel, config: configOf(text('json')) })
    await app.start()
    try {
      expect(await ask(host, portOf(log), messageAcked)).toBe('81a361636ba163')
      expect(stdout.text()).toBe('{"n":1}\n')
      await app.reload(configOf(text('ltsv')), AbortSignal.timeout(5_000))
      expect(await ask(host, portOf(log), messageAfter)).toBe('81a361636ba164')
      expect(stdout.text()).toBe('{"n":1}\nn:1\n')
    } finally {
      await app.stop(AbortSignal.abort())
    }
  })
})

/** The port that the forward source said last it listens on. */
function portOf(log: ReturnType<typeof createRecordingLog>): number {
  return log.lines.findLast((line) => line.message === 'listening port')!.fields.port as number
}

/** Sends, and gives the answer's bytes as hex. */
function ask(
  host: ReturnType<typeof createNodeHost>,
  port: number,
  bytes: Uint8Array,
): Promise<string> {
  return new Promise((resolve, reject) => {
    const address = { kind: 'tcp', host: '127.0.0.1', port } as const
    const connected = host.net.connect({ address, timeoutMs: 5_000 }, (connection) => ({
      onData: (answer) => {
        resolve(Buffer.from(answer).toString('hex'))
        connection.destroy()
      },
      onEnd: () => undefined,
      onDrain: () => undefined,
      onClose: () => reject(new Error('closed without an answer')),
    }))
    connected.then((connection) => connection.write(bytes), reject)
  })
}

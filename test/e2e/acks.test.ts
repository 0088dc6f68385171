import net from 'node:net'
import { expect, it, onTestFinished } from 'vitest'
import { encode } from '../../src/msgpack/encode.ts'
import { forwardOn, freePort, listening, run, until } from './support.ts'

it('an ack leaves when standard output has the events, not before: a kill loses none', async () => {
  const [port, metricsPort] = [await freePort(), await freePort()]
  const running = run({
    config: `
${forwardOn(port)}
<source>
  @type prometheus
  bind 127.0.0.1
  port ${metricsPort}
</source>
<match **>
  @type stdout
</match>`,
  })
  onTestFinished(() => void running.stop('SIGKILL'))
  await listening(port, running)
  const { stdout } = running.child
  // The pipe takes some of what follows, and nobody reads on.
  stdout?.pause()
  const count = 4_000
  const text = 'x'.repeat(1_000)
  const entries = Array.from({ length: count }, (_, n) => [
    1_700_000_000,
    new Map([['n', text + n]]),
  ])
  const socket = net.connect(port, '127.0.0.1')
  const came: Buffer[] = []
  socket.on('data', (bytes: Buffer) => came.push(bytes))
  socket.write(encode(['t', entries, new Map([['chunk', 'c1']])]))
  await until('all events in the receiver', async () => {
    const metrics = await (await fetch(`http://127.0.0.1:${metricsPort}/metrics`)).text()
    const taken = /^sluice_output_delivered_events_total\{.*?\} (\d+)$/m.exec(metrics)?.[1]
    return Number(taken) === count
  })
  expect(Buffer.concat(came).byteLength).toBe(0)
  expect(running.lines.length).toBeLessThan(count)
  stdout?.resume()
  await until('the ack', () => came.length > 0)
  expect(Buffer.concat(came)).toEqual(Buffer.from(encode(new Map([['ack', 'c1']]))))
  // What is acked stands in the pipe: a kill changes nothing about it.
  await running.stop('SIGKILL')
  expect(running.lines).toHaveLength(count)
}, 30_000)

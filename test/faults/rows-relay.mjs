import path from 'node:path'
import { Clients } from './clients.mjs'
import { outcome } from './output.mjs'
import { fileOutput, freePort, Server, sleep, source, temporaryDirectory } from './server.mjs'

const figure = (name, value, unit, bar) => ({
  name,
  value,
  unit,
  bar,
  ok: bar === undefined || value <= bar,
})

/** An output to the receiver behind, with its buffer in files. */
function relayOutput({ next, buffer, more = '' }) {
  return `@type forward\nrequire_ack_response true\nack_response_timeout 2\nheartbeat_type none\n<server>\nhost 127.0.0.1\nport ${next}\n</server>\n<buffer tag>\n@type file\npath ${buffer}\nflush_mode interval\nflush_interval 0.1\nretry_wait 0.2\nretry_max_interval 1\n${more}\n</buffer>\n`
}

async function prepareRelay({ more } = {}) {
  const [firstDir, lastDir] = [temporaryDirectory(), temporaryDirectory()]
  const [port, next] = [await freePort(), await freePort()]
  const out = path.join(lastDir, 'out.log')
  const buffer = path.join(firstDir, 'buffer')
  const relay = relayOutput({ next, buffer, more })
  const file = fileOutput({ out, buffer: path.join(lastDir, 'buffer') })
  return {
    out,
    port,
    first: new Server({
      dir: firstDir,
      port,
      config: `${source(port)}<match **>\n${relay}</match>\n`,
    }),
    last: new Server({
      dir: lastDir,
      port: next,
      config: `${source(next)}<match **>\n${file}</match>\n`,
    }),
  }
}

export const relayRow = {
  name: 'a receiver behind forward: killed, hung, and back',
  async run({ quick }) {
    const { out, port, first, last } = await prepareRelay()
    const awayMs = quick ? 1500 : 10_000
    try {
      await last.start()
      await first.start()
      const clients = new Clients({ port, messagesPerSecond: 100 })
      await clients.acked(100)
      const memoryBefore = first.memoryMb()
      await last.signal('SIGKILL')
      await sleep(awayMs)
      await last.start()
      await sleep(awayMs / 2)
      last.child.kill('SIGSTOP')
      await sleep(awayMs)
      last.child.kill('SIGCONT')
      await sleep(awayMs / 2)
      const sendings = await clients.finish()
      const found = await outcome(out, sendings)
      return [
        figure('acked', sendings.ackedEvents, 'events'),
        figure('lost', found.lost, 'events', 0),
        figure('torn', found.torn, 'lines', 0),
        figure('repeats', found.repeats, 'events'),
        figure('memory grown by', first.peakMb() - memoryBefore, 'MB', 60),
      ]
    } finally {
      await first.end()
      await last.end()
    }
  },
}

export const fullBufferRow = {
  name: 'a sink that is down until the file buffer is full',
  async run({ quick }) {
    const limitMb = quick ? 8 : 64
    const { out, port, first, last } = await prepareRelay({
      more: `chunk_limit_size 1m\ntotal_limit_size ${limitMb}m\noverflow_action block`,
    })
    try {
      await first.start()
      const clients = new Clients({ port, messagesPerSecond: 0, window: 8 })
      await clients.acked(100)
      const memoryBefore = first.memoryMb()
      // Full when no ack comes any more.
      let before = -1
      for (;;) {
        await sleep(1500)
        const { acked } = await clients.report()
        if (acked === before) break
        before = acked
      }
      const grown = first.peakMb() - memoryBefore
      await last.start()
      await clients.acked(100)
      const sendings = await clients.finish()
      const found = await outcome(out, sendings, 60_000)
      return [
        figure('buffer', limitMb, 'MB'),
        figure('acked', sendings.ackedEvents, 'events'),
        figure('lost', found.lost, 'events', 0),
        figure('memory grown by', grown, 'MB', 60),
      ]
    } finally {
      await first.end()
      await last.end()
    }
  },
}

import http from 'node:http'
import net from 'node:net'
import path from 'node:path'
import { Clients, fast } from './clients.mjs'
import { bombs, hostileInputs, largestRecords } from './hostile.mjs'
import { bytes, packedMessage } from './messages.mjs'
import { outcome, Watcher } from './output.mjs'
import { prepare } from './rows-crash.mjs'
import { fileOutput, freePort, now, Server, sleep, source, temporaryDirectory } from './server.mjs'

const atMost = (name, value, unit, bar) => ({
  name,
  value,
  unit,
  bar,
  ok: bar === undefined || value <= bar,
})
const atLeast = (name, value, unit, bar) => ({
  name,
  value,
  unit,
  bar,
  ok: value >= bar,
  least: true,
})

/** An HTTP destination with moods. */
class Destination {
  mood = 'fine'
  counts = new Map()
  constructor(port) {
    this.port = port
    this.server = http.createServer((request, response) => this.answer(request, response))
  }
  open() {
    return new Promise((resolve) => this.server.listen(this.port, '127.0.0.1', resolve))
  }
  close() {
    return new Promise((resolve) => {
      this.server.close(resolve)
      this.server.closeAllConnections()
    })
  }
  async answer(request, response) {
    const pieces = []
    request.on('error', () => undefined)
    for await (const piece of request) pieces.push(piece)
    if (this.mood === 'hang') return
    if (this.mood === '503') return response.writeHead(503).end('busy')
    if (this.mood === 'slow') await sleep(1000)
    for (const [, id] of Buffer.concat(pieces)
      .toString('latin1')
      .matchAll(/"id":(\d+)/g)) {
      this.counts.set(Number(id), (this.counts.get(Number(id)) ?? 0) + 1)
    }
    response.writeHead(200).end()
  }
}

export const httpRow = {
  name: 'HTTP sink: 503, hang, refused, slow; another output beside it',
  async run({ quick }) {
    const dir = temporaryDirectory()
    const [port, sinkPort] = [await freePort(), await freePort()]
    const out = path.join(dir, 'out.log')
    const intervalSeconds = 0.2
    const web = `@type http\nendpoint http://127.0.0.1:${sinkPort}/\nopen_timeout 2\nread_timeout 2\n<format>\n@type json\n</format>\n<buffer []>\n@type file\npath ${dir}/web\nflush_mode interval\nflush_interval 0.2\nretry_wait 0.2\nretry_max_interval 1\n</buffer>\n`
    const file = fileOutput({ out, buffer: path.join(dir, 'buffer'), intervalSeconds })
    const config = `${source(port)}<match **>\n@type copy\n<store>\n${web}</store>\n<store>\n${file}</store>\n</match>\n`
    const server = new Server({ dir, port, config })
    const sink = new Destination(sinkPort)
    const watcher = new Watcher(out)
    try {
      await sink.open()
      await server.start()
      const clients = new Clients({ port, messagesPerSecond: 100 })
      await clients.acked(100)
      const memoryBefore = server.memoryMb()
      const from = now()
      for (const mood of ['503', 'hang', 'refused', 'slow']) {
        sink.mood = mood
        if (mood === 'refused') await sink.close()
        await sleep(quick ? 2000 : 10_000)
        if (mood === 'refused') await sink.open()
      }
      const to = now()
      sink.mood = 'fine'
      const sendings = await clients.finish()
      const found = await outcome(out, sendings)
      let there = sendings.compare(sink.counts)
      for (let waited = 0; there.lost > 0 && waited < 20_000; waited += 200) {
        await sleep(200)
        there = sendings.compare(sink.counts)
      }
      watcher.look()
      return [
        atMost('lost at the HTTP sink', there.lost, 'events', 0),
        atMost('repeats at the HTTP sink', there.repeats, 'events'),
        atMost('lost at the other output', found.lost, 'events', 0),
        // The interval, and what a chunk takes to be sealed, written and seen here.
        atMost(
          'longest delay of the other',
          watcher.worstDelayMs(sendings, from, to),
          'ms',
          intervalSeconds * 1000 + 300,
        ),
        atMost('worst ack', sendings.worstLatencyMs(from, to), 'ms', 500),
        atMost('memory grown by', server.peakMb() - memoryBefore, 'MB', 60),
      ]
    } finally {
      watcher.end()
      await sink.close()
      await server.end()
    }
  },
}

/** Opens so many connections, some at a time, from four addresses: one alone may have no more than half of all. */
async function openConnections(port, count) {
  const sockets = []
  const open = (_, i) =>
    new Promise((resolve, reject) => {
      const from = { localAddress: `127.0.0.${2 + (i % 4)}` }
      const socket = net.connect({ port, host: '127.0.0.1', ...from }, () => resolve(socket))
      socket.on('error', reject)
    })
  while (sockets.length < count) {
    const some = Math.min(200, count - sockets.length)
    sockets.push(...(await Promise.all(Array.from({ length: some }, open))))
  }
  for (const socket of sockets) socket.on('error', () => undefined)
  return sockets
}

/** A message whose bytes come eight at a time, each second, on each of the connections: a tenth of them at a time. */
function dribble(sockets) {
  const message = packedMessage({ tag: 'slow', message: 1, firstId: 4_000_000_000, events: 20 })
  let ticks = 0
  return setInterval(() => {
    const at = (8 * Math.floor(ticks / 10)) % message.length
    for (let i = ticks % 10; i < sockets.length; i += 10)
      sockets[i].write(message.subarray(at, at + 8))
    ticks += 1
  }, 100)
}

/** Of an odd number of values. */
const median = (values) => values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)]

export const idleRow = {
  name: '10,000 idle connections, then 500 slow ones',
  async run({ quick }) {
    const count = quick ? 1000 : 10_000
    const rounds = quick ? 1 : 7
    const { port, server } = await prepare({ buffered: false })
    const seconds = 2
    const sockets = []
    let timer
    try {
      await server.start()
      const clients = new Clients({ port, ...fast })
      const marks = { alone: [], idle: [], slow: [] }
      const measure = async (phase) => {
        await sleep(500)
        const from = now()
        await sleep(seconds * 1000)
        marks[phase].push([from, now()])
      }
      let idleMb = 0
      await sleep(1000)
      await measure('alone')
      // The machine's own speed drifts: compared is with what it was right before and after, and of many rounds the median taken.
      for (let round = 0; round < rounds; round += 1) {
        sockets.push(...(await openConnections(port, count)))
        idleMb = Math.max(idleMb, server.memoryMb())
        await measure('idle')
        const slow = await openConnections(port, 500)
        sockets.push(...slow)
        timer = dribble(slow)
        await measure('slow')
        clearInterval(timer)
        for (const socket of sockets.splice(0)) socket.destroy()
        await sleep(1000)
        await measure('alone')
      }
      const sendings = await clients.finish()
      const speed = ([from, to]) => sendings.acksPerSecond(from, to)
      const ratio = (phase) =>
        median(
          marks[phase].map(
            (mark, i) => (2 * speed(mark)) / (speed(marks.alone[i]) + speed(marks.alone[i + 1])),
          ),
        )
      return [
        atMost('memory with idle connections', idleMb, 'MB', 200),
        atMost('peak memory', server.peakMb(), 'MB', 250),
        atLeast('honest speed, idle ones beside', ratio('idle'), '×', quick ? 0.5 : 0.95),
        atLeast('honest speed, slow ones beside', ratio('slow'), '×', quick ? 0.4 : 0.9),
        atMost('honest connections cut', sendings.cut, '', 0),
      ]
    } finally {
      clearInterval(timer)
      for (const socket of sockets) socket.destroy()
      await server.end()
    }
  },
}

/** Sends, ends its side, and waits until the other side has ended too: 'closed', or 'hangs' after 8 s. */
function assault(port, input) {
  return new Promise((resolve) => {
    const socket = net.connect(port, '127.0.0.1', () => socket.end(input))
    const timer = setTimeout(() => {
      socket.destroy()
      resolve('hangs')
    }, 8000)
    socket.on('data', () => undefined)
    socket.on('error', () => undefined)
    socket.on('close', () => {
      clearTimeout(timer)
      resolve('closed')
    })
  })
}

/** Plays the inputs beside an honest client of the same or another tag. */
async function besideHonest({ inputs, inputTimeMs = 0, latencyBarMs = 100, peakBarMb = 250 }) {
  const { out, port, server } = await prepare({ buffered: true })
  try {
    await server.start()
    const clients = new Clients({ port, connections: 1 })
    await clients.acked(50)
    const from = now()
    const failed = []
    const times = []
    for (const [name, input] of inputs) {
      times.push({ name, at: now() })
      const ended = await assault(port, input)
      if (inputTimeMs > 0) await sleep(inputTimeMs)
      if (ended === 'hangs' || !server.alive)
        failed.push(`${name} (${server.alive ? ended : 'the receiver died'})`)
      if (!server.alive) await server.start()
    }
    const to = now()
    const peakMb = server.peakMb()
    const sendings = await clients.finish()
    const found = await outcome(out, sendings)
    const slow = times
      .map(({ name, at }, i) => ({ name, ms: sendings.worstLatencyMs(at, times[i + 1]?.at ?? to) }))
      .sort((a, b) => b.ms - a.ms)
      .slice(0, 3)
    return [
      atMost('inputs', inputs.length, ''),
      { ...atMost('inputs that hang or kill', failed.length, '', 0), detail: failed.join('; ') },
      {
        ...atMost(
          'worst honest ack',
          sendings.worstLatencyMs(from, to),
          'ms',
          latencyBarMs ?? undefined,
        ),
        detail: slow.map(({ name, ms }) => `${name} ${ms.toFixed(0)}`).join('; '),
      },
      atMost('peak memory', peakMb, 'MB', peakBarMb),
      atMost('honest events lost', found.lost, 'events', 0),
      atMost('honest connections cut', sendings.cut, '', 0),
    ]
  } finally {
    await server.end()
  }
}

export const hostileRow = {
  name: 'hostile inputs beside an honest client',
  run: () => besideHonest({ inputs: hostileInputs() }),
}

export const sameTagRow = {
  name: 'broken payloads under the honest client’s tag',
  run: ({ quick }) => {
    const wanted = /packed|entry|gzip|zstd|cut|c1|ffffffff/
    const inputs = hostileInputs('honest').filter(([name]) => wanted.test(name))
    return besideHonest({ inputs: quick ? inputs.slice(0, 60) : inputs })
  },
}

export const bombRow = {
  name: 'bombs below the decompression limit',
  run: ({ quick }) => besideHonest({ inputs: bombs('bomb', quick), inputTimeMs: 1000 }),
}

/** What record_size_limit bounds: its default is for those who send large records, so this has no bar. */
export const largestRow = {
  name: 'the largest records that are taken',
  run: () =>
    besideHonest({
      inputs: largestRecords(),
      inputTimeMs: 1000,
      latencyBarMs: null,
    }),
}

export const longTagRow = {
  name: `a 5,000-character tag in a $\{tag} path`,
  async run() {
    const dir = temporaryDirectory()
    const port = await freePort()
    const out = path.join(dir, 'out')
    const config = `${source(port).replace('</source>', 'tag_length_limit 8k\n</source>')}<match **>\n${fileOutput(
      {
        out: `${out}.$\{tag}`,
        buffer: path.join(dir, 'buffer'),
      },
    ).replace('<buffer []>', '<buffer tag>')}</match>\n`
    const server = new Server({ dir, port, config })
    try {
      await server.start()
      const clients = new Clients({ port })
      await clients.acked(20)
      const long = packedMessage({
        tag: 't'.repeat(5000),
        message: 99_999,
        firstId: 3_000_000_000,
        events: 1,
      })
      await assault(port, bytes(long))
      await sleep(1000)
      const sendings = await clients.finish()
      const found = await outcome(`${out}.honest`, sendings)
      const said = /too long|ENAMETOOLONG/i.test(server.log)
      return [
        atMost('honest events lost', found.lost, 'events', 0),
        atMost('torn', found.torn, 'lines', 0),
        atMost('reasons not said', said ? 0 : 1, '', 0),
      ]
    } finally {
      await server.end()
    }
  },
}

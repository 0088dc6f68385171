import { execFileSync } from 'node:child_process'
import fs from 'node:fs'
import path from 'node:path'
import { Clients } from './clients.mjs'
import { outcome } from './output.mjs'
import { fileOutput, freePort, now, Server, sleep, source, temporaryDirectory } from './server.mjs'

/** A receiver that writes what it gets to a file; with a buffer in files where `buffered`. */
export async function prepare({
  buffered,
  dir = temporaryDirectory(),
  out = path.join(dir, 'out.log'),
  more,
}) {
  const port = await freePort()
  const buffer = buffered ? path.join(dir, 'buffer') : undefined
  // Others' events go through formatter and buffer too, and not between the honest ones.
  const others = fileOutput({ out: `${out}.others`, buffer: buffer && `${buffer}-others`, more })
  // Those that send all they can, to see how fast that is, would fill the disk.
  const fast = '<match fast>\n@type null\n</match>\n'
  const config = `${source(port)}${fast}<match honest>\n${fileOutput({ out, buffer, more })}</match>\n<match **>\n${others}</match>\n`
  return { out, port, server: new Server({ dir, port, config }) }
}

const figure = (name, value, unit, bar) => ({
  name,
  value,
  unit,
  bar,
  ok: bar === undefined || value <= bar,
})

export const killRow = {
  name: 'kill -9 under load, file buffer',
  async run({ quick, rounds = quick ? 4 : 20 }) {
    const { out, port, server } = await prepare({ buffered: true })
    try {
      await server.start()
      const clients = new Clients({ port, messagesPerSecond: 400 })
      let slowest = 0
      for (let round = 0; round < rounds; round += 1) {
        await clients.acked(1)
        await sleep(100 + Math.random() * (quick ? 500 : 1400))
        await server.signal('SIGKILL')
        const started = now()
        await server.start()
        await clients.acked(1)
        slowest = Math.max(slowest, now() - started)
      }
      const sendings = await clients.finish()
      const found = await outcome(out, sendings)
      return [
        figure('rounds', rounds, ''),
        figure('acked', sendings.ackedEvents, 'events'),
        figure('lost', found.lost, 'events', 0),
        figure('torn', found.torn, 'lines', 0),
        figure('repeats', found.repeats, 'events', repeatsBar(rounds)),
        figure('start to first ack', slowest, 'ms', 400),
      ]
    } finally {
      await server.end()
    }
  },
}

/** What can be in flight at a kill: both clients' windows, and the chunks of a flush interval. */
function repeatsBar(rounds) {
  const windowEvents = 2 * 8 * 20
  const flushEvents = 400 * 20 * 0.3
  return rounds * (windowEvents + flushEvents)
}

export const memoryRow = {
  name: 'kill -9 under load, memory buffer',
  async run({ quick }) {
    const { out, port, server } = await prepare({ buffered: false })
    try {
      await server.start()
      const clients = new Clients({ port })
      for (let round = 0; round < (quick ? 1 : 3); round += 1) {
        await clients.acked(10)
        await sleep(300)
        await server.signal('SIGKILL')
        await server.start()
      }
      const sendings = await clients.finish()
      const found = await outcome(out, sendings, 2000)
      const said = /memory/i.test(server.log)
      return [
        figure('acked', sendings.ackedEvents, 'events'),
        figure('lost (a memory buffer dies with its process)', found.lost, 'events'),
        figure('torn', found.torn, 'lines', 0),
        figure('starts that do not say so', said ? 0 : 1, '', 0),
      ]
    } finally {
      await server.end()
    }
  },
}

export const restartRow = {
  name: 'SIGTERM and start again under load',
  async run({ quick }) {
    const { out, port, server } = await prepare({ buffered: true })
    try {
      await server.start()
      const clients = new Clients({ port })
      const gaps = []
      for (let round = 0; round < (quick ? 2 : 5); round += 1) {
        await clients.acked(10)
        await sleep(300)
        const from = now()
        await server.signal('SIGTERM')
        await server.start()
        await clients.acked(10)
        gaps.push([from, now()])
      }
      const sendings = await clients.finish()
      const found = await outcome(out, sendings)
      const longest = Math.max(...gaps.map(([from, to]) => sendings.longestGapMs(from, to)))
      return [
        figure('gap in acks', longest, 'ms', 600),
        figure('lost', found.lost, 'events', 0),
        figure('torn', found.torn, 'lines', 0),
        figure('repeats', found.repeats, 'events'),
      ]
    } finally {
      await server.end()
    }
  },
}

export const reloadRow = {
  name: 'reload under load (HUP)',
  async run({ quick }) {
    const { out, port, server } = await prepare({ buffered: true })
    try {
      await server.start()
      const clients = new Clients({ port, messagesPerSecond: 500 })
      await clients.acked(100)
      const cutBefore = (await clients.report()).cut
      const gaps = []
      for (let round = 0; round < (quick ? 2 : 5); round += 1) {
        const from = now()
        server.child.kill('SIGHUP')
        await sleep(1500)
        gaps.push([from, now()])
      }
      const { cut } = await clients.report()
      const sendings = await clients.finish()
      const found = await outcome(out, sendings)
      const longest = Math.max(...gaps.map(([from, to]) => sendings.longestGapMs(from, to)))
      return [
        figure('gap in acks', longest, 'ms', 50),
        figure('connections cut', cut - cutBefore, '', 0),
        figure('lost', found.lost, 'events', 0),
        figure('repeats', found.repeats, 'events'),
      ]
    } finally {
      await server.end()
    }
  },
}

/** A small file system of its own; undefined, with the reason, where that cannot be had. */
function mountSmall(dir, megabytes) {
  if (process.getuid?.() !== 0) return 'needs root, to mount a small file system'
  fs.mkdirSync(dir, { recursive: true })
  try {
    execFileSync('mount', ['-t', 'tmpfs', '-o', `size=${megabytes}m`, 'tmpfs', dir], {
      stdio: 'pipe',
    })
    return undefined
  } catch (error) {
    return `cannot mount: ${String(error.stderr ?? error.message).trim()}`
  }
}

/** Takes all room that is left. */
function fill(path) {
  const file = fs.openSync(path, 'w')
  const write = (block) => {
    try {
      while (fs.writeSync(file, block) > 0);
    } catch (error) {
      if (error.code !== 'ENOSPC') throw error
    }
  }
  write(Buffer.alloc(65_536))
  write(Buffer.alloc(1))
  fs.closeSync(file)
}

function fullRow({ name, onlyOutput }) {
  return {
    name,
    async run({ quick }) {
      const dir = temporaryDirectory()
      const small = path.join(dir, 'small')
      const skipped = mountSmall(small, 16)
      if (skipped !== undefined) {
        fs.rmSync(dir, { recursive: true, force: true })
        return { skipped }
      }
      const port = await freePort()
      const out = path.join(small, 'out.log')
      const buffer = path.join(onlyOutput ? dir : small, 'buffer')
      const config = `${source(port)}<match **>\n${fileOutput({ out, buffer })}</match>\n`
      const server = new Server({ dir, port, config })
      try {
        await server.start()
        const clients = new Clients({ port, messagesPerSecond: 100, ackTimeoutMs: 1000 })
        await clients.acked(50)
        fill(path.join(small, 'filler'))
        await sleep(quick ? 3000 : 10_000)
        const lines = server.log.split('\n').length
        fs.rmSync(path.join(small, 'filler'))
        const sendings = await clients.finish()
        const found = await outcome(out, sendings)
        return [
          figure('acked', sendings.ackedEvents, 'events'),
          figure('lost', found.lost, 'events', 0),
          figure('torn', found.torn, 'lines', 0),
          figure('repeats', found.repeats, 'events'),
          figure('lines of log', lines, '', 200),
          figure('peak memory', server.peakMb(), 'MB', 250),
        ]
      } finally {
        if (server.child !== undefined) await server.signal('SIGTERM')
        execFileSync('umount', ['-l', small])
        await server.end()
      }
    },
  }
}

export const diskFullRow = fullRow({ name: 'disk full, buffer and output', onlyOutput: false })
export const outputFullRow = fullRow({ name: 'disk full, output only', onlyOutput: true })

export const lifeRow = {
  name: 'start, idle memory, end',
  async run({ quick }) {
    const { server } = await prepare({ buffered: true })
    const starts = []
    const ends = []
    let memory = 0
    try {
      const rounds = quick ? 3 : 7
      for (let round = 0; round < rounds; round += 1) {
        starts.push(await server.start())
        await sleep(quick ? 500 : 1500)
        // What start needed is given back after a while without work.
        if (round === rounds - 1 && !quick) await sleep(20_000)
        memory = server.memoryMb()
        ends.push(await server.signal('SIGTERM'))
      }
      const median = (list) => list.sort((a, b) => a - b)[list.length >> 1]
      return [
        figure('start to first connection', median(starts), 'ms', 300),
        figure('idle memory', memory, 'MB', 60),
        figure('TERM to exit', median(ends), 'ms', 500),
      ]
    } finally {
      await server.end()
    }
  },
}

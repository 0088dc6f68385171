import fs from 'node:fs'
import net from 'node:net'
import { Clients, fast } from './clients.mjs'
import { packedMessage } from './messages.mjs'
import { outcome } from './output.mjs'
import { prepare } from './rows-crash.mjs'
import { now, sleep } from './server.mjs'

/** Connections of the whole row, and of the slice that runs with every change. */
const wanted = { whole: 10_000, quick: 600 }
/** Of them, so many send messages and never read an ack, until the receiver reads from them no more. */
const unreadConnections = 4
/** How long they may take for that. */
const pumpSeconds = 15
/** Files this process needs for itself. */
const spareFiles = 400

/** Connections that this machine's limits let two processes have. */
function possible(count) {
  const limits = fs.readFileSync('/proc/self/limits', 'latin1')
  const files = Number(/Max open files\s+(\d+)/.exec(limits)?.[1] ?? 1024)
  return Math.min(count, files - spareFiles)
}

/** Many at a time, from many addresses: one alone may not have all places. */
async function connect(port, count) {
  const sockets = []
  const open = (_, i) =>
    new Promise((resolve, reject) => {
      const socket = net.connect({
        port,
        host: '127.0.0.1',
        localAddress: `127.0.1.${1 + (i % 40)}`,
      })
      socket.once('connect', () => resolve(socket))
      socket.once('error', reject)
    })
  while (sockets.length < count) {
    const some = Math.min(200, count - sockets.length)
    sockets.push(...(await Promise.all(Array.from({ length: some }, open))))
  }
  // The receiver ends those that do nothing for too long: that is no error here.
  for (const socket of sockets) socket.on('error', () => socket.destroy())
  return sockets
}

/** Three kinds of clients that are none: half say nothing, half a byte a second, and a few never read. */
class Flood {
  constructor(sockets) {
    this.sockets = sockets
    this.unread = sockets.slice(0, unreadConnections)
    this.slow = sockets.slice(unreadConnections, Math.ceil(sockets.length / 2))
    for (const socket of this.unread) socket.pause()
    this.message = packedMessage({ tag: 'slow', message: 1, firstId: 4_000_000_000, events: 20 })
    this.ticks = 0
    this.timer = setInterval(() => this.tick(), 100)
  }
  /** A tenth of the slow ones at a time, so that they do not all write in the same moment. */
  tick() {
    const at = Math.floor(this.ticks / 10) % this.message.length
    const byte = this.message.subarray(at, at + 1)
    for (let i = this.ticks % 10; i < this.slow.length; i += 10) this.slow[i].write(byte)
    this.ticks += 1
  }
  /** Sends until nothing is taken any more; says from how many connections nothing is. */
  async pump() {
    const messages = Array.from({ length: 1000 }, (_, i) =>
      packedMessage({ tag: 'unread', message: i, firstId: 3_000_000_000 + i, events: 1 }),
    )
    const block = Buffer.concat(messages)
    let stuck = 0
    for (let i = 0; i < pumpSeconds * 20 && stuck < this.unread.length; i++) {
      stuck = 0
      for (const socket of this.unread) {
        if (socket.writableLength > 2_000_000) stuck += socket.stuck > 20 ? 1 : 0
        else for (let k = 0; k < 40; k++) socket.write(block)
        socket.stuck =
          socket.bytesWritten - socket.writableLength === socket.taken ? socket.stuck + 1 : 0
        socket.taken = socket.bytesWritten - socket.writableLength
      }
      await sleep(50)
    }
    return stuck
  }
  end() {
    clearInterval(this.timer)
    for (const socket of this.sockets) socket.destroy()
  }
}

export const floodRow = {
  name: 'flood: half-open connections, one byte a second, acks never read',
  async run({ quick }) {
    const asked = quick ? wanted.quick : wanted.whole
    const count = possible(asked)
    const { out, port, server } = await prepare({ buffered: false })
    const seconds = quick ? 2 : 4
    const rounds = quick ? 1 : 5
    let flood
    try {
      await server.start()
      const clients = new Clients({ port, connections: 1 })
      const fastest = new Clients({ port, ...fast })
      const measure = async () => {
        await sleep(500)
        const from = now()
        await sleep(seconds * 1000)
        return [from, now()]
      }
      await sleep(1000)
      // The machine's own speed drifts: compared is with what it was right before and after, and of many rounds the median taken.
      const alone = [await measure()]
      const flooded = []
      let open = 0
      let stuck = count
      for (let round = 0; round < rounds; round += 1) {
        flood = new Flood(await connect(port, count))
        stuck = Math.min(stuck, await flood.pump())
        // Taking all that was work for both processes, for which the system lets others run first for a while.
        await sleep(quick ? 500 : 4000)
        flooded.push(await measure())
        open = flood.sockets.filter((socket) => !socket.destroyed).length
        flood.end()
        await sleep(1000)
        alone.push(await measure())
      }
      const sendings = await clients.finish()
      const all = await fastest.finish()
      const found = await outcome(out, sendings)
      const speed = (mark) => all.acksPerSecond(...mark)
      const ratios = flooded.map(
        (mark, i) => (2 * speed(mark)) / (speed(alone[i]) + speed(alone[i + 1])),
      )
      const ratio = ratios.toSorted((one, other) => one - other)[Math.floor(rounds / 2)]
      const worstAckMs = Math.max(...flooded.map((mark) => sendings.worstLatencyMs(...mark)))
      // In seconds on a machine that does other things a speed says little: the slice only shows it.
      const bar = quick ? undefined : 0.9
      const fewer = count < asked ? `fewer than ${asked}: the limit of open files` : undefined
      return [
        { name: 'connections', value: count, unit: '', ok: true, detail: fewer },
        { name: 'of them still open', value: open, unit: '', ok: true },
        {
          name: 'not read from any more',
          value: stuck,
          unit: '',
          bar: 1,
          ok: stuck >= 1,
          least: true,
        },
        {
          name: 'honest speed',
          value: ratio,
          unit: '×',
          bar,
          ok: bar === undefined || ratio >= bar,
          least: true,
        },
        limit('worst honest ack', worstAckMs, 'ms', 500),
        limit('peak memory', server.peakMb(), 'MB', 250),
        limit('honest connections cut', sendings.cut + all.cut, '', 0),
        limit('honest events lost', found.lost, 'events', 0),
      ]
    } finally {
      flood?.end()
      await server.end()
    }
  },
}

const limit = (name, value, unit, bar) => ({ name, value, unit, bar, ok: value <= bar })

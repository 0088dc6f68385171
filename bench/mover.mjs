// The yardstick: the same Node moving the same bytes with no look at them. Reads the sockets as Sluice does (one buffer for all), and
// for every byte read writes `ratio` bytes of filler to the same kind of sink. Arguments: one JSON object
// {port, sink: null | stdout | file | http | forward, ratio, file, url}.
import fs from 'node:fs'
import net from 'node:net'
import { Pool } from 'undici'

const { port, sink, ratio, file, url } = JSON.parse(process.argv[2])
const area = new Uint8Array(new WebAssembly.Memory({ initial: 16, maximum: 16 }).buffer, 0, 262_144)
const filler = Buffer.alloc(1 << 20, `${'x'.repeat(299)}\n`)
const pool = sink === 'http' ? new Pool(new URL(url).origin, { connections: 1 }) : undefined
const fd = sink === 'file' ? fs.openSync(file, 'a') : 1
let owed = 0
let busy = false
const paused = new Set()

const peer = sink === 'forward' ? net.connect(new URL(url).port, '127.0.0.1') : undefined

function write(bytes, done) {
  if (peer) return peer.write(bytes, (error) => done(error, bytes.length))
  if (sink !== 'http') return fs.write(fd, bytes, 0, bytes.length, null, done)
  pool.request({ method: 'POST', path: '/', body: bytes }).then(async (response) => {
    await response.body.dump()
    done(null, bytes.length)
  }, done)
}
function pump() {
  if (busy || owed < 1) return
  busy = true
  const piece = filler.subarray(0, Math.min(owed, filler.length))
  write(piece, (error, written) => {
    if (error) throw error
    owed -= written
    busy = false
    if (owed < 4 << 20) {
      for (const socket of paused) socket.resume()
      paused.clear()
    }
    pump()
  })
}
net
  .createServer({ pauseOnConnect: true }, (accepted) => {
    const socket = new net.Socket({
      handle: accepted._handle,
      allowHalfOpen: true,
      onread: {
        buffer: area,
        callback(length) {
          if (sink === 'null') return true
          owed += length * ratio
          pump()
          if (owed < 8 << 20) return true
          paused.add(socket)
          return false
        },
      },
    })
    socket.on('end', () => socket.end())
    socket.on('error', () => socket.destroy())
    socket.resume()
  })
  .listen(port, '127.0.0.1')
process.on('SIGTERM', () => process.exit(0))

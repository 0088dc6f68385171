// The load generator, a process of its own: sends pre-encoded pieces over several connections, round by round.
// Arguments as one JSON object: {port, mode, connections, rounds, messages, batch, ack, seconds}. Ends by itself: after the rounds,
// or at the first whole round after `seconds`. Prints one JSON line: {rounds, events, bytes, acks, seconds}.
import net from 'node:net'
import { pieces } from './events.mjs'

const options = JSON.parse(process.argv[2])
const { pieces: all, events } = pieces(options)
const started = performance.now()
const deadline = started + options.seconds * 1000
let roundsDone = 0
let bytes = 0
let acks = 0

// Connection c sends pieces c, c + n, c + 2n … of each round; all end after the same round.
let lastRound = options.rounds
function run(c) {
  return new Promise((resolve, reject) => {
    const mine = all.filter((_, i) => i % options.connections === c)
    const socket = net.connect({ port: options.port, host: '127.0.0.1', noDelay: true })
    let round = 0
    let next = 0
    let waiting = 0 // ack bytes still expected before the next piece
    // Fluentd ends a connection with a reset when its peer has: no fault once everything is sent.
    socket.on('error', (error) => (socket.writableFinished ? resolve() : reject(error)))
    socket.on('data', (data) => {
      if (!options.ack) return
      waiting -= data.length
      if (waiting <= 0) {
        acks++
        send()
      }
    })
    socket.on('end', resolve)
    socket.on('close', resolve)
    socket.on('drain', () => send())
    const send = () => {
      for (;;) {
        if (next === mine.length) {
          next = 0
          round++
          if (round > roundsDone) {
            roundsDone = round
            if (performance.now() > deadline && lastRound === options.rounds) lastRound = round + 1
          }
          if (round >= lastRound) {
            socket.end()
            return
          }
        }
        const piece = mine[next++]
        bytes += piece.bytes.length
        if (options.ack) waiting = 30 // 81 a3 "ack" b8 and 24 characters
        const room = socket.write(piece.bytes)
        if (options.ack || !room) return
      }
    }
    socket.once('connect', send)
  })
}
await Promise.all(Array.from({ length: options.connections }, (_, c) => run(c)))
const seconds = (performance.now() - started) / 1000
console.log(
  JSON.stringify({
    rounds: roundsDone,
    events: events * roundsDone,
    ids: events,
    bytes,
    acks,
    seconds,
  }),
)
process.exit(0)

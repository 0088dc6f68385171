// Inflating compressed messages, by the kernel and by Node's zlib: node bench/micro/inflate.mjs (after npm run build).
// From a message of 1000 events to its entries, walked and ready to be handed on, in CPU time; MB are those that come out.
import * as zlib from 'node:zlib'
import { pieces } from '../events.mjs'
import { createKernel, loadKernel } from './kernel.mjs'

const events = 1000
const kernel = createKernel(loadKernel())
const framer = kernel.createFramer({
  skipInvalidEvent: true,
  messageLimitBytes: Number.POSITIVE_INFINITY,
  messageWarnBytes: Number.POSITIVE_INFINITY,
  unfinishedLimitBytes: 2 ** 28,
  itemLimit: 2 ** 30,
  depthLimit: 64,
})
const now = { seconds: 1, nanoseconds: 0 }

/** What bytes of messages come to, with `inflate` for the compressed step. */
function pass(bytes, inflate) {
  framer.feed(bytes)
  let count = 0
  for (let step = framer.next(now); step; step = framer.next(now)) {
    if (step.kind === 'compressed') inflate(step)
    else count += step.count
  }
  return count
}

const ways = {
  kernel: (step) => {
    if (framer.gunzip(step, 2 ** 28) !== 'done') throw new Error('not inflated')
  },
  gunzipSync: (step) => framer.feedEntries(zlib.gunzipSync(step.payload), step, true),
}

/** Log lines that repeat little: words in random order, of a fixed seed. */
function variedPayload() {
  let seed = 1
  const random = (below) => {
    seed = (Math.imul(seed, 1_664_525) + 1_013_904_223) >>> 0
    return Math.floor((seed / 2 ** 32) * below)
  }
  const word = () => Buffer.alloc(4 + random(8)).map(() => 97 + random(26))
  const words = Array.from({ length: 500 }, word)
  const entry = () => {
    const text = Buffer.concat(Array.from({ length: 24 }, () => words[random(500)])).subarray(
      0,
      160,
    )
    const head = [0x92, 0xce, 0x65, random(256), random(256), random(256), 0x81, 0xa3, 0x6c, 0x6f]
    return Buffer.concat([Buffer.from([...head, 0x67, 0xd9, text.length]), text])
  }
  return zlib.gzipSync(Buffer.concat(Array.from({ length: events }, entry)))
}

function messageOf(payload) {
  const head = Buffer.from([0x93, 0xa1, 0x74, 0xc6, 0, 0, 0, 0])
  head.writeUInt32BE(payload.length, 4)
  const option = Buffer.from('81aa636f6d70726573736564a4677a6970', 'hex')
  return Buffer.concat([head, payload, option])
}

const messages = {
  'Docker-like entries': pieces({ mode: 'gzip', messages: 1, batch: events }).pieces[0].bytes,
  'entries of random words': messageOf(variedPayload()),
}

for (const [name, message] of Object.entries(messages)) {
  let outputBytes = 0
  pass(message, (step) => {
    outputBytes = zlib.gunzipSync(step.payload).length
    ways.kernel(step)
  })
  console.log(`${name}: ${message.length} bytes, ${outputBytes} inflated`)
  for (const [way, inflate] of Object.entries(ways)) {
    let best = Number.POSITIVE_INFINITY
    for (let round = 0; round < 9; round++) {
      const start = process.cpuUsage()
      for (let i = 0; i < 300; i++) {
        if (pass(message, inflate) !== events) throw new Error('events are missing')
      }
      const { user, system } = process.cpuUsage(start)
      best = Math.min(best, (user + system) / 300)
    }
    const mbPerSecond = (outputBytes / best).toFixed(0).padStart(5)
    const eventNs = (best * 1000) / events
    console.log(
      `  ${way.padEnd(12)} ${mbPerSecond} MB/s  ${eventNs.toFixed(0).padStart(4)} ns an event`,
    )
  }
}

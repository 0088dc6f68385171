// What the kernel's scan costs an event: node bench/micro/scan.mjs (after npm run build).
// Docker-like entries of 250 bytes, four string keys; the read area is filled once, and only scanning is timed, in CPU time.
import { createKernel, loadKernel } from './kernel.mjs'

const text = (value) => {
  const bytes = Buffer.from(value)
  const head = bytes.length < 32 ? [0xa0 | bytes.length] : [0xd9, bytes.length]
  return Buffer.concat([Buffer.from(head), bytes])
}
const time = Buffer.from('d26b00aa46', 'hex')
const record = Buffer.concat([
  Buffer.from([0x84]),
  text('container_id'),
  text('4f1c2d9a7be0435c8a61d3f2907b5e6cc1f0a9e8d7b6c5f4e3d2c1b0a9f8e7d6'),
  text('container_name'),
  text('/web-1'),
  text('source'),
  text('stdout'),
  text('log'),
  text('x'.repeat(115)),
])
const tag = text('docker.web')
const bin = (bytes) => {
  const head = Buffer.alloc(5)
  head[0] = 0xc6
  head.writeUInt32BE(bytes.length, 1)
  return Buffer.concat([head, bytes])
}
const repeat = (bytes, times) => Buffer.concat(new Array(times).fill(bytes))
const arrayOf = (bytes, times) =>
  Buffer.concat([Buffer.from([0xdc, times >> 8, times & 255]), repeat(bytes, times)])
const entry = Buffer.concat([Buffer.from([0x92]), time, record])
const metaEntry = Buffer.concat([Buffer.from([0x92, 0x92]), time, Buffer.from([0x80]), record])

const cases = {
  message: repeat(
    Buffer.concat([Buffer.from([0x94]), tag, time, record, Buffer.from([0x80])]),
    1000,
  ),
  forward: Buffer.concat([Buffer.from([0x92]), tag, arrayOf(entry, 1000)]),
  packed: Buffer.concat([Buffer.from([0x92]), tag, bin(repeat(entry, 1000))]),
  'packed with metadata': Buffer.concat([Buffer.from([0x92]), tag, bin(repeat(metaEntry, 1000))]),
}

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

const pass = (bytes) => {
  framer.feed(bytes)
  let count = 0
  for (let step = framer.next(now); step; step = framer.next(now)) count += step.count ?? 0
  return count
}

const cpuMicroseconds = (start) => {
  const { user, system } = process.cpuUsage(start)
  return user + system
}

console.log(`entries of ${entry.length} bytes`)
for (const [name, bytes] of Object.entries(cases)) {
  if (bytes.length > kernel.readArea.length) throw new Error(`${name} does not fit`)
  kernel.readArea.set(bytes)
  const view = kernel.readArea.subarray(0, bytes.length)
  const times = []
  for (let round = 0; round < 7; round++) {
    const start = process.cpuUsage()
    let events = 0
    for (let i = 0; i < 300; i++) events += pass(view)
    times.push((cpuMicroseconds(start) * 1000) / events)
  }
  console.log(`${name.padEnd(22)} ${Math.min(...times).toFixed(1)} ns an event`)
}

// The whole of a large message in pieces: cost a byte must not depend on how it is cut.
const large = Buffer.concat([Buffer.from([0x92]), tag, bin(repeat(entry, 75_000))])
for (const size of [65_536, 4096, 64]) {
  const start = process.cpuUsage()
  let count = 0
  for (let at = 0; at < large.length; at += size) count += pass(large.subarray(at, at + size))
  const total = cpuMicroseconds(start) / 1e3
  console.log(
    `18 MB in pieces of ${String(size).padEnd(6)} ${total.toFixed(0)} ms, ${count} events`,
  )
}

// Honest clients, on a thread of their own, so that what the harness does meanwhile is not in their times. They send
// messages with unique ids, wait for acks, and send again what was not acknowledged when the connection is lost or the ack is late.
import net from 'node:net'
import { parentPort, workerData } from 'node:worker_threads'
import { ackBytes, messageOf, packedMessage } from './messages.mjs'

const { port, tag, connections, perMessage, messagesPerSecond, window, ackTimeoutMs, firstId } =
  workerData

const now = () => performance.timeOrigin + performance.now()
const sentAt = []
const ackedAt = []
const times = []
let messages = 0
let producing = true
let cut = 0
let refused = 0
let tokens = 0
let lastTick = now()

class Client {
  waiting = new Map()
  socket = undefined
  buffered = Buffer.alloc(0)
  connect() {
    this.buffered = Buffer.alloc(0)
    const socket = net.connect({ port, host: '127.0.0.1', noDelay: true })
    this.socket = socket
    this.connected = false
    socket.on('connect', () => {
      this.connected = true
      for (const message of this.waiting.keys()) this.write(message)
      this.fill()
    })
    socket.on('data', (data) => this.acks(data))
    socket.on('error', () => undefined)
    socket.on('close', () => {
      if (this.socket !== socket) return
      if (this.connected) cut += 1
      else refused += 1
      this.socket = undefined
      this.connected = false
      if (!this.ended) setTimeout(() => this.connect(), this.connected ? 0 : 5)
    })
  }
  acks(data) {
    const all = this.buffered.length === 0 ? data : Buffer.concat([this.buffered, data])
    let at = 0
    for (; at + ackBytes <= all.length; at += ackBytes) {
      const message = messageOf(all.subarray(at, at + ackBytes))
      if (!this.waiting.delete(message)) continue
      ackedAt[message] = now()
    }
    this.buffered = all.subarray(at)
    this.fill()
  }
  write(message) {
    times[message] = (times[message] ?? 0) + 1
    const written = now()
    this.waiting.set(message, written)
    sentAt[message] ??= written
    this.socket.write(
      packedMessage({ tag, message, firstId: firstId + message * perMessage, events: perMessage }),
    )
  }
  fill() {
    while (producing && this.connected && this.waiting.size < window && take()) {
      this.write(messages)
      messages += 1
    }
  }
  late() {
    const [oldest] = this.waiting.values()
    if (oldest !== undefined && this.connected && now() - oldest > ackTimeoutMs)
      this.socket.destroy()
  }
}

function take() {
  if (messagesPerSecond === 0) return true
  if (tokens < 1) return false
  tokens -= 1
  return true
}

const clients = Array.from({ length: connections }, () => new Client())
for (const client of clients) client.connect()
const ticker = setInterval(() => {
  const at = now()
  tokens = Math.min(
    tokens + ((at - lastTick) / 1000) * messagesPerSecond,
    messagesPerSecond / 10 + 1,
  )
  lastTick = at
  for (const client of clients) {
    client.fill()
    client.late()
  }
}, 5)

function report() {
  return {
    messages,
    cut,
    refused,
    waiting: clients.reduce((sum, client) => sum + client.waiting.size, 0),
    acked: Object.keys(ackedAt).length,
  }
}

parentPort.on('message', ({ ask }) => {
  if (ask === 'report') parentPort.postMessage(report())
  if (ask === 'quiet') {
    producing = false
    parentPort.postMessage(report())
  }
  if (ask === 'arrays') {
    const dense = (list) => Float64Array.from({ length: messages }, (_, i) => list[i] ?? Number.NaN)
    parentPort.postMessage({
      ...report(),
      sentAt: dense(sentAt),
      ackedAt: dense(ackedAt),
      times: dense(times),
    })
  }
  if (ask === 'end') {
    clearInterval(ticker)
    for (const client of clients) {
      client.ended = true
      client.socket?.destroy()
    }
    parentPort.postMessage({})
    parentPort.close()
  }
})

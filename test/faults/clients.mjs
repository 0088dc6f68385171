import { once } from 'node:events'
import { Worker } from 'node:worker_threads'
import { sleep } from './server.mjs'

const defaults = {
  tag: 'honest',
  connections: 2,
  perMessage: 20,
  messagesPerSecond: 250,
  window: 8,
  ackTimeoutMs: 5000,
  firstId: 0,
}

/**
 * Options of a client that sends all the receiver takes: so much a message that the receiver, not this client, sets the
 * speed.
 */
export const fast = {
  tag: 'fast',
  connections: 1,
  perMessage: 200,
  messagesPerSecond: 0,
  window: 4,
  firstId: 2_000_000_000,
}

/** Honest clients under way. */
export class Clients {
  constructor(options) {
    this.options = { ...defaults, ...options }
    this.worker = new Worker(new URL('client-worker.mjs', import.meta.url), {
      workerData: this.options,
    })
  }
  async #ask(ask) {
    const answered = once(this.worker, 'message')
    this.worker.postMessage({ ask })
    return (await answered)[0]
  }
  report() {
    return this.#ask('report')
  }
  /** Waits until so many messages more are acknowledged. */
  async acked(more, limitMs = 20_000) {
    const { acked } = await this.report()
    for (let waitedMs = 0; waitedMs < limitMs; waitedMs += 5) {
      if ((await this.report()).acked >= acked + more) return
      await sleep(5)
    }
    throw new Error('no acks come')
  }
  /** Produces nothing new, waits until everything is acknowledged, ends. Gives what was sent and acknowledged, by message. */
  async finish(limitMs = 20_000) {
    let { waiting } = await this.#ask('quiet')
    for (let waitedMs = 0; waiting > 0 && waitedMs < limitMs; waitedMs += 20) {
      await sleep(20)
      waiting = (await this.report()).waiting
    }
    const arrays = await this.#ask('arrays')
    await this.#ask('end')
    return new Sendings(arrays, this.options)
  }
  arrays() {
    return this.#ask('arrays').then((arrays) => new Sendings(arrays, this.options))
  }
}

/** What clients know of what they sent. Times are milliseconds since 1970. */
export class Sendings {
  constructor(arrays, { perMessage, firstId }) {
    Object.assign(this, arrays)
    this.perMessage = perMessage
    this.firstId = firstId
  }
  get events() {
    return this.messages * this.perMessage
  }
  get ackedEvents() {
    return this.acked * this.perMessage
  }
  wasAcked(message) {
    return !Number.isNaN(this.ackedAt[message])
  }
  /** The longest time without an ack in [from, to]. */
  longestGapMs(from, to) {
    const at = [from, ...[...this.ackedAt].filter((time) => time >= from && time <= to), to].sort(
      (a, b) => a - b,
    )
    return Math.max(...at.slice(1).map((time, i) => time - at[i]))
  }
  /** The longest time an ack took, of messages sent in [from, to]. */
  worstLatencyMs(from, to) {
    let worst = 0
    for (let i = 0; i < this.messages; i += 1) {
      if (this.sentAt[i] >= from && this.sentAt[i] <= to && this.wasAcked(i))
        worst = Math.max(worst, this.ackedAt[i] - this.sentAt[i])
    }
    return worst
  }
  acksPerSecond(from, to) {
    return (
      ([...this.ackedAt].filter((time) => time >= from && time <= to).length * 1000) / (to - from)
    )
  }
  /** Compared with what is there: ids → how often. */
  compare(counts) {
    let lost = 0
    let repeats = 0
    let resent = 0
    for (let message = 0; message < this.messages; message += 1) {
      for (let i = 0; i < this.perMessage; i += 1) {
        const times = counts.get(this.firstId + message * this.perMessage + i) ?? 0
        if (times === 0 && this.wasAcked(message)) lost += 1
        if (times <= 1) continue
        repeats += times - 1
        if (this.times[message] > 1) resent += times - 1
      }
    }
    return { lost, repeats, resent }
  }
}

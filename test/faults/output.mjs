import fs from 'node:fs'
import { paddingChars } from './messages.mjs'
import { now, sleep } from './server.mjs'

const line = new RegExp(`^\\{"id":(\\d+),"pad":"x{${paddingChars}}"\\}$`)

/** How often each id stands in a file of lines, and how many lines are none. */
export function readOutput(path) {
  const counts = new Map()
  let torn = 0
  if (!fs.existsSync(path)) return { counts, torn }
  const text = fs.readFileSync(path, 'latin1')
  const lines = text.split('\n')
  if (lines.pop() !== '') torn += 1
  for (const one of lines) {
    const id = line.exec(one)?.[1]
    if (id === undefined) torn += 1
    else counts.set(Number(id), (counts.get(Number(id)) ?? 0) + 1)
  }
  return { counts, torn }
}

/** Waits until everything acknowledged is there; gives the comparison, whatever it is, after `limitMs`. */
export async function outcome(path, sendings, limitMs = 20_000) {
  const until = now() + limitMs
  for (;;) {
    const { counts, torn } = readOutput(path)
    const result = { ...sendings.compare(counts), torn }
    if ((result.lost === 0 && torn === 0) || now() > until) return result
    await sleep(300)
  }
}

/** Watches a file grow, and how long after it was sent each message's first event is there. */
export class Watcher {
  #offset = 0
  #rest = ''
  seenAt = new Map()
  constructor(path) {
    this.path = path
    this.timer = setInterval(() => this.look(), 10)
  }
  look() {
    if (!fs.existsSync(this.path)) return
    const at = now()
    const { size } = fs.statSync(this.path)
    if (size <= this.#offset) return
    const file = fs.openSync(this.path, 'r')
    const block = Buffer.alloc(size - this.#offset)
    fs.readSync(file, block, 0, block.length, this.#offset)
    fs.closeSync(file)
    this.#offset = size
    const lines = (this.#rest + block.toString('latin1')).split('\n')
    this.#rest = lines.pop()
    for (const one of lines) {
      const id = Number(line.exec(one)?.[1])
      if (!this.seenAt.has(id)) this.seenAt.set(id, at)
    }
  }
  /** The longest time from sending to standing there, of messages sent in [from, to]. */
  worstDelayMs(sendings, from, to) {
    let worst = 0
    for (let i = 0; i < sendings.messages; i += 1) {
      const sent = sendings.sentAt[i]
      if (!(sent >= from && sent <= to)) continue
      const seen =
        this.seenAt.get(sendings.firstId + i * sendings.perMessage) ?? Number.POSITIVE_INFINITY
      worst = Math.max(worst, seen - sent)
    }
    return worst
  }
  end() {
    clearInterval(this.timer)
  }
}

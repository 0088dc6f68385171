import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import net from 'node:net'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { encode } from '../../src/msgpack/encode.ts'
import { freePort, listening, type Running, run, until } from './support.ts'

/** Reloads of the built command under load: no connection is cut, nothing is lost, nothing is there twice. */

const reloads = 10
const eventsPerMs = 2

interface Load {
  readonly sent: () => number
  readonly acked: () => number
  /** The longest time without an ack, in milliseconds. */
  readonly gapMs: () => number
  /** What happened to the connection; undefined: it is open. */
  readonly broke: () => string | undefined
  /** Sends no more, waits for what is acknowledged (if anything is), and ends. */
  finish(): Promise<void>
}

/** 2,000 events a second over one connection, each a message of its own. */
function send(port: number, options: { acks: boolean }): Promise<Load> {
  let sent = 0
  let acked = 0
  let gapMs = 0
  let lastMs = performance.now()
  let broke: string | undefined
  let rest = ''
  const socket = net.connect(port, '127.0.0.1')
  socket.on('data', (bytes) => {
    const text = rest + bytes.toString('latin1')
    acked += text.match(/ack.c\d{8}/gs)?.length ?? 0
    rest = text.slice(text.lastIndexOf('\x81'))
    if (/ack.c\d{8}$/s.test(rest)) rest = ''
    const nowMs = performance.now()
    gapMs = Math.max(gapMs, nowMs - lastMs)
    lastMs = nowMs
  })
  socket.on('error', (error) => {
    broke = error.message
  })
  socket.on('close', () => {
    broke ??= 'closed'
  })
  const startMs = performance.now()
  let timer: NodeJS.Timeout | undefined
  const tick = () => {
    const due = Math.floor((performance.now() - startMs) * eventsPerMs)
    // A sender that was held up itself does not send all of it in one go.
    const count = Math.min(due - sent, 200)
    const parts: Uint8Array[] = []
    for (let i = 0; i < count; i++) {
      const n = sent++
      const chunk = `c${String(n).padStart(8, '0')}`
      const record = new Map([['n', n]])
      parts.push(
        encode(
          options.acks
            ? ['load', 1_700_000_000, record, new Map([['chunk', chunk]])]
            : ['load', 1_700_000_000, record],
        ),
      )
    }
    if (parts.length > 0) socket.write(Buffer.concat(parts))
  }
  return new Promise((resolve) => {
    socket.once('connect', () => {
      lastMs = performance.now()
      timer = setInterval(tick, 2)
      resolve({
        sent: () => sent,
        acked: () => acked,
        gapMs: () => gapMs,
        broke: () => broke,
        async finish() {
          clearInterval(timer)
          if (options.acks) await until('all acks', () => acked >= sent)
          expect(broke).toBeUndefined()
          socket.end()
          await until('the end', () => broke === 'closed')
        },
      })
    })
  })
}

/** Numbers of the events in all files below the directory's `out`. */
function delivered(dir: string): number[] {
  const found: number[] = []
  for (const name of readdirSync(dir)) {
    if (!name.startsWith('out')) continue
    for (const line of readFileSync(join(dir, name), 'utf8').split('\n')) {
      if (line !== '') found.push((JSON.parse(line) as { n: number }).n)
    }
  }
  return found.sort((a, b) => a - b)
}

const reloaded = (sluice: Running) =>
  sluice.log().match(/the new configuration is in place/g)?.length ?? 0

async function underReloads(options: {
  config: (port: number, turn: number) => string
  acks: boolean
}): Promise<{ load: Load; log: string; numbers: number[] }> {
  const port = await freePort()
  const sluice = run({ config: options.config(port, 0) })
  try {
    await listening(port, sluice)
    const load = await send(port, options)
    for (let turn = 1; turn <= reloads; turn++) {
      await new Promise((done) => setTimeout(done, 100))
      const text = options.config(port, turn).replaceAll('@DIR@', sluice.dir)
      writeFileSync(join(sluice.dir, 'fluent.conf'), text)
      sluice.child.kill(turn % 2 === 0 ? 'SIGHUP' : 'SIGUSR2')
      await until(
        () => `reload ${turn}:\n${sluice.log()}`,
        () => reloaded(sluice) === turn,
      )
    }
    await load.finish()
    let numbers: number[] = []
    sluice.child.kill('SIGUSR1')
    await until(
      () => `${load.sent()} events, have ${numbers.length}:\n${sluice.log()}`,
      () => {
        numbers = delivered(sluice.dir)
        return numbers.length >= load.sent()
      },
    )
    return { load, log: sluice.log(), numbers }
  } finally {
    expect(await sluice.stop()).toBe(0)
  }
}

const source = (port: number, ...lines: string[]) =>
  `<source>\n  @type forward\n  bind 127.0.0.1\n  port ${port}\n${lines.map((line) => `  ${line}\n`).join('')}</source>\n`
const file = (suffix: string, buffer: string) =>
  `<match load>\n  @type file\n  path @DIR@/out\n  path_suffix ${suffix}\n  append true\n  <format>\n    @type json\n  </format>\n  <buffer []>\n    ${buffer}\n    flush_mode interval\n    flush_interval 0.05\n  </buffer>\n</match>\n`

describe('ten reloads under load', { timeout: 60_000 }, () => {
  const cases: [string, (port: number, turn: number) => string][] = [
    [
      'another output beside one that stays',
      (port, turn) =>
        `${source(port)}${file('.log', '@type file\n    path @DIR@/buffer')}<match other>\n  @type stdout\n  @id out${turn}\n</match>\n`,
    ],
    [
      'an output that changes, with its buffer in files',
      (port, turn) => source(port) + file(`.${turn}.log`, '@type file\n    path @DIR@/buffer'),
    ],
    [
      'an output that changes, with its buffer in memory',
      (port, turn) => source(port) + file(`.${turn}.log`, '@type memory'),
    ],
  ]

  it.each(cases)('%s: one connection, every event once, acks go on', async (_, config) => {
    const { load, numbers } = await underReloads({ config, acks: true })
    expect(numbers).toEqual(Array.from({ length: load.sent() }, (_, n) => n))
    // Far above what it is on a quiet machine, far below what a stop and a start take.
    expect(load.gapMs()).toBeLessThan(500)
  })

  it('a client without acks (Docker) loses nothing', async () => {
    const { load, numbers } = await underReloads({ config: cases[1]![1], acks: false })
    expect(numbers).toEqual(Array.from({ length: load.sent() }, (_, n) => n))
  })
})

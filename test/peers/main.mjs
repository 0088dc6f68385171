#!/usr/bin/env node
// npm run peers -- [--fluentd COMMAND] [--fluent-bit COMMAND] [--record DIRECTORY] [--rows REGEXP]
//
// The built command and other people's programs hand events to each other over real sockets, with acks, compression,
// <security> and TLS; every event must arrive, once. COMMAND starts the program; ` -c FILE` is put behind it. --record keeps the
// bytes of the rows from a peer to Sluice, as test/captures has them. Ends with 1 if a row fails, or if there is no peer.
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import net from 'node:net'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { parseArgs } from 'node:util'
import { freePort, Program, recorded, sleep } from './programs.mjs'
import { rows } from './rows.mjs'

const { values } = parseArgs({
  options: {
    fluentd: { type: 'string' },
    'fluent-bit': { type: 'string' },
    record: { type: 'string' },
    rows: { type: 'string', default: '.' },
  },
})
const commands = {
  sluice: `${process.execPath} ${resolve('dist/cli.js')} -q`,
  fluentd: values.fluentd,
  'fluent-bit': values['fluent-bit'],
}
// Recordings are committed: they are short.
const events = values.record === undefined ? 2_000 : 200
const waitMs = 30_000

/** Messages of 20 events, Forward mode, without acks: { n } from 0 to `events` - 1. */
function messages() {
  const all = []
  // ['peer.one', [20 entries]]
  const head = Buffer.from('92a8706565722e6f6e65dc0014', 'hex')
  for (let first = 0; first < events; first += 20) {
    const entries = Array.from({ length: 20 }, (_, i) => {
      const n = Buffer.alloc(5, 0xce)
      n.writeUInt32BE(first + i, 1)
      return Buffer.concat([Buffer.from('92ce6553f10081a16e', 'hex'), n])
    })
    all.push(head, ...entries)
  }
  return Buffer.concat(all)
}

async function play(row, directory) {
  const [clientPort, middlePort, finalPort] = [await freePort(), await freePort(), await freePort()]
  const recording = values.record !== undefined && row.recorded === true
  const last = new Program(commands[row.to], {
    config: row.receiver(finalPort),
    path: join(directory, 'to.conf'),
    port: finalPort,
  })
  const proxy = recording ? await recorded(middlePort, finalPort) : undefined
  const first = new Program(commands[row.from], {
    config: row.sender(clientPort, recording ? middlePort : finalPort),
    path: join(directory, 'from.conf'),
    port: clientPort,
  })
  try {
    await last.listening()
    await first.listening()
    const socket = net.connect(clientPort, '127.0.0.1')
    await new Promise((done, failed) => socket.once('connect', done).once('error', failed))
    socket.end(messages())
    const deadline = Date.now() + waitMs
    while (last.numbers().length < events && Date.now() < deadline) await sleep(50)
    // What comes twice comes soon.
    await sleep(500)
    const numbers = last.numbers()
    const missing = events - new Set(numbers).size
    if (proxy !== undefined && missing === 0) keep(row, proxy)
    return { missing, repeats: numbers.length - new Set(numbers).size, log: first.log + last.log }
  } finally {
    proxy?.close()
    await first.stop()
    await last.stop()
  }
}

function keep(row, proxy) {
  mkdirSync(values.record, { recursive: true })
  const name = join(values.record, row.name.replace(/\W+/g, '-'))
  const [{ sent, answered }] = proxy.connections.sort((a, b) => length(b.sent) - length(a.sent))
  writeFileSync(`${name}.bin`, Buffer.concat(sent))
  writeFileSync(`${name}.reply.bin`, Buffer.concat(answered))
}

const length = (pieces) => pieces.reduce((sum, piece) => sum + piece.length, 0)

const wanted = new RegExp(values.rows)
const directory = mkdtempSync(join(tmpdir(), 'sluice-peers-'))
let played = 0
let failed = 0
try {
  for (const row of rows()) {
    if (!wanted.test(row.name) || !commands[row.from] || !commands[row.to]) continue
    played += 1
    const { missing, repeats, log } = await play(row, directory)
    const ok = missing === 0 && repeats === 0
    if (!ok) failed += 1
    console.log(
      `${ok ? 'ok    ' : 'FAILED'} ${row.name.padEnd(60)} ${events - missing} of ${events}, ${repeats} repeats`,
    )
    if (!ok) console.log(log.split('\n').slice(-15).join('\n'))
  }
} finally {
  rmSync(directory, { recursive: true, force: true })
}
if (played === 0) console.log('no peer: give --fluentd COMMAND or --fluent-bit COMMAND')
process.exitCode = played === 0 || failed > 0 ? 1 : 0

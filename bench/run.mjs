#!/usr/bin/env node
// npm run bench -- [--cells REGEXP] [--seconds N] [--runs N] [--ack] [--json FILE] [--no-mover] [--servers REGEXP] [--workers N] [--peer NAME='COMMAND {conf}'] ...
//
// Cells are named <mode>_to_<sink>[_acked]: {message, forward, packed, gzip} × {null, stdout, file, http, ...}; all are in cells.mjs. For each: starts the server
// with a configuration of its own, sends pre-encoded Docker-like events (250 bytes packed, 4 connections) from a second process, and waits
// until the sink has every event exactly once. Printed: events a second, events per CPU second of the server (all its
// processes), peak memory, and the CPU it took relative to a program that only moves the same bytes (bench/mover.mjs), measured
// right after it. --peer measures another server the same way in the same run, cell by cell; {conf} is a file in Fluentd's
// format, {flb} one in Fluent Bit's.
import { spawn } from 'node:child_process'
import fs from 'node:fs'
import net from 'node:net'
import os from 'node:os'
import path from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { cells, fluentBitConfig, fluentdConfig, metricsConfig } from './cells.mjs'
import { Measured } from './process.mjs'
import { makeSink } from './sinks.mjs'

const here = path.dirname(fileURLToPath(import.meta.url))
const { values: options } = parseArgs({
  options: {
    cells: { type: 'string', default: '.' },
    seconds: { type: 'string', default: '4' },
    runs: { type: 'string', default: '1' },
    connections: { type: 'string', default: '4' },
    servers: { type: 'string', default: '.' },
    ack: { type: 'boolean', default: false },
    json: { type: 'string' },
    'no-mover': { type: 'boolean', default: false },
    peer: { type: 'string', multiple: true, default: [] },
    port: { type: 'string', default: '28224' },
    workers: { type: 'string' },
    'cpu-prof': { type: 'boolean', default: false },
  },
})
const port = Number(options.port)
const sinkPort = port + 1
const metricsPort = port + 2
const sluice = `node ${options['cpu-prof'] ? `--cpu-prof --cpu-prof-dir=${here}/../.bench ` : ''}${path.join(here, '../dist/cli.js')} --suppress-config-dump ${options.workers ? `--workers ${options.workers} ` : ''}-q -c {conf}`

const sleep = (ms) => new Promise((resolve) => setTimeout(resolve, ms))

function isListening() {
  return new Promise((resolve) => {
    const socket = net.connect(port, '127.0.0.1', () => {
      socket.destroy()
      resolve(true)
    })
    socket.on('error', () => resolve(false))
  })
}

async function listening(deadlineMs) {
  const until = performance.now() + deadlineMs
  while (performance.now() < until) {
    if (await isListening()) return
    await sleep(20)
  }
  throw new Error('the server does not listen')
}

/** With nothing behind the server to count at, it is asked what it received. */
async function receivedProblems(sent) {
  const url = `http://127.0.0.1:${metricsPort}/aggregated_metrics`
  const text = await (await fetch(url)).text()
  const lines = text.split('\n').filter((line) => line.startsWith('sluice_input_events_total{'))
  const events = lines.reduce((sum, line) => sum + Number(line.slice(line.lastIndexOf(' ') + 1)), 0)
  return events === sent ? [] : [`${events} events received, ${sent} sent`]
}

async function measure({ command, mode, kind, ack, seconds }) {
  const sink = kind.to
  const dir = fs.mkdtempSync(path.join(os.tmpdir(), 'sluice-bench-'))
  const at = { dir, port, sinkPort }
  const own = command === sluice
  fs.writeFileSync(
    path.join(dir, 'fluent.conf'),
    fluentdConfig({ kind, at }) + (own ? metricsConfig(metricsPort) : ''),
  )
  fs.writeFileSync(path.join(dir, 'fluent-bit.conf'), fluentBitConfig({ kind, at }))
  const batch = mode === 'message' ? 250 : 1000
  const messages = ack && mode === 'message' ? 8 : 32
  const target = makeSink(kind, { dir, port: sinkPort, ids: batch * messages })
  await target.open()
  if (await isListening()) throw new Error(`something listens on ${port} already: see --port`)
  const server = new Measured(
    command.replace('{conf}', `${dir}/fluent.conf`).replace('{flb}', `${dir}/fluent-bit.conf`),
    { cwd: dir, env: { TZ: 'UTC' } },
  )
  server.child.stdout.on('data', (data) => {
    if (sink === 'stdout') target.verifier.feed(data)
  })
  try {
    await listening(15_000)
    await sleep(300)
    const cpuBefore = server.cpuSeconds()
    const started = performance.now()
    const load = spawn(
      process.execPath,
      [
        path.join(here, 'load.mjs'),
        JSON.stringify({
          port,
          mode,
          connections: Number(options.connections),
          rounds: 1e9,
          messages,
          batch,
          ack,
          seconds,
        }),
      ],
      {
        stdio: ['ignore', 'pipe', 'inherit'],
      },
    )
    let report = ''
    load.stdout.on('data', (data) => (report += data))
    const code = await new Promise((resolve) => load.once('exit', resolve))
    if (code !== 0)
      throw new Error(`the load generator failed; the server said: ${server.stderr.slice(-2000)}`)
    const sent = JSON.parse(report)
    let seen = -1
    for (let quiet = 0; sink !== 'null' && quiet < 50; ) {
      if (sink === 'file') {
        // Reading the file takes CPU: only once its size stands still.
        const size = fs
          .readdirSync(dir)
          .reduce((sum, name) => sum + fs.statSync(path.join(dir, name)).size, 0)
        quiet = size === seen ? quiet + 1 : 0
        seen = size
        if (quiet === 8) target.settle()
      } else {
        quiet = target.verifier.events === seen ? quiet + 1 : 0
        seen = target.verifier.events
      }
      if (target.verifier.events >= sent.events) break
      await sleep(100)
    }
    const wall = (performance.now() - started) / 1000
    const cpu = server.cpuSeconds() - cpuBefore
    const memory = server.peakMemoryMb()
    const received = own
      ? await receivedProblems(sent.events).catch((error) => [
          `${error.message}; the server said: ${server.stderr.slice(-2000)}`,
        ])
      : []
    await server.stop()
    target.settle()
    const problems =
      sink === 'null' ? received : [...received, ...target.verifier.problems(sent.rounds)]
    return {
      events: sent.events,
      bytesIn: sent.bytes,
      bytesOut: target.verifier.wireBytes || target.verifier.bytes,
      wall,
      cpu,
      memory,
      problems,
    }
  } finally {
    server.child.kill('SIGKILL')
    await server.exited
    await target.close()
    fs.rmSync(dir, { recursive: true, force: true })
  }
}

/** CPU seconds the mover takes for as many bytes in and out. */
async function moverCpu(cell, result) {
  const dir = fs.mkdtempSync(path.join(os.tmpdir(), 'sluice-mover-'))
  const ratio = cell.kind.to === 'null' ? 0 : result.bytesOut / result.bytesIn
  const job = {
    port,
    sink: cell.kind.to,
    ratio,
    file: `${dir}/out`,
    url: `http://127.0.0.1:${sinkPort}/`,
  }
  const target = makeSink({ to: cell.kind.to }, { dir, port: sinkPort, ids: 1 })
  await target.open()
  const server = new Measured(`node ${path.join(here, 'mover.mjs')} '${JSON.stringify(job)}'`, {
    cwd: here,
  })
  server.child.stdout.on('data', () => {})
  try {
    await listening(5000)
    await sleep(200)
    const before = server.cpuSeconds()
    const { mode } = cell
    const load = spawn(
      process.execPath,
      [
        path.join(here, 'load.mjs'),
        JSON.stringify({
          port,
          mode,
          connections: Number(options.connections),
          rounds: 1e9,
          messages: 32,
          batch: mode === 'message' ? 250 : 1000,
          ack: false,
          seconds: cell.seconds,
        }),
      ],
      {
        stdio: ['ignore', 'pipe', 'inherit'],
      },
    )
    let report = ''
    load.stdout.on('data', (data) => (report += data))
    await new Promise((resolve) => load.once('exit', resolve))
    const sent = JSON.parse(report)
    let cpu = server.cpuSeconds()
    for (let quiet = 0; quiet < 3; quiet++) {
      await sleep(150)
      const now = server.cpuSeconds()
      if (now - cpu > 0.005) quiet = 0
      cpu = now
    }
    return ((cpu - before) / sent.bytes) * result.bytesIn
  } finally {
    server.child.kill('SIGKILL')
    await server.exited
    await target.close()
    fs.rmSync(dir, { recursive: true, force: true })
  }
}

const median = (numbers) => [...numbers].sort((a, b) => a - b)[Math.floor(numbers.length / 2)]
const whole = (n) => Math.round(n).toLocaleString('en-US')

const servers = [
  { name: 'sluice', command: sluice },
  ...options.peer.map((text) => ({
    name: text.slice(0, text.indexOf('=')),
    command: text.slice(text.indexOf('=') + 1),
  })),
].filter((server) => new RegExp(options.servers).test(server.name))
const chosen = cells
  .map((cell) => ({
    ...cell,
    seconds: Number(options.seconds),
  }))
  .filter(
    (cell) =>
      new RegExp(options.cells).test(cell.name) &&
      (options.ack || !cell.ack || /acked/.test(options.cells)),
  )

console.log(
  `${'cell'.padEnd(26)}${'server'.padEnd(12)}${'events/s'.padStart(11)}${'per CPU s'.padStart(12)}${'peak MB'.padStart(9)}${'× mover CPU'.padStart(13)}${'× peers'.padStart(9)}`,
)
const rows = []
let failed = 0
for (const cell of chosen) {
  const own = []
  for (const server of servers) {
    const results = []
    const ratios = []
    for (let run = 0; run < Number(options.runs); run++) {
      const result = await measure({ command: server.command, ...cell })
      results.push(result)
      if (server.name === 'sluice' && !cell.ack && !options['no-mover'])
        ratios.push(result.cpu / (await moverCpu(cell, result)))
    }
    const row = {
      cell: cell.name,
      server: server.name,
      eventsPerSecond: median(results.map((r) => r.events / r.wall)),
      eventsPerCpuSecond: median(results.map((r) => r.events / r.cpu)),
      peakMb: Math.max(...results.map((r) => r.memory)),
      moverRatio: ratios.length ? median(ratios) : undefined,
      problems: results.flatMap((r) => r.problems),
    }
    if (server.name === 'sluice') {
      own.push(row)
      failed += row.problems.length
    }
    const versus =
      server.name === 'sluice' ? undefined : own[0]?.eventsPerCpuSecond / row.eventsPerCpuSecond
    rows.push({ ...row, versus })
    console.log(
      `${cell.name.padEnd(26)}${server.name.padEnd(12)}${whole(row.eventsPerSecond).padStart(11)}${whole(row.eventsPerCpuSecond).padStart(12)}${row.peakMb.toFixed(0).padStart(9)}${(row.moverRatio?.toFixed(2) ?? '').padStart(13)}${(versus ? `${versus.toFixed(2)}` : '').padStart(9)}${row.problems.length ? `  NOT ALL ARRIVED: ${row.problems.join(', ')}` : ''}`,
    )
  }
}
if (options.json) fs.writeFileSync(options.json, `${JSON.stringify(rows, null, 2)}\n`)
process.exit(failed ? 1 : 0)

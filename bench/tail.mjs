#!/usr/bin/env node
// node bench/tail.mjs [--lines N] [--parsers none,json,regexp,nginx] [--peer 'COMMAND {flb}'] [--cpu-prof]
//
// Follows a file that grows by N lines (about 200 bytes each), once a parser, into the output null. Printed: lines a second, lines per CPU second, peak
// memory. The events are counted at the server; for Sluice the pos_file must stand at the file's end too. A peer is Fluent
// Bit ({flb}: its configuration) or Fluentd ({conf}).
import fs from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { Measured } from './process.mjs'

const here = path.dirname(fileURLToPath(import.meta.url))
const { values: options } = parseArgs({
  options: {
    lines: { type: 'string', default: '2000000' },
    parsers: { type: 'string', default: 'none,json,regexp,nginx' },
    peer: { type: 'string', multiple: true, default: [] },
    port: { type: 'string', default: '28324' },
    'cpu-prof': { type: 'boolean', default: false },
  },
})
const total = Number(options.lines)
const metricsPort = Number(options.port)
const profile = options['cpu-prof'] ? `--cpu-prof --cpu-prof-dir=${here}/../.bench ` : ''
const sluice = `node ${profile}${path.join(here, '../dist/cli.js')} --suppress-config-dump -q -c {conf}`
const sleep = (ms) => new Promise((resolve) => setTimeout(resolve, ms))

const access = (i) =>
  `10.0.${i & 255}.7 - frank [14/Nov/2023:22:13:20 +0000] "GET /api/v1/items/${i % 977} HTTP/1.1" 200 ${1000 + (i % 977)} "http://www.example.com/start.html" "Mozilla/5.0 (X11; Linux x86_64) Chrome/119.0 Safari/537.36" `
const cases = {
  none: { line: access, parse: '@type none' },
  json: {
    line: (i) =>
      JSON.stringify({
        level: 'info',
        host: 'web-1',
        request: `GET /api/v1/items/${i % 977}`,
        status: 200,
        bytes: 1000 + (i % 977),
        agent: 'Mozilla/5.0 (X11; Linux x86_64) Chrome/119.0 Safari/537.36',
        message: 'request served from cache',
      }),
    parse: '@type json',
    flb: 'Name p\n    Format json',
  },
  regexp: {
    line: access,
    parse: '@type regexp\n    expression /^(?<host>[^ ]*) [^ ]* (?<user>[^ ]*) (?<rest>.*)$/',
    flb: 'Name p\n    Format regex\n    Regex ^(?<host>[^ ]*) [^ ]* (?<user>[^ ]*) (?<rest>.*)$',
  },
  nginx: {
    line: access,
    parse: '@type nginx',
    flb: 'Name p\n    Format regex\n    Regex ^(?<remote>[^ ]*) (?<host>[^ ]*) (?<user>[^ ]*) \\[(?<time>[^\\]]*)\\] "(?<method>\\S+)(?: +(?<path>[^\\"]*?)(?: +\\S*)?)?" (?<code>[^ ]*) (?<size>[^ ]*)(?: "(?<referer>[^\\"]*)" "(?<agent>[^\\"]*)")\n    Time_Key time\n    Time_Format %d/%b/%Y:%H:%M:%S %z',
  },
}

function write({ dir, kind }) {
  fs.writeFileSync(
    `${dir}/fluent.conf`,
    `<source>
  @type tail
  path ${dir}/in.log
  pos_file ${dir}/pos
  tag t
  read_from_head true
  <parse>
    ${kind.parse}
  </parse>
</source>
<source>
  @type prometheus
  bind 127.0.0.1
  port ${metricsPort}
</source>
<match **>
  @type null
</match>
`,
  )
  fs.writeFileSync(
    `${dir}/flb.conf`,
    `[SERVICE]
    Flush 0.2
    Log_Level error
    HTTP_Server On
    HTTP_Listen 127.0.0.1
    HTTP_Port ${metricsPort}
    Parsers_File ${dir}/parsers.conf
[INPUT]
    Name tail
    Path ${dir}/in.log
    Read_from_Head On
    Refresh_Interval 1
    Tag t${kind.flb === undefined ? '' : '\n    Parser p'}
[OUTPUT]
    Name null
    Match *
`,
  )
  fs.writeFileSync(
    `${dir}/parsers.conf`,
    kind.flb === undefined ? '' : `[PARSER]\n    ${kind.flb}\n`,
  )
}

async function count(isPeer) {
  const url = isPeer ? '/api/v1/metrics/prometheus' : '/metrics'
  try {
    const text = await (await fetch(`http://127.0.0.1:${metricsPort}${url}`)).text()
    const name = isPeer ? 'fluentbit_input_records_total{' : 'sluice_input_events_total{'
    let sum = 0
    for (const line of text.split('\n')) {
      if (line.startsWith(name))
        sum += Number(
          line
            .replace(/ \d{13}$/, '')
            .split(' ')
            .at(-1),
        )
    }
    return sum
  } catch {
    return 0 // It does not listen yet.
  }
}

async function until(what, look, limitMs = 120_000) {
  const deadline = performance.now() + limitMs
  while (!(await look())) {
    if (performance.now() > deadline) throw new Error(`waited in vain for ${what}`)
    await sleep(20)
  }
}

/** Lines in pieces of a thousand, which are different. */
function pieces(kind) {
  return Array.from({ length: 20 }, (_, p) =>
    Buffer.from(Array.from({ length: 1000 }, (_, i) => `${kind.line(p * 1000 + i)}\n`).join('')),
  )
}

async function measure(command, kind) {
  const isPeer = command.includes('{flb}')
  const dir = fs.mkdtempSync(path.join(os.tmpdir(), 'sluice-tail-bench-'))
  write({ dir, kind })
  const log = `${dir}/in.log`
  const some = pieces(kind)
  fs.writeFileSync(log, some[0])
  const server = new Measured(
    command.replace('{conf}', `${dir}/fluent.conf`).replace('{flb}', `${dir}/flb.conf`),
    { cwd: dir, env: { TZ: 'UTC' } },
  )
  try {
    await until('the first lines', async () => (await count(isPeer)) >= 1000)
    const cpuBefore = server.cpuSeconds()
    const started = performance.now()
    const fd = fs.openSync(log, 'a')
    for (let written = 0; written < total; written += 1000) {
      fs.writeSync(fd, some[(written / 1000) % some.length])
      // So far ahead only that all of it stays in the page cache, and nobody waits for a disk.
      if (written % 100_000 === 0) await sleep(1)
    }
    fs.closeSync(fd)
    const all = 1000 + Math.ceil(total / 1000) * 1000
    await until('all lines', async () => (await count(isPeer)) >= all)
    const seconds = (performance.now() - started) / 1000
    const cpu = server.cpuSeconds() - cpuBefore
    const memory = server.peakMemoryMb()
    const counted = await count(isPeer)
    await server.stop()
    const problems = counted === all ? [] : [`${counted} events of ${all} lines`]
    if (!isPeer && fs.existsSync(`${dir}/pos`)) {
      const position = Number.parseInt(fs.readFileSync(`${dir}/pos`, 'utf8').split('\t')[1], 16)
      if (position !== fs.statSync(log).size) problems.push(`the position is ${position}`)
    }
    return { perSecond: total / seconds, perCpuSecond: total / cpu, memory, problems }
  } finally {
    server.child.kill('SIGKILL')
    fs.rmSync(dir, { recursive: true })
  }
}

let failed = false
for (const name of options.parsers.split(',')) {
  let own
  for (const command of [sluice, ...options.peer]) {
    const { perSecond, perCpuSecond, memory, problems } = await measure(command, cases[name])
    own ??= perCpuSecond
    const ratio = command === sluice ? '' : `, we are at ${(own / perCpuSecond).toFixed(2)} of it`
    console.log(
      `tail_${name} ${command === sluice ? 'sluice' : command.split(' ')[0].split('/').at(-1)}: ` +
        `${(perSecond / 1e6).toFixed(2)} M lines/s, ${(perCpuSecond / 1e6).toFixed(2)} M lines per CPU second${ratio}, ` +
        `peak ${memory.toFixed(0)} MB${problems.length === 0 ? '' : ` WRONG: ${problems.join('; ')}`}`,
    )
    failed ||= problems.length > 0
  }
}
process.exitCode = failed ? 1 : 0

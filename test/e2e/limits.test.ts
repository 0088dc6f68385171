import { createSocket } from 'node:dgram'
import { readFileSync } from 'node:fs'
import net from 'node:net'
import { gzipSync } from 'node:zlib'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { freePort, listening, type Running, run, until } from './support.ts'

/**
 * Every limit of docs/SECURITY.md, gone beyond from outside, on a listener of its own: the built command stops it, and
 * its metrics say so.
 */

type Attack = (port: number) => unknown

interface Case {
  /** Of docs/SECURITY.md: source and parameter, or what it is called where it is no parameter. */
  readonly limit: string
  readonly source: string
  readonly attack: Attack
  /** `metric reason`. */
  readonly counted: string
}

const open: net.Socket[] = []
const connect: Attack = (port) => send(port, '')

/** Sends, and stays. */
function send(port: number, text: string | Uint8Array): net.Socket {
  const socket = net.connect(port, '127.0.0.1', () => socket.write(text))
  // Being cut off is what is wanted.
  socket.on('error', () => undefined).resume()
  open.push(socket)
  return socket
}

const sends =
  (text: string | Uint8Array): Attack =>
  (port) =>
    send(port, text)

const twice: Attack = async (port) => {
  const first = send(port, '')
  await new Promise((resolve) => first.once('connect', resolve))
  send(port, '')
}

const datagram =
  (text: string): Attack =>
  (port) => {
    const socket = createSocket('udp4')
    socket.send(text, port, '127.0.0.1', () => socket.close())
  }

const hex = (text: string) => Buffer.from(text, 'hex')
const str = (text: string) => Buffer.concat([Buffer.of(0xd9, text.length), Buffer.from(text)])
const post = (body: string, path = '/t', more = '') =>
  `POST ${path} HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n${more}Content-Length: ${body.length}\r\n\r\n${body}`
/** [tag, bin, {"compressed": "gzip"}] */
const bomb = () => {
  const body = gzipSync(Buffer.alloc(100_000))
  const head = Buffer.alloc(5, 0xc6)
  head.writeUInt32BE(body.length, 1)
  const option = Buffer.concat([hex('81'), str('compressed'), str('gzip')])
  return Buffer.concat([hex('93'), str('t'), head, body, option])
}
/** Requests that take a while each, one behind the other on one connection. */
const pipelined = () => {
  const body = gzipSync(Buffer.alloc(1_000_000, ' '))
  const head = `POST /t HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Encoding: gzip\r\nContent-Length: ${body.length}\r\n\r\n`
  return Buffer.concat(Array.from({ length: 40 }, () => Buffer.concat([Buffer.from(head), body])))
}
const event = (tag: string, record: string) =>
  Buffer.concat([hex('93'), str(tag), hex('00'), hex(record)])

const refused = 'sluice_connections_refused_total'
const dropped = 'sluice_input_dropped_messages_total'
const invalid = 'sluice_input_invalid_events_total'
const asked = 'sluice_http_refused_total'
const tls = 'sluice_tls_handshake_errors_total'
const security = '<security>\nself_hostname a\nshared_key b\n</security>'

const forward = (limit: string, lines: string, attack: Attack, counted: string): Case => ({
  limit: `forward ${limit}`,
  source: `@type forward\n${lines}`,
  attack,
  counted,
})
const http = (limit: string, lines: string, attack: Attack, counted: string): Case => ({
  limit: `http ${limit}`,
  source: `@type http\n${lines}`,
  attack,
  counted,
})
const line = (type: string, limit: string, value: string, attack: Attack, counted: string) => ({
  limit: `${type} ${limit}`,
  source: `@type ${type}\ntag t\n${limit} ${value}\n${type === 'syslog' ? '<transport tcp>\n</transport>\n' : ''}<parse>\n@type ${type === 'syslog' ? 'syslog' : 'none'}\n</parse>`,
  attack,
  counted,
})

const cases: readonly Case[] = [
  forward('max_connections', 'max_connections 1', twice, `${refused} max_connections`),
  forward(
    'max_connections_per_address',
    'max_connections_per_address 1',
    twice,
    `${refused} max_connections_per_address`,
  ),
  forward('allow_from', 'allow_from 192.0.2.1', connect, `${refused} allow_from`),
  forward(
    'handshake_timeout',
    `handshake_timeout 0.3\n${security}`,
    connect,
    `${refused} handshake_timeout`,
  ),
  forward('4 KiB before', security, sends(Buffer.alloc(5000, 0xd9)), `${refused} invalid_ping`),
  forward('idle_timeout', 'idle_timeout 0.3', connect, `${refused} idle_timeout`),
  forward(
    'partial_message_timeout',
    'partial_message_timeout 0.3',
    sends(hex('93a174')),
    `${refused} partial_message_timeout`,
  ),
  forward(
    'unfinished_message_limit',
    'unfinished_message_limit 64k',
    sends(Buffer.concat([hex('93a174c6000fffff'), Buffer.alloc(100_000)])),
    `${dropped} unfinished`,
  ),
  forward(
    'unfinished_total_limit',
    'unfinished_total_limit 64k\nunfinished_message_limit 64k',
    (port) => {
      const part = Buffer.concat([hex('93a174c60000ea60'), Buffer.alloc(50_000)])
      send(port, part)
      send(port, part)
    },
    `${refused} unfinished_total_limit`,
  ),
  forward(
    'chunk_size_limit',
    'chunk_size_limit 100',
    sends(Buffer.concat([hex('93a174ce00000001'), hex('81a161c500c8'), Buffer.alloc(200)])),
    `${dropped} chunk_size_limit`,
  ),
  forward(
    'decompression_size_limit',
    'decompression_size_limit 10k',
    sends(bomb()),
    `${dropped} inflate`,
  ),
  forward(
    'tag_length_limit',
    'tag_length_limit 10',
    sends(event('t'.repeat(11), '80')),
    `${invalid} invalid_tag`,
  ),
  forward(
    'record_keys_limit',
    'record_keys_limit 16',
    sends(
      event(
        't',
        `de0011${Array.from({ length: 17 }, (_, i) => `a1${(0x61 + i).toString(16)}c0`).join('')}`,
      ),
    ),
    `${invalid} invalid_entry`,
  ),
  forward(
    'record_size_limit',
    'record_size_limit 10',
    sends(event('t', `81a161aa${'62'.repeat(10)}`)),
    `${invalid} invalid_entry`,
  ),
  forward('64 levels', '', sends(event('t', `81a161${'91'.repeat(70)}c0`)), `${dropped} malformed`),
  forward('1,000 values', '', sends(Buffer.alloc(1000, 1)), `${dropped} malformed`),
  {
    limit: 'transport handshake_timeout',
    source: '@type forward\n<transport tls>\ninsecure true\nhandshake_timeout 0.3\n</transport>',
    attack: connect,
    counted: `${tls} timeout`,
  },
  http(
    'body_size_limit',
    'body_size_limit 10',
    sends(post('{"a":"01234567"}')),
    `${dropped} body_size`,
  ),
  http(
    'decompression_size_limit',
    'decompression_size_limit 100',
    async (port) => {
      const headers = { 'content-encoding': 'gzip', 'content-type': 'application/json' }
      const body = gzipSync(Buffer.alloc(10_000, ' '))
      await fetch(`http://127.0.0.1:${port}/t`, { method: 'POST', headers, body })
    },
    `${dropped} decompression_size_limit`,
  ),
  http(
    'record_size_limit',
    'record_size_limit 10',
    sends(post('{"a":"01234567"}')),
    `${dropped} record_size_limit`,
  ),
  http(
    'record_keys_limit',
    'record_keys_limit 16',
    sends(
      post(JSON.stringify(Object.fromEntries([...'abcdefghijklmnopq'].map((key) => [key, 1])))),
    ),
    `${dropped} record_keys_limit`,
  ),
  http(
    'total_body_limit',
    'total_body_limit 10',
    sends(post('{"a":"01234567"}')),
    `${dropped} budget`,
  ),
  http(
    'tag_length_limit',
    'tag_length_limit 10',
    sends(post('{}', '/longer.than.ten')),
    `${dropped} tag`,
  ),
  http(
    'request_timeout',
    'request_timeout 0.3',
    sends('POST /t HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\n{'),
    `${dropped} request_timeout`,
  ),
  http('max_connections', 'max_connections 1', twice, `${refused} max_connections`),
  http(
    'max_connections_per_address',
    'max_connections_per_address 1',
    twice,
    `${refused} max_connections_per_address`,
  ),
  http('allow_from', 'allow_from 192.0.2.1', connect, `${refused} client`),
  http(
    '16 KiB of headers',
    '',
    sends(post('{}', '/t', `X: ${'x'.repeat(20_000)}\r\n`)),
    `${dropped} header_size`,
  ),
  http('16 requests', '', sends(pipelined()), `${dropped} pipelining`),
  http(
    'cors_allow_origins',
    'cors_allow_origins ["http://a.example"]',
    sends(post('{}', '/t', 'Origin: http://b.example\r\n')),
    `${dropped} origin`,
  ),
  line(
    'tcp',
    'message_length_limit',
    '10',
    sends(`${'x'.repeat(20)}\n`),
    `${dropped} message_length_limit`,
  ),
  line('tcp', 'max_connections', '1', twice, `${refused} max_connections`),
  line('tcp', 'max_connections_per_address', '1', twice, `${refused} max_connections_per_address`),
  line('tcp', 'idle_timeout', '0.3', connect, `${refused} idle_timeout`),
  line(
    'syslog',
    'message_length_limit',
    '10',
    sends(`<6>${'x'.repeat(20)}\n`),
    `${dropped} message_length_limit`,
  ),
  line('syslog', 'max_connections', '1', twice, `${refused} max_connections`),
  line(
    'syslog',
    'max_connections_per_address',
    '1',
    twice,
    `${refused} max_connections_per_address`,
  ),
  line('syslog', 'idle_timeout', '0.3', connect, `${refused} idle_timeout`),
  line(
    'udp',
    'message_length_limit',
    '10',
    datagram('x'.repeat(20)),
    'sluice_input_cut_messages_total message_length_limit',
  ),
  {
    limit: 'monitor_agent 16 KiB of headers',
    source: '@type monitor_agent\nbind 127.0.0.1',
    attack: sends(post('{}', '/t', `X: ${'x'.repeat(20_000)}\r\n`)),
    counted: `${asked} header_size`,
  },
  {
    limit: 'monitor_agent another name',
    source: '@type monitor_agent',
    attack: sends('GET /api/plugins HTTP/1.1\r\nHost: evil.example\r\n\r\n'),
    counted: `${asked} name`,
  },
  {
    limit: 'prometheus another name',
    source: '@type prometheus\nbind 127.0.0.1',
    attack: sends('GET /metrics HTTP/1.1\r\nHost: evil.example\r\n\r\n'),
    counted: `${asked} name`,
  },
  {
    limit: 'prometheus 256 connections',
    source: '@type prometheus\nbind 127.0.0.1',
    attack(port) {
      for (let i = 0; i < 300; i += 1) send(port, '')
    },
    counted: `${asked} max_connections`,
  },
]

let sluice: Running
let ports: number[] = []
let metricsPort: number
let rpcPort: number

beforeAll(async () => {
  metricsPort = await freePort()
  rpcPort = await freePort()
  ports = await Promise.all(cases.map(() => freePort()))
  const sources = cases.map(
    ({ source }, i) => `<source>\n@id case_${i}\nport ${ports[i]}\n${source}\n</source>\n`,
  )
  const config = `<system>\nrpc_endpoint 0.0.0.0:${rpcPort}\n</system>
<source>\n@type prometheus\nbind 127.0.0.1\nport ${metricsPort}\n</source>
${sources.join('')}<match **>\n@type null\n</match>\n`
  sluice = run({ config })
  await listening(metricsPort, sluice)
  await until('all sources', async () => {
    const answer = await fetch(`http://127.0.0.1:${metricsPort}/readyz`)
    return answer.status === 200
  })
})

afterAll(async () => {
  for (const socket of open) socket.destroy()
  expect(await sluice.stop()).toBe(0)
})

/** The counter's value; 0 where it has none. */
async function counter(name: string, labels: Readonly<Record<string, string>>): Promise<number> {
  const text = await (await fetch(`http://127.0.0.1:${metricsPort}/metrics`)).text()
  const found = text
    .split('\n')
    .find(
      (row) =>
        row.startsWith(`${name}{`) &&
        Object.entries(labels).every(([key, value]) => row.includes(`${key}="${value}"`)),
    )
  return Number(found?.split(' ').at(-1) ?? 0)
}

describe('a limit that is gone beyond is counted:', () => {
  it.each(cases.map((one, i) => [one.limit, one, i] as const))('%s', async (_limit, one, i) => {
    const [name = '', reason = ''] = one.counted.split(' ')
    const labels = { plugin_id: `case_${i}`, reason }
    expect(await counter(name, labels)).toBe(0)
    await one.attack(ports[i] as number)
    await until(
      () => `${one.counted}; the log ends:\n${sluice.log().slice(-2000)}`,
      async () => (await counter(name, labels)) > 0,
    )
  })

  it('RPC by a name that was made to lead here', async () => {
    send(rpcPort, 'GET /api/processes.killWorkers HTTP/1.1\r\nHost: evil.example\r\n\r\n')
    await until(
      'the metric',
      async () => (await counter(asked, { type: 'rpc', reason: 'name' })) > 0,
    )
  })
})

it('every limit of docs/SECURITY.md is among them', () => {
  const page = readFileSync('docs/SECURITY.md', 'utf8').split('\n## Limits\n')[1] ?? ''
  const rows = [...page.matchAll(/^\| \[([a-z_]+)\]\(\S+\) `([a-z_]+)` \|/gm)]
  expect(rows.length).toBeGreaterThan(25)
  const tried = new Set(cases.map(({ limit }) => limit))
  expect(
    rows.map(([, source, name]) => `${source} ${name}`).filter((row) => !tried.has(row)),
  ).toEqual([])
})

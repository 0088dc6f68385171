import { afterEach, describe, expect, it } from 'vitest'
import type { SourceDefinition } from '../../../../src/config/define.ts'
import { syslogSource } from '../../../../src/sources/syslog/index.ts'
import { tcpSource } from '../../../../src/sources/tcp/index.ts'
import { udpSource } from '../../../../src/sources/udp/index.ts'
import { startHttp } from '../http/harness.ts'
import { startSource } from './harness.ts'

type Running = Awaited<ReturnType<typeof startSource>>

const started: Running[] = []

afterEach(async () => {
  for (const { source, host } of started.splice(0)) {
    const stopped = source.stop(new AbortController().signal)
    await host.clock.advance(1000)
    await stopped
  }
})

async function start(definition: SourceDefinition, lines: string): Promise<Running> {
  const running = await startSource(definition, `tag a\nport 0\n${lines}`)
  for (const address of ['10.0.0.7', '127.0.0.1']) running.host.net.names.set(address, 'seven')
  started.push(running)
  return running
}

const none = '<parse>\n@type none\n</parse>'
const recordsOf = ({ events }: Running) =>
  events.map((event) => JSON.parse(event.slice(event.indexOf('{'))) as unknown)

/** What comes of a text that arrives from the host `seven`. */
async function received(definition: SourceDefinition, lines: string, text: string, tcp: boolean) {
  const running = await start(definition, lines)
  if (tcp) {
    const client = running.client({ address: '10.0.0.7' })
    await running.host.clock.settle()
    client.send(Buffer.from(text))
  } else {
    running.host.net.datagram(running.port, Buffer.from(text))
  }
  await running.host.clock.settle()
  return recordsOf(running)
}

describe('parameters of tcp and udp', () => {
  const peer = { message: 'm' }

  it.each<[string, SourceDefinition, string, string, boolean, unknown]>([
    ['tcp', tcpSource, 'blocking_timeout 3', 'm\n', true, peer],
    ['tcp', tcpSource, 'source_host_key h', 'm\n', true, { ...peer, h: 'seven' }],
    ['udp', udpSource, 'blocking_timeout 3', 'm\n', false, peer],
    ['udp', udpSource, 'receive_buffer_size 1', 'm\n', false, peer],
    ['udp', udpSource, 'source_host_key h', 'm\n', false, { ...peer, h: 'seven' }],
    ['udp', udpSource, 'body_size_limit 3', 'mnopq', false, { message: 'mno' }],
    ['udp', udpSource, 'remove_newline false', 'm\r\n', false, { message: 'm\r\n' }],
    ['udp', udpSource, 'remove_newline true', 'm\r\n', false, peer],
    ['udp', udpSource, '<transport udp>\n</transport>', 'm\n', false, peer],
    ['udp', udpSource, '<transport>\nprotocol udp\n</transport>', 'm\n', false, peer],
  ])('%s: %#', async (_type, definition, lines, text, tcp, record) => {
    expect(await received(definition, `${lines}\n${none}`, text, tcp)).toEqual([record])
  })

  it('udp has no other transport protocol', async () => {
    const lines = `<transport tcp>\n</transport>\n${none}`
    await expect(start(udpSource, lines)).rejects.toThrow('tcp')
  })
})

describe('parameters of syslog', () => {
  const text = '<13>Nov 14 22:13:20 box id: m'
  const record = { host: 'box', ident: 'id', message: 'm' }

  it.each<[string, boolean, Record<string, string>]>([
    ['blocking_timeout 3', false, {}],
    ['source_host_key h', false, {}],
    ['include_source_host true', false, { source_host: 'seven' }],
    ['include_source_host true\nsource_host_key h', false, { h: 'seven' }],
    ['source_hostname_key h\nresolve_hostname true', false, { h: 'seven' }],
    ['protocol_type tcp', true, {}],
    ['protocol_type udp', false, {}],
    ['<transport tcp>\n</transport>', true, {}],
    ['<transport>\nprotocol udp\n</transport>', false, {}],
  ])('%j', async (lines, tcp, more) => {
    const [first] = await received(syslogSource, lines, tcp ? `${text}\n` : text, tcp)
    expect(first).toEqual({ ...record, ...more })
  })

  it('resolve_hostname false does not go with source_hostname_key', async () => {
    const lines = 'source_hostname_key h\nresolve_hostname false'
    await expect(start(syslogSource, lines)).rejects.toThrow('resolve_hostname must be true')
  })

  it.each([true, false])('send_keepalive_packet %s', async (on) => {
    const transport = '<transport tcp>\n</transport>'
    const running = await start(syslogSource, `send_keepalive_packet ${on}\n${transport}`)
    const client = running.client()
    await running.host.clock.settle()
    expect(client.keepAlive).toBe(on)
  })
})

describe('parameters of source http', () => {
  it('blocking_timeout changes nothing', async () => {
    const lines = '@type http\nblocking_timeout 3'.replace('@type http\n', '')
    const { post, events } = await startHttp(lines)
    expect(await post('/t', 'application/json', '{"a":1}')).toBe('200')
    expect(events).toHaveLength(1)
  })

  it.each([
    ['backlog 7', { backlog: 7 }],
    ['keepalive_timeout 3', { keepAliveTimeoutMs: 3_000 }],
    ['', { backlog: undefined, keepAliveTimeoutMs: 10_000 }],
  ])('%j is what the server is asked for', async (lines, wanted) => {
    const { host } = await startHttp(lines)
    expect(host.http.served).toMatchObject([wanted])
  })
})

import { afterEach, describe, expect, it } from 'vitest'
import { noneParser } from '../../../../src/parsers/none.ts'
import { syslogSource } from '../../../../src/sources/syslog/index.ts'
import { tcpSource } from '../../../../src/sources/tcp/index.ts'
import { udpSource } from '../../../../src/sources/udp/index.ts'
import { bindSource } from '../../../support/plugin-context.ts'
import { startSource } from './harness.ts'

const started: {
  source: { stop(deadline: AbortSignal): Promise<void> }
  host: { clock: { advance(ms: number): Promise<void> } }
}[] = []

async function start(...args: Parameters<typeof startSource>) {
  const running = await startSource(...args)
  started.push(running)
  return running
}

const none = '<parse>\n@type none\n</parse>'
const json = '<parse>\n@type json\n</parse>'

afterEach(async () => {
  for (const { source, host } of started.splice(0)) {
    const stopped = source.stop(new AbortController().signal)
    await host.clock.advance(1000)
    await stopped
  }
})

describe('source tcp', () => {
  it('makes an event of each line, those of one read in one batch', async () => {
    const running = await start(tcpSource, `tag a\nport 0\n${json}`)
    const client = running.client()
    client.send(Buffer.from('{"n":1}\n{"n":2}\n{"n"'))
    client.send(Buffer.from(':3}\n'))
    expect(running.events.map((event) => event.replace(/ \d+ /, ' '))).toEqual([
      'a {"n":1}',
      'a {"n":2}',
      'a {"n":3}',
    ])
    expect(running.batches).toEqual([2, 1])
  })

  it('counts and says what does not match, and goes on', async () => {
    const running = await start(tcpSource, `tag a\nport 0\n${json}`)
    running.client().send(Buffer.from('nonsense\n{"n":1}\n'))
    expect(running.events).toHaveLength(1)
    const { metrics, log } = running.host
    expect(metrics.value('sluice_input_invalid_events_total', { reason: 'unmatched' })).toBe(1)
    expect(log.messages('warn')).toEqual(['pattern not matched'])
  })

  it('drops messages beyond message_length_limit', async () => {
    const running = await start(tcpSource, `tag a\nport 0\nmessage_length_limit 4\n${none}`)
    running.client().send(Buffer.from('abcd\nabcde\nab\n'))
    expect(
      running.events.map((event) => JSON.parse(event.slice(event.indexOf('{'))).message),
    ).toEqual(['abcd', 'ab'])
    expect(
      running.host.metrics.value('sluice_input_dropped_messages_total', {
        reason: 'message_length_limit',
      }),
    ).toBe(1)
  })

  it('takes another delimiter, and writes the client into the record', async () => {
    const running = await start(
      tcpSource,
      `tag a\nport 0\ndelimiter "||"\nsource_address_key from\nsource_hostname_key name\n${none}`,
    )
    running.host.net.names.set('10.0.0.7', 'seven')
    const client = running.client({ address: '10.0.0.7' })
    await running.host.clock.settle()
    client.send(Buffer.from('one|'))
    client.send(Buffer.from('|two||'))
    expect(running.events.map((event) => event.slice(event.indexOf('{')))).toEqual([
      '{"message":"one","from":"10.0.0.7","name":"seven"}',
      '{"message":"two","from":"10.0.0.7","name":"seven"}',
    ])
  })

  it('takes tag and time out of the record with <extract>', async () => {
    const extract = '<extract>\ntag_key t\ntime_key at\ntime_type unixtime\n</extract>'
    const running = await start(tcpSource, `tag a\nport 0\n${json}\n${extract}`)
    running.client().send(Buffer.from('{"t":"own","at":100,"n":1}\n{"n":2}\n'))
    expect(running.events[0]).toBe('own 100 {"n":1}')
    expect(running.events[1]).toMatch(/^a \d+ \{"n":2\}$/)
  })

  it('reads no more from a client while the consumer pushes back', async () => {
    const running = await start(tcpSource, `tag a\nport 0\n${none}`)
    let release = () => {}
    running.answer = () => new Promise<void>((resolve) => (release = resolve))
    const client = running.client()
    client.send(Buffer.from('one\n'))
    expect(client.paused).toBe(true)
    running.answer = () => undefined
    release()
    await running.host.clock.settle()
    expect(client.paused).toBe(false)
  })

  it('says what ended within a message', async () => {
    const running = await start(tcpSource, `tag a\nport 0\n${none}`)
    const client = running.client()
    client.send(Buffer.from('half'))
    client.end()
    await running.host.clock.settle()
    expect(running.events).toEqual([])
    expect(
      running.host.metrics.value('sluice_input_dropped_messages_total', { reason: 'unfinished' }),
    ).toBe(1)
  })

  it('refuses strangers', async () => {
    const clients = '<security>\n<client>\nnetwork 10.0.0.0/8\n</client>\n</security>'
    const running = await start(tcpSource, `tag a\nport 0\n${none}\n${clients}`)
    expect(running.admits('10.1.2.3')).toBe(true)
    expect(running.admits('192.0.2.1')).toBe(false)
    expect(running.host.log.messages('warn')).toEqual(["anonymous client '192.0.2.1' denied"])
  })

  it('says what is wrong with <client>', async () => {
    const clients = '<security>\n<client>\nnetwork 10.0.0.0/99\n</client>\n</security>'
    await expect(startSource(tcpSource, `tag a\n${none}\n${clients}`)).rejects.toThrow(
      "network '10.0.0.0/99' address format is invalid",
    )
  })

  it('demands a <parse> section', () => {
    expect(() => bindSource(tcpSource, 'tag a', [noneParser])).toThrow(
      '<parse> section is required',
    )
  })
})

describe('source udp', () => {
  it('makes an event of each datagram, without its newline', async () => {
    const running = await start(udpSource, `tag u\nport 0\nmessage_length_limit 5\n${none}`)
    for (const text of ['one\r\n', 'two\n', 'longer than five']) {
      running.host.net.datagram(running.port, Buffer.from(text))
    }
    await running.host.clock.settle()
    expect(running.batches).toEqual([3])
    expect(running.events.map((event) => event.slice(event.indexOf('{')))).toEqual([
      '{"message":"one"}',
      '{"message":"two"}',
      '{"message":"longe"}',
    ])
  })

  it('drops, counted, what comes while too much waits', async () => {
    const running = await start(udpSource, `tag u\nport 0\n${none}`)
    running.answer = () => new Promise<void>(() => {})
    for (let n = 0; n < 1100; n++) {
      running.host.net.datagram(running.port, Buffer.from(`${n}`))
      await running.host.clock.settle()
    }
    expect(running.events).toHaveLength(1024)
    expect(
      running.host.metrics.value('sluice_input_dropped_messages_total', { reason: 'overflow' }),
    ).toBe(76)
    started.pop()
  })
})

describe('source syslog', () => {
  const line = '<6>Sep 10 00:00:00 localhost logger: foo'

  it('tags by facility and severity', async () => {
    const running = await start(
      syslogSource,
      'tag sys\nport 0\nfacility_key f\nseverity_key s\nsource_address_key a',
    )
    running.host.net.datagram(running.port, Buffer.from(`${line}\n`))
    await running.host.clock.settle()
    expect(running.events[0]).toMatch(/^sys\.kern\.info /)
    expect(running.events[0]).toContain('"s":"info","f":"kern","a":"127.0.0.1"')
  })

  it('hands on what it cannot read where that is wanted', async () => {
    const running = await start(syslogSource, 'tag sys\nport 0\nemit_unmatched_lines true')
    for (const text of ['no priority', '<999>Sep 10 00:00:00 h l: x']) {
      running.host.net.datagram(running.port, Buffer.from(text))
    }
    await running.host.clock.settle()
    expect(running.events.map((event) => event.replace(/ \d+ /, ' '))).toEqual([
      'sys.unmatched {"unmatched_line":"no priority"}',
      'sys.unmatched {"unmatched_line":"<999>Sep 10 00:00:00 h l: x"}',
    ])
  })

  it('takes the priority itself where the parser does not', async () => {
    const running = await start(syslogSource, `tag sys\nport 0\n${none}`)
    running.host.net.datagram(running.port, Buffer.from('<165>anything'))
    await running.host.clock.settle()
    expect(running.events[0]).toMatch(/^sys\.local4\.notice \d+ \{"message":"anything"\}$/)
  })

  it.each([1, 3, 1000])(
    'reads frames with their length before them, in pieces of %i',
    async (size) => {
      const running = await start(
        syslogSource,
        'tag sys\nport 0\nframe_type octet_count\nmessage_length_limit 60\n<transport tcp>\n</transport>',
      )
      const frame = (text: string) => `${Buffer.byteLength(text)} ${text}`
      const long = `${line}${'!'.repeat(100)}`
      const bytes = Buffer.from(frame(line) + frame(long) + frame(`${line} bar`))
      const client = running.client()
      for (let at = 0; at < bytes.length; at += size) client.send(bytes.subarray(at, at + size))
      expect(running.events).toHaveLength(2)
      expect(running.events[1]).toContain('"message":"foo bar"')
      client.send(Buffer.from('no length'))
      const { metrics } = running.host
      const lost = (reason: string) =>
        metrics.value('sluice_input_dropped_messages_total', { reason })
      expect(lost('message_length_limit')).toBe(1)
      expect(lost('malformed')).toBe(1)
    },
  )
})

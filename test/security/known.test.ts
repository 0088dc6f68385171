import { readFileSync } from 'node:fs'
import { gzipSync } from 'node:zlib'
import { describe, expect, it } from 'vitest'
import { ConfigErrors } from '../../src/core/errors.ts'
import { rleBlock, zstdFrame } from '../unit/forward/zstd-bytes.ts'
import { forwardSection, packed, start } from './harness.ts'

/** What has gone wrong in software of this kind, each tried on the whole application. docs/SECURITY.md lists them. */

const hostileNames = [
  '../../../etc/passwd',
  '/etc/passwd',
  '..',
  '.',
  'a/../../b',
  'x\0y',
  '~root',
  'a\\..\\b',
  '%2e%2e%2f',
  '😀'.repeat(50),
  '-rf',
  '$(id)',
]

describe('CVE-2026-44024, CVE-2025-12972: names made of tags and fields', () => {
  it('stay below the path that is configured, whatever the tag and the field say', async () => {
    const running = await start(`${forwardSection}
<match **>
  @type file
  path /logs/here/\${tag}/\${k}/out
  append true
  <buffer tag,k>
    flush_mode immediate
  </buffer>
</match>`)
    for (const name of hostileNames) {
      await running.send(packed([name, 1_700_000_000, { k: 'v' }]))
      await running.send(packed(['good', 1_700_000_000, { k: name }]))
    }
    await running.stop()
    const paths = Object.keys(running.host.disk.texts())
    expect(paths.length).toBeGreaterThan(5)
    for (const path of paths) {
      expect(path).toMatch(/^\/logs\/here\/[A-Za-z0-9._-]+\/[A-Za-z0-9._-]+\/out[A-Za-z0-9._-]*$/)
      expect(path.split('/').some((part) => part === '..' || part === '.')).toBe(false)
    }
  })
})

describe('CVE-2026-44160: decompression bombs', () => {
  // Whole events, so that nothing but the size can end them; 16 MiB is the limit here.
  const events = Buffer.alloc(64 * 1024 * 1024, Buffer.from('920180', 'hex'))
  const member = gzipSync(events.subarray(0, 3 * 2 ** 18))
  const bombs: [string, string, Buffer][] = [
    ['gzip, one member', 'gzip', gzipSync(events)],
    ['gzip, many members', 'gzip', Buffer.concat(Array(80).fill(member))],
    ['zstd, one frame', 'zstd', zstdFrame(Array(400).fill(rleBlock('\u0001', 2 ** 17)))],
    ['zstd, many frames', 'zstd', Buffer.concat(Array(400).fill(oneFrame()))],
  ]
  it.each(bombs)('%s: nothing is taken, and others are served', async (_name, compressed, body) => {
    const running = await start(`<source>
@type forward
decompression_size_limit 16m
</source>
<match **>
@type stdout
<format>
@type json
</format>
</match>`)
    expect(body.length).toBeLessThan(1024 * 1024)
    const { metrics } = running.host
    await running.send(packed(['bomb', body, { compressed, chunk: 'b' }]))
    const started = performance.now()
    while (metrics.value('sluice_input_dropped_messages_total') === 0) {
      if (performance.now() - started > 15_000) throw new Error('no message was dropped')
      await running.host.clock.settle()
    }
    await running.expectAlive()
    await running.stop()
    expect(running.lines()).toEqual(['{"alive":1}'])
  })
})

function oneFrame(): Buffer {
  return zstdFrame([rleBlock('\u0001', 2 ** 17)])
}

describe('CVE-2026-44161: an endpoint that events point elsewhere', () => {
  const output = (endpoint: string, more = '') => `${forwardSection}
<match **>
  @type http
  endpoint ${endpoint}
  ${more}
  <buffer tag,k>
    flush_mode immediate
  </buffer>
</match>`

  it.each(['http://${tag}/x', 'http://h.${k}/', 'http://h:${k}/', '${tag}://h/'])(
    'is a configuration error: %s',
    async (endpoint) => {
      await expect(start(output(endpoint))).rejects.toThrow(ConfigErrors)
    },
  )

  it('redirects are not followed', async () => {
    const running = await start(output('http://h/in'))
    running.host.http.answer = () => ({
      status: 302,
      headers: { location: 'http://169.254.169.254/latest/meta-data' },
      body: new Uint8Array(0),
    })
    await running.send(packed(['a', 1_700_000_000, { k: 'v' }]))
    await running.host.clock.advance(2000)
    expect(running.host.http.requests.length).toBeGreaterThan(0)
    for (const request of running.host.http.requests) expect(request.url).toBe('http://h/in')
    await running.stop()
  })
})

describe('CVE-2025-12969: users without a shared key', () => {
  it('user_auth without shared_key is a configuration error', async () => {
    const section = `<source>
@type forward
<security>
self_hostname h
user_auth true
<user>
username u
password p
</user>
</security>
</source>`
    await expect(start(section)).rejects.toThrow(ConfigErrors)
  })

  it('nothing but PING is read before PONG', async () => {
    const running = await start(`<source>
@type forward
<security>
self_hostname h
shared_key k
</security>
</source>
<match **>
@type stdout
</match>`)
    const pings = [
      ['a', 1_700_000_000, { n: 1 }],
      ['PING'],
      ['PING', 'c', 'salt', 'x'.repeat(128), 'u'],
      ['PING', 'c', 'salt', 'x'.repeat(128), 'u', 'p', 'more'],
      ['PING', 1, 2, 3, 4, 5],
      ['PING', null, null, null, null, null],
      { PING: 1 },
    ]
    for (const ping of pings) {
      const { closed } = await running.send(packed(ping), packed(['a', 1_700_000_000, { n: 1 }]))
      expect(closed).not.toBe('no')
    }
    expect(running.lines()).toEqual([])
    await running.stop()
  })
})

describe('CVE-2025-12977: tags that are no tags', () => {
  it('with control characters, too long, or no text: dropped and counted', async () => {
    const running = await start()
    const tags = [
      'a\nb',
      'a\u001b[31m',
      'x'.repeat(100_000),
      '\0',
      '\u007f',
      '\u0085',
      7,
      null,
      ['a'],
    ]
    for (const tag of tags) await running.send(packed([tag, 1_700_000_000, { n: 1 }]))
    await running.expectAlive()
    expect(running.lines()).toEqual(['{"alive":1}'])
    const { metrics } = running.host
    const invalid = metrics.value('sluice_input_invalid_events_total')
    const dropped = metrics.value('sluice_input_dropped_messages_total')
    expect(invalid + dropped).toBe(tags.length)
    await running.stop()
  })
})

describe('CVE-2026-38357, CVE-2023-52079, CVE-2026-21452: MessagePack that eats its reader', () => {
  const deep = (byte: number, count: number) => Buffer.alloc(count, byte)
  const cases: [string, Buffer][] = [
    ['a million arrays inside each other', deep(0x91, 1_000_000)],
    ['a million maps inside each other', deep(0x81, 1_000_000)],
    ['in a record', Buffer.concat([Buffer.from('93a16100', 'hex'), deep(0x91, 1_000_000)])],
    ['four billion items announced', Buffer.from('ddffffffff', 'hex')],
    ['four billion pairs announced', Buffer.from('93a16100dfffffffff', 'hex')],
    ['four billion bytes announced', Buffer.from('92a161c6ffffffff', 'hex')],
    ['a str of four billion bytes as the tag', Buffer.from('93dbffffffff', 'hex')],
    ['an ext of four billion bytes', Buffer.from('93a161c9ffffffff00', 'hex')],
    ['the byte that is never used', Buffer.alloc(100_000, 0xc1)],
    ['arrays of nothing', Buffer.alloc(1_000_000, 0x90)],
  ]
  it.each(cases)('%s', async (_name, bytes) => {
    const running = await start()
    const before = process.memoryUsage().arrayBuffers
    await running.send(bytes)
    expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(64 * 1024 * 1024)
    await running.expectAlive()
    expect(running.lines()).toEqual(['{"alive":1}'])
    await running.stop()
  })

  it('in a thousand pieces the cost is the same', async () => {
    const running = await start()
    const body = packed(['a', 1_700_000_000, { long: 'x'.repeat(1_000_000) }])
    const pieces = Array.from({ length: 1000 }, (_, i) =>
      body.subarray(
        Math.floor((i * body.length) / 1000),
        Math.floor(((i + 1) * body.length) / 1000),
      ),
    )
    await running.send(...pieces)
    expect(running.lines()).toHaveLength(1)
    await running.stop()
  })
})

describe('prototype poisoning', () => {
  it('__proto__, constructor and prototype are ordinary keys, by every way in', async () => {
    const running = await start(`${forwardSection}
<source>
@type http
port 9880
</source>
<filter **>
@type record_transformer
<record>
seen yes
</record>
</filter>
<match **>
@type stdout
<format>
@type json
</format>
</match>`)
    const record = JSON.parse(
      '{"__proto__":{"polluted":1},"constructor":{"prototype":{"polluted":1}}}',
    )
    const text = JSON.stringify(record)
    await running.send(packed(['a', 1_700_000_000, record]))
    await running.send(Buffer.from(`["a",1700000000,${text}]`))
    await running.host.http.ask(9880, {
      method: 'POST',
      url: '/a',
      headers: { 'content-type': 'application/json' },
      body: Buffer.from(text),
    })
    await running.stop()
    expect(running.lines()).toEqual(Array(3).fill(`${text.slice(0, -1)},"seen":"yes"}`))
    expect(({} as Record<string, unknown>).polluted).toBeUndefined()
  })
})

describe('CVE-2026-21717: keys that collide in hash tables of objects', () => {
  it('records are no objects: a hundred thousand integer-like keys cost what others cost', async () => {
    const running =
      await start(`${forwardSection.replace('</source>', 'record_keys_limit 100000\n</source>')}
<filter **>
@type record_transformer
remove_keys k1
</filter>
<match **>
@type stdout
<format>
@type json
</format>
</match>`)
    const keys = Array.from({ length: 100_000 }, (_, i) => `${i * 65_536}`)
    await running.send(
      packed(['a', 1_700_000_000, Object.fromEntries(keys.map((key) => [key, 1]))]),
    )
    expect(running.lines()).toHaveLength(1)
    await running.stop()
  })

  it('by default a record has ten thousand keys at most', async () => {
    const running = await start(`${forwardSection}
<match **>
@type stdout
</match>`)
    const record = (keys: number) =>
      Object.fromEntries(Array.from({ length: keys }, (_, i) => [`k${i}`, 1]))
    await running.send(packed(['a', 1_700_000_000, record(10_001)]))
    expect(running.lines()).toEqual([])
    await running.send(packed(['a', 1_700_000_000, record(10_000)]))
    expect(running.lines()).toHaveLength(1)
    await running.stop()
  })

  it('the oldest release of each line that runs it has the repair', () => {
    const { engines } = JSON.parse(readFileSync('package.json', 'utf8'))
    expect(engines.node).toBe('^20.20.0 || ^22.22.0 || >=24.0.0')
  })
})

describe('CVE-2017-10906: escape sequences for a terminal', () => {
  it.each(['json', 'stdout', 'hash'])('%s', async (format) => {
    const running = await start(`${forwardSection}
<match **>
@type stdout
<format>
@type ${format}
message_key k
</format>
</match>`)
    await running.send(packed(['a', 1_700_000_000, { k: 'x\u001b]0;evil\u0007\u009b31m' }]))
    const text = running.host.stdout.text()
    expect(text).toContain('evil')
    expect(text).not.toMatch(/[\u0000-\u0008\u000b-\u001f\u007f]/)
    await running.stop()
  })
})

describe('CVE-2021-41186: an expression that never ends', () => {
  it.each(['apache', 'apache2', 'nginx', 'syslog', 'apache_error'])(
    'parser %s on a line of a megabyte',
    async (parser) => {
      const running = await start(`${forwardSection}
<filter **>
@type parser
key_name k
<parse>
@type ${parser}
</parse>
</filter>
<match **>
@type stdout
</match>`)
      const lines = [
        'a a a [a] "a ' + ' '.repeat(1_000_000),
        '"'.repeat(1_000_000),
        '[ '.repeat(500_000),
      ]
      for (const k of lines) await running.send(packed(['a', 1_700_000_000, { k }]))
      await running.stop()
      expect(running.lines()).toEqual([])
    },
  )
})

describe('CVE-2024-4323: wrong types in what an admin interface is sent', () => {
  it('bodies are not looked at, and queries are text', async () => {
    const running = await start(`${forwardSection}
<source>
@type monitor_agent
</source>
<match **>
@type stdout
<format>
@type json
</format>
</match>`)
    const bodies = ['{"a":-1}', '[]', '{"inputs":[1e999]}', '\0'.repeat(1000), '"'.repeat(50)]
    const queries = [
      '',
      '?@id[]=1',
      '?tag=%00',
      '?@type=__proto__',
      '?id=../..',
      '?debug=%',
      '?'.repeat(500),
    ]
    for (const method of ['GET', 'POST', 'PUT', 'DELETE']) {
      for (const query of queries) {
        for (const body of bodies) {
          const answer = await running.host.http.ask(24220, {
            method,
            url: `/api/plugins.json${query}`,
            body: Buffer.from(body),
          })
          expect([200, 404, 405]).toContain(answer.status)
        }
      }
    }
    await running.expectAlive()
    await running.stop()
  })
})

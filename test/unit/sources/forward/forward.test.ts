import { gzipSync } from 'node:zlib'
import { describe, expect, it } from 'vitest'
import type { MsgValue } from '../../../../src/core/value.ts'
import { EventTime } from '../../../../src/core/value.ts'
import { createSeededRandom } from '../../../support/fake-host.ts'
import { acksIn, entries, map, message, packed, startForward } from './harness.ts'

const t = 1_700_000_000

function hex(text: string): Buffer {
  return Buffer.from(text.replace(/\s/g, ''), 'hex')
}

interface Case {
  name: string
  bytes: Buffer
  params?: Record<string, unknown>
  /** `TAG TIME JSON` of each event. */
  lines: string[]
  /** Bytes that come back, as latin1 text. */
  reply?: string
  /** How the connection ends after the client has ended its side. */
  closed?: 'closed' | 'reset'
  /** Messages of warnings. */
  warns?: string[]
  invalid?: number
  lost?: string
}

const packedMessage = (payload: Uint8Array, option?: MsgValue, tag: MsgValue = 'a.b') =>
  packed(option === undefined ? [tag, payload] : [tag, payload, option])

const gzip = (...parts: Uint8Array[]) => Buffer.concat(parts.map((part) => gzipSync(part)))

const cases: Case[] = [
  { name: 'a message', bytes: message(1), lines: [`a.b ${t} {"n":1}`] },
  {
    name: 'a message with an EventTime',
    bytes: packed(['a.b', new EventTime(t, 5), map({ n: 1 })]),
    lines: [`a.b ${t}.000000005 {"n":1}`],
  },
  {
    name: 'forward mode, with an ack',
    bytes: packed([
      'a.b',
      [
        [t, map({ n: 1 })],
        [t, map({ n: 2 })],
      ],
      map({ chunk: 'c' }),
    ]),
    lines: [`a.b ${t} {"n":1}`, `a.b ${t} {"n":2}`],
    reply: '\x81\xa3ack\xa1c',
  },
  {
    name: 'packed mode, with a wrong size',
    bytes: packedMessage(entries(1, 2), map({ size: 99 })),
    lines: [`a.b ${t} {"n":1}`, `a.b ${t} {"n":2}`],
  },
  {
    name: 'an empty payload, acknowledged',
    bytes: packedMessage(new Uint8Array(0), map({ chunk: 'none' })),
    lines: [],
    reply: '\x81\xa3ack\xa4none',
  },
  {
    name: 'gzip of two members cut inside an entry',
    bytes: packedMessage(
      gzip(entries(1, 2).subarray(0, 9), entries(1, 2).subarray(9)),
      map({ compressed: 'gzip', chunk: 'z' }),
    ),
    lines: [`a.b ${t} {"n":1}`, `a.b ${t} {"n":2}`],
    reply: '\x81\xa3ack\xa1z',
  },
  {
    name: 'zstd',
    bytes: packedMessage(
      hex(
        '28b52ffd045859020092ce6553f10083a76d657373616765a568656c6c6fa56c6576656ca4696e666fa16e0192d7006553f1010000000983a76d657373616765a67365636f6e64a26f6bc3a76e6f7468696e67c0be49dc09',
      ),
      map({ compressed: 'zstd', chunk: 'z' }),
    ),
    lines: [
      `a.b ${t} {"message":"hello","level":"info","n":1}`,
      `a.b ${t + 1}.000000009 {"message":"second","ok":true,"nothing":null}`,
    ],
    reply: '\x81\xa3ack\xa1z',
  },
  {
    name: 'what follows a compressed message in one read',
    bytes: Buffer.concat([
      message(1, { chunk: '1' }),
      packedMessage(gzip(entries(2)), map({ compressed: 'gzip', chunk: '2' })),
      message(3, { chunk: '3' }),
    ]),
    lines: [`a.b ${t} {"n":1}`, `a.b ${t} {"n":2}`, `a.b ${t} {"n":3}`],
    reply: '\x81\xa3ack\xa11\x81\xa3ack\xa12\x81\xa3ack\xa13',
  },
  {
    name: 'compressed "text" is plain',
    bytes: packedMessage(entries(1), map({ compressed: 'text' })),
    lines: [`a.b ${t} {"n":1}`],
  },
  ...(
    [
      'this is no gzip',
      gzip(entries(1)).subarray(0, 20),
      Buffer.concat([gzip(entries(1)), Buffer.from('junk')]),
      Buffer.concat([gzip(entries(1)), Buffer.from([0])]),
    ] as const
  ).map((payload, index) => ({
    name: `malformed gzip ${index}`,
    bytes: Buffer.concat([
      message(0, { chunk: '0' }),
      packedMessage(Buffer.from(payload as Buffer), map({ compressed: 'gzip', chunk: 'c' })),
      message(9),
    ]),
    lines: [`a.b ${t} {"n":0}`],
    reply: '\x81\xa3ack\xa10',
    closed: 'reset' as const,
    lost: 'inflate',
  })),
  {
    name: 'an unknown compression',
    bytes: Buffer.concat([
      packedMessage(entries(1), map({ compressed: 'lz4', chunk: 'c' })),
      message(2),
    ]),
    lines: [],
    closed: 'reset',
    lost: 'inflate',
  },
  {
    name: 'more than decompression_size_limit, over two members',
    bytes: packedMessage(gzip(Buffer.alloc(600), Buffer.alloc(600)), map({ compressed: 'gzip' })),
    params: { decompressionSizeLimit: 1000 },
    lines: [],
    closed: 'reset',
    lost: 'inflate',
  },
  {
    name: 'acks of all types of chunk, none for nil and false',
    bytes: Buffer.concat([
      message(1, { chunk: Buffer.from([1, 2, 0xff]) }),
      message(2, { chunk: 12345 }),
      message(3, { chunk: null }),
      message(4, { chunk: false }),
      message(5, { chunk: '' }),
    ]),
    lines: [1, 2, 3, 4, 5].map((n) => `a.b ${t} {"n":${n}}`),
    reply: '\x81\xa3ack\xc4\x03\x01\x02\xff\x81\xa3ack\xcd\x30\x39\x81\xa3ack\xa0',
  },
  {
    name: 'an invalid message is dropped and acknowledged',
    bytes: Buffer.concat([
      packed(['a.b', 1.5, map({ n: 1 }), map({ chunk: 'x' })]),
      packed(['a.b', t, null, map({ chunk: 'y' })]),
      message(3, { chunk: 'z' }),
    ]),
    lines: [`a.b ${t} {"n":3}`],
    reply: '\x81\xa3ack\xa1x\x81\xa3ack\xa1y\x81\xa3ack\xa1z',
    invalid: 2,
  },
  {
    name: 'invalid entries between good ones',
    bytes: packed([
      'a.b',
      [
        [t, map({ n: 1 })],
        ['x', map({ n: 2 })],
        [t, null],
        [t, map({ n: 3 })],
      ],
    ]),
    lines: [`a.b ${t} {"n":1}`, `a.b ${t} {"n":3}`],
    warns: ['skip invalid event:'],
    invalid: 2,
  },
  {
    name: 'values that are no message',
    bytes: Buffer.concat([packed(-1, map({ a: 1 }), null), message(1)]),
    lines: [`a.b ${t} {"n":1}`],
    warns: ['incoming chunk is broken:'],
    lost: 'broken',
  },
  {
    name: 'an entry of Fluent Bit, with metadata',
    bytes: packed(['a.b', [[[new EventTime(t, 1), map({})], map({ n: 1 })]]]),
    lines: [`a.b ${t}.000000001 {"n":1}`],
  },
  {
    name: 'byte 0xc1',
    bytes: Buffer.concat([message(1), hex('c1')]),
    lines: [`a.b ${t} {"n":1}`],
    closed: 'reset',
    lost: 'malformed',
  },
  {
    name: 'an option that is no map',
    bytes: packed(['a.b', t, map({ n: 1 }), 'option']),
    lines: [],
    closed: 'reset',
    lost: 'malformed',
  },
  {
    name: 'a message above chunk_size_limit: dropped, not acknowledged',
    bytes: Buffer.concat([
      packed(['a.b', t, map({ n: 1, pad: 'x'.repeat(300) }), map({ chunk: 'big' })]),
      message(2, { chunk: 'small' }),
    ]),
    params: { chunkSizeLimit: 200 },
    lines: [`a.b ${t} {"n":2}`],
    reply: '\x81\xa3ack\xa5small',
    warns: ["Input chunk size is larger than 'chunk_size_limit', dropped:"],
    lost: 'chunk_size_limit',
  },
  {
    name: 'a message above chunk_size_warn_limit: taken',
    bytes: packed(['a.b', t, map({ n: 1, pad: 'xxxxxxxxxx' })]),
    params: { chunkSizeWarnLimit: 20 },
    lines: [`a.b ${t} {"n":1,"pad":"xxxxxxxxxx"}`],
    warns: ["Input chunk size is larger than 'chunk_size_warn_limit':"],
  },
  ...(['a\nb', 'a\u0000', 'a\u007f', 'a\u0085b', 'x'.repeat(1025)] as MsgValue[]).map((tag) => ({
    name: `the tag ${JSON.stringify(tag).slice(0, 20)}: dropped, acknowledged`,
    bytes: Buffer.concat([message(1, { tag, chunk: 'c' }), message(2)]),
    lines: [`a.b ${t} {"n":2}`],
    reply: '\x81\xa3ack\xa1c',
    invalid: 1,
  })),
  {
    name: 'a tag that is not UTF-8',
    bytes: Buffer.concat([hex('93 a2 61ff ce6553f100 81a16e01'), message(2)]),
    lines: [`a.b ${t} {"n":2}`],
    invalid: 1,
  },
  ...['', 'a b', 'test.日本', 'a..b', 'x'.repeat(1024)].map((tag) => ({
    name: `the tag ${JSON.stringify(tag).slice(0, 20)}`,
    bytes: message(1, { tag }),
    lines: [`${tag} ${t} {"n":1}`],
  })),
  {
    name: 'tag',
    bytes: message(1, { tag: 'no\nmatter' }),
    params: { tag: 'fixed' },
    lines: [`fixed ${t} {"n":1}`],
  },
  {
    name: 'add_tag_prefix',
    bytes: message(1),
    params: { addTagPrefix: 'in.one' },
    lines: [`in.one.a.b ${t} {"n":1}`],
  },
  {
    name: 'tag and add_tag_prefix',
    bytes: message(1),
    params: { addTagPrefix: 'pre', tag: 'fixed' },
    lines: [`pre.fixed ${t} {"n":1}`],
  },
  {
    name: 'source_address_key, new and in its old place',
    bytes: packed([
      'a.b',
      [
        [t, map({ n: 1 })],
        [t, map({ ip: 'old', n: 2 })],
      ],
      map({ chunk: 'c' }),
    ]),
    params: { sourceAddressKey: 'ip' },
    lines: [`a.b ${t} {"n":1,"ip":"127.0.0.1"}`, `a.b ${t} {"ip":"127.0.0.1","n":2}`],
    reply: '\x81\xa3ack\xa1c',
  },
  {
    name: 'JSON values end to end, with acks',
    bytes: Buffer.from(
      `["a.b",${t},{"n":1},{"chunk":"abc="}]\n["a.b",[[${t},{"n":2}],[${t},{"n":3}]],{"chunk":"s"}]  \r\n["a.b",${t},{"n":4}]`,
    ),
    lines: [1, 2, 3, 4].map((n) => `a.b ${t} {"n":${n}}`),
    reply: '{"ack":"abc="}{"ack":"s"}',
  },
  {
    name: 'JSON numbers and text',
    bytes: Buffer.from(
      `["a.b",${t},{"big":18446744073709551615,"f":2.5,"w":3.0,"e":1e3,"neg":-300,"s":"na\u00efve \u2603 \\u0001\\t"}]`,
    ),
    lines: [
      `a.b ${t} {"big":"big 18446744073709551615","f":2.5,"w":"float 3","e":"float 1000","neg":-300,"s":"naïve ☃ \\u0001\\t"}`,
    ],
  },
  {
    name: 'a JSON object is no message; what follows counts',
    bytes: Buffer.from(`{"tag":"a.b"}["a.b",${t},{"n":1}]`),
    lines: [`a.b ${t} {"n":1}`],
    warns: ['incoming chunk is broken:'],
    lost: 'broken',
  },
  {
    name: 'an invalid JSON message is dropped and acknowledged',
    bytes: Buffer.from(`["a.b",1.5,{"n":1},{"chunk":1}]["a.b","${t}",{},null]["a.b",${t},{"n":2}]`),
    lines: [`a.b ${t} {"n":2}`],
    reply: '{"ack":1}',
    invalid: 2,
  },
  {
    name: 'broken JSON',
    bytes: Buffer.from(`["a.b",${t},{"n":1}]["a.b", 1700000000, {"a": nope}]["a.b",${t},{"n":2}]`),
    lines: [`a.b ${t} {"n":1}`],
    closed: 'reset',
    lost: 'malformed',
  },
  {
    name: 'HTTP',
    bytes: Buffer.from('GET / HTTP/1.1\r\nHost: x\r\n\r\n'),
    lines: [],
    warns: ['closed a connection'],
    lost: 'foreign_protocol',
  },
  { name: 'plain text', bytes: Buffer.from('hello'), lines: [], lost: 'foreign_protocol' },
  {
    name: 'a TLS ClientHello',
    bytes: hex('16030100c8010000c40303'),
    lines: [],
    lost: 'foreign_protocol',
  },
  {
    name: 'the integer 22',
    bytes: Buffer.concat([hex('16'), message(1)]),
    lines: [`a.b ${t} {"n":1}`],
    lost: 'broken',
  },
  { name: 'nothing', bytes: Buffer.alloc(0), lines: [] },
  { name: 'half a message', bytes: message(1).subarray(0, 9), lines: [], lost: 'unfinished' },
]

/** How the bytes of a case are cut. */
const cuts: Record<string, (bytes: Buffer) => Buffer[]> = {
  whole: (bytes) => [bytes],
  'byte by byte': (bytes) => [...bytes].map((byte) => Buffer.from([byte])),
  'at random places': (bytes) => {
    const random = createSeededRandom(bytes.length)
    const pieces: Buffer[] = []
    for (let at = 0; at < bytes.length; ) {
      const end = at + 1 + Math.floor(random.unit() * 40)
      pieces.push(bytes.subarray(at, end))
      at = end
    }
    return pieces
  },
}

describe.each(Object.keys(cuts))('bytes that come %s', (cut) => {
  it.each(cases)('$name', async (one) => {
    const running = await startForward(one.params)
    const client = running.client()
    for (const piece of cuts[cut]!(one.bytes)) {
      client.send(piece)
      await Promise.resolve()
    }
    await running.host.clock.settle()
    client.end()
    await running.host.clock.settle()

    expect(running.lines()).toEqual(one.lines)
    expect(Buffer.from(client.received()).toString('latin1')).toBe(one.reply ?? '')
    expect(client.closed).not.toBe('no')
    if (one.closed === 'reset') expect(client.closed).toBe('reset')
    const { metrics, log } = running.host
    expect(metrics.value('sluice_input_events_total')).toBe(one.lines.length)
    expect(metrics.value('sluice_input_invalid_events_total')).toBe(one.invalid ?? 0)
    if (one.lost === undefined) {
      expect(metrics.value('sluice_input_dropped_messages_total')).toBe(0)
    } else {
      expect(
        metrics.value('sluice_input_dropped_messages_total', { reason: one.lost }),
      ).toBeGreaterThan(0)
    }
    for (const warning of one.warns ?? []) expect(log.messages('warn')).toContain(warning)
    expect(metrics.value('sluice_connections')).toBe(0)
    await running.source.stop(AbortSignal.abort())
  })
})

describe('acks', () => {
  it('those of one read leave in one write', async () => {
    const running = await startForward()
    const client = running.client()
    const sent = Array.from({ length: 20 }, (_, n) =>
      message(n, { tag: `tag.${n % 3}`, chunk: `c${n}` }),
    )
    client.send(Buffer.concat(sent))
    expect(acksIn(client)).toEqual(sent.map((_, n) => `c${n}`))
    expect(client.writes).toBe(1)
  })
})

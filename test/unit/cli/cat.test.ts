import { describe, expect, it } from 'vitest'
import { parseEventTime, runCat } from '../../../src/cli/cat.ts'
import { readRecords } from '../../../src/cli/cat-input.ts'
import type { CatCommand } from '../../../src/cli/cat-options.ts'
import type { Connection, ConnectionHandler } from '../../../src/core/host.ts'
import { ServerHandshake } from '../../../src/forward/handshake-server.ts'

const command: CatCommand = {
  kind: 'cat',
  tag: 'a.b',
  host: 'h',
  port: 1,
  socketPath: undefined,
  format: 'json',
  messageKey: 'message',
  timeAsInteger: false,
  retryLimit: 2,
  eventTime: undefined,
}

const bytesOf = (text: string) => new TextEncoder().encode(text)
const hex = (bytes: Uint8Array) => Buffer.from(bytes).toString('hex')

async function* pieces(bytes: Uint8Array, size: number) {
  for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size)
}

/** A receiver that takes everything and closes when the client has ended. */
function receiver(options: { refuse?: number; closeAtOnce?: boolean } = {}) {
  const got: string[] = []
  let refuse = options.refuse ?? 0
  const net = {
    async connect(_: unknown, accept: (connection: Connection) => ConnectionHandler) {
      if (refuse-- > 0) throw new Error('ECONNREFUSED')
      let handler: ConnectionHandler | undefined
      const connection = {
        unsentBytes: 0,
        write: (bytes: Uint8Array) => void got.push(hex(bytes)),
        end: () => queueMicrotask(() => handler?.onClose(undefined)),
        destroy() {},
      } as unknown as Connection
      handler = accept(connection)
      if (options.closeAtOnce === true) handler.onClose(new Error('ECONNRESET'))
      return connection
    },
  }
  return { got, net }
}

function run(text: string, more: Partial<CatCommand>, to: ReturnType<typeof receiver>) {
  const said: string[] = []
  const done = runCat(
    { ...command, ...more },
    {
      net: to.net,
      input: pieces(bytesOf(text), 1000),
      wallMs: () => 1_700_000_000_123.5,
      wait: async () => {},
      say: (line) => void said.push(line),
      randomBytes: (count) => new Uint8Array(count),
    },
  )
  return { done, said }
}

describe('what is sent', () => {
  // [tag, [[EventTime(1700000000, 123500000), {"a": 1}], …]]
  const time = 'd7006553f100075c75e0'
  const cases: [string, string, Partial<CatCommand>, string][] = [
    ['an event', '{"a":1}\n', {}, `92a3612e629192${time}81a16101`],
    [
      'two events that come together',
      '{"a":1}\n\n{"a":2}\n',
      {},
      `92a3612e629292${time}81a1610192${time}81a16102`,
    ],
    [
      'lines as texts',
      'hi\r\n',
      { format: 'none', messageKey: 'm' },
      `92a3612e629192${time}81a16da26869`,
    ],
    ['whole seconds', '{}', { timeAsInteger: true }, '92a3612e629192ce6553f10080'],
    [
      'a time given',
      '{}',
      { eventTime: '2023-11-14T22:13:21Z' },
      '92a3612e629192d7006553f1010000000080',
    ],
    ['what a secondary left', '[5,{"a":1}]', {}, `92a3612e629192${time}81a16101`],
  ]
  it.each(cases)('%s', async (_, text, more, expected) => {
    const to = receiver()
    await run(text, more, to).done
    expect(to.got).toEqual([expected])
  })

  it('nothing of an empty input', async () => {
    const to = receiver()
    await run('', {}, to).done
    expect(to.got).toEqual([])
  })
})

describe('trouble', () => {
  it('connecting is tried again', async () => {
    const to = receiver({ refuse: 2 })
    const { done, said } = run('{}', {}, to)
    await done
    expect(said).toEqual(Array(2).fill('cannot connect to h:1: ECONNREFUSED'))
    expect(to.got).toHaveLength(1)
  })

  it('and given up after the limit', async () => {
    const to = receiver({ refuse: 3 })
    await expect(run('{}', {}, to).done).rejects.toThrow('cannot connect to h:1: ECONNREFUSED')
  })

  it('a lost connection is an error', async () => {
    const to = receiver({ closeAtOnce: true })
    await expect(run('{}', {}, to).done).rejects.toThrow('connection lost: ECONNRESET')
  })

  it.each([
    ['{"a":1}\n5\n', 'json', 'event 2 of the input: expected a map'],
    ['{"a"', 'json', 'event 1 of the input:'],
    ['\x81\xa1a', 'msgpack', 'the input ends inside an event'],
    ['\xc1', 'msgpack', 'byte 0xc1'],
  ])('%j as %s', async (text, format, message) => {
    const to = receiver()
    const input = pieces(Buffer.from(text, 'latin1'), 2)
    const done = runCat(
      { ...command, format: format as 'json' },
      {
        net: to.net,
        input,
        wallMs: () => 0,
        wait: async () => {},
        say() {},
        randomBytes: () => new Uint8Array(16),
      },
    )
    await expect(done).rejects.toThrow(message)
  })
})

describe('a receiver with <security>', () => {
  const security = {
    selfHostname: 'receiver.example',
    sharedKeys: ['k1'],
    userAuth: true,
    allowAnonymousSource: true,
    users: [{ username: 'alice', password: 'wonder' }],
    clients: [],
  }

  function talk(more: Partial<CatCommand>, greets = true) {
    const events: string[] = []
    const net = {
      async connect(_: unknown, accept: (connection: Connection) => ConnectionHandler) {
        let handler: ConnectionHandler | undefined
        let open = false
        const handshake = new ServerHandshake(security, {
          remoteAddress: '192.0.2.1',
          keepalive: true,
          nonce: Buffer.alloc(16, 1),
          authSalt: Buffer.alloc(16, 2),
        })
        const say = (bytes: Uint8Array) => queueMicrotask(() => handler?.onData(bytes))
        const connection = {
          unsentBytes: 0,
          write(bytes: Uint8Array) {
            if (open) {
              events.push(hex(bytes))
              return
            }
            const outcome = handshake.data(bytes)
            if (outcome.kind === 'more') return
            open = outcome.kind === 'accepted'
            say(outcome.pong)
          },
          end: () => queueMicrotask(() => handler?.onClose(undefined)),
          destroy: () => queueMicrotask(() => handler?.onClose(undefined)),
        } as unknown as Connection
        handler = accept(connection)
        if (greets) say(handshake.helo)
        return connection
      },
    }
    const done = runCat(
      { ...command, ...more },
      {
        net,
        input: pieces(bytesOf('{}'), 1000),
        wallMs: () => 1_700_000_000_000,
        wait: () => (greets ? new Promise(() => undefined) : Promise.resolve()),
        say: () => undefined,
        randomBytes: (count) => new Uint8Array(count),
      },
    )
    return { done, events }
  }

  it('gets the events after the handshake', async () => {
    const { done, events } = talk({ sharedKey: 'k1', username: 'alice', password: 'wonder' })
    await done
    expect(events).toEqual(['92a3612e629192d7006553f1000000000080'])
  })

  it.each<[string, Partial<CatCommand>, boolean, string]>([
    ['a wrong key', { sharedKey: 'k2' }, true, 'authentication failed: shared_key mismatch'],
    ['no user', { sharedKey: 'k1' }, true, 'authentication failed: username/password mismatch'],
    ['no key', {}, true, 'the receiver asks for a --shared-key'],
    ['a key that nobody asks for', { sharedKey: 'k1' }, false, 'no HELO came'],
  ])('%s: an error, and nothing sent', async (_name, more, greets, message) => {
    const { done, events } = talk(more, greets)
    await expect(done).rejects.toThrow(message)
    expect(events).toEqual([])
  })
})

describe('input', () => {
  it.each([1, 2, 3, 7, 100])('is the same in pieces of %i bytes', async (size) => {
    const packed = Buffer.from('81a1610182a16101a162da0003616263', 'hex')
    const found: unknown[] = []
    for await (const records of readRecords(pieces(packed, size), {
      format: 'msgpack',
      messageKey: '',
    })) {
      found.push(...records)
    }
    expect(found).toEqual([
      new Map([['a', 1]]),
      new Map<string, unknown>([
        ['a', 1],
        ['b', 'abc'],
      ]),
    ])
  })
})

it.each([
  ['2026-11-20 21:37:15 +0000', 1795210635, 0],
  ['2026-11-20 21:37:15.123456789 +0900', 1795178235, 123456789],
  ['2026-11-20T21:37:15.5Z', 1795210635, 500000000],
])('reads the time %s', (text, seconds, nanoseconds) => {
  expect(parseEventTime(text)).toEqual({ seconds, nanoseconds })
})

it.each(['', 'soon', '1960-01-01 00:00:00 +0000'])('refuses the time "%s"', (text) => {
  expect(() => parseEventTime(text)).toThrow('--event-time expects')
})

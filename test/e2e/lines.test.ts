import dgram from 'node:dgram'
import { mkdtempSync, rmSync } from 'node:fs'
import net from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import tls from 'node:tls'
import { afterAll, expect, it } from 'vitest'
import { encode } from '../../src/msgpack/encode.ts'
import { freePort, listening, run, until } from './support.ts'

/** Texts over real sockets: TCP, UDP, TLS, and the forward protocol over a unix socket. */

const dir = mkdtempSync(join(tmpdir(), 'sluice-lines-'))
afterAll(() => rmSync(dir, { recursive: true, force: true }))

it('takes lines over TCP and TLS, datagrams, and messages over a unix socket', async () => {
  const [tcpPort, udpPort, tlsPort] = [await freePort(), await freePort(), await freePort()]
  const parse = (type: string) => `<parse>\n@type ${type}\n</parse>`
  const source = (type: string, lines: string) =>
    `<source>\n@type ${type}\nbind 127.0.0.1\n${lines}\n</source>\n`
  const socketPath = join(dir, 'in.sock')
  const running = run({
    config: [
      source('tcp', `tag t\nport ${tcpPort}\n${parse('json')}`),
      source('udp', `tag u\nport ${udpPort}\n${parse('none')}`),
      source('syslog', `tag s\nport ${tlsPort}\n<transport tls>\ninsecure true\n</transport>`),
      `<source>\n@type unix\npath ${socketPath}\n</source>\n`,
      '<match **>\n@type stdout\n</match>\n',
    ].join(''),
  })
  try {
    await listening(tcpPort, running)
    await listening(tlsPort, running)
    net.connect(tcpPort, '127.0.0.1').end('{"a":1}\n{"a":2}\n')
    const secure = tls.connect({ port: tlsPort, host: '127.0.0.1', rejectUnauthorized: false })
    secure.end('<6>Sep 10 00:00:00 localhost logger: over tls\n')
    net.connect(socketPath).end(encode(['x.y', 1_700_000_000, new Map([['n', 1]])]))
    const socket = dgram.createSocket('udp4')
    socket.send('one\n', udpPort, '127.0.0.1', () => socket.close())
    const lines = await until('five lines', () =>
      running.lines.length === 5 ? running.lines : undefined,
    )
    expect(lines.map((line) => line.slice(line.indexOf('+0000 ') + 6)).sort()).toEqual([
      's.kern.info: {"host":"localhost","ident":"logger","message":"over tls"}',
      't: {"a":1}',
      't: {"a":2}',
      'u: {"message":"one"}',
      'x.y: {"n":1}',
    ])
  } finally {
    await running.stop()
  }
})

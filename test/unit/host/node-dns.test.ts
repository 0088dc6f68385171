import dgram from 'node:dgram'
import { afterEach, describe, expect, it } from 'vitest'
import { lookup, resolveSrv } from '../../../src/host/node-dns.ts'

const sockets: dgram.Socket[] = []
afterEach(() => {
  for (const socket of sockets.splice(0)) socket.close()
})

const name = (text: string) =>
  Buffer.concat([
    ...text.split('.').map((part) => Buffer.from([part.length, ...Buffer.from(part)])),
    Buffer.from([0]),
  ])

const u16 = (...values: number[]) => Buffer.from(values.flatMap((v) => [v >> 8, v & 0xff]))

const types = { A: 1, AAAA: 28, SRV: 33 } as const

/** A name server with these records, by `TYPE name`; what it has not it denies. Its port. */
async function nameServer(records: Record<string, readonly Buffer[]>): Promise<number> {
  const socket = dgram.createSocket('udp4')
  sockets.push(socket)
  socket.on('message', (query, from) => {
    // 12 bytes of header, then the name, type and class that are asked for.
    const end = query.indexOf(0, 12) + 5
    const question = query.subarray(12, end)
    const type = question.readUInt16BE(question.length - 4)
    const word = Object.entries(types).find(([, value]) => value === type)?.[0]
    const labels: string[] = []
    for (let at = 0; question[at] !== 0; at += question[at]! + 1) {
      labels.push(question.toString('latin1', at + 1, at + 1 + question[at]!))
    }
    const found = records[`${word} ${labels.join('.')}`] ?? []
    const answers = found.map((data) =>
      Buffer.concat([u16(0xc00c, type, 1, 0, 60, data.length), data]),
    )
    const code = found.length > 0 ? 0x8180 : 0x8183
    const head = Buffer.concat([query.subarray(0, 2), u16(code, 1, found.length, 0, 0)])
    socket.send(Buffer.concat([head, question, ...answers]), from.port, from.address)
  })
  await new Promise<void>((done) => socket.bind(0, '127.0.0.1', done))
  return socket.address().port
}

const srv = (priority: number, weight: number, port: number, target: string) =>
  Buffer.concat([u16(priority, weight, port), name(target)])

describe('names', () => {
  it('an address stands for itself', async () => {
    expect(await lookup('192.0.2.1')).toEqual(['192.0.2.1'])
    expect(await lookup('::1')).toEqual(['::1'])
  })

  it('the system knows localhost', async () => {
    expect(await lookup('localhost')).toContain('127.0.0.1')
  })
})

describe('SRV records', () => {
  const records = {
    'SRV _fluentd._tcp.example.com': [
      srv(20, 5, 24225, 'b.example.com'),
      srv(10, 60, 24224, 'a.example.com'),
    ],
    'A a.example.com': [Buffer.from([192, 0, 2, 1])],
    'AAAA b.example.com': [Buffer.from('20010db8000000000000000000000007', 'hex')],
  }

  it('come best first, with addresses of both families', async () => {
    const server = `127.0.0.1:${await nameServer(records)}`
    expect(await resolveSrv('_fluentd._tcp.example.com', { server, addresses: true })).toEqual([
      { priority: 10, weight: 60, port: 24224, target: 'a.example.com', address: '192.0.2.1' },
      { priority: 20, weight: 5, port: 24225, target: 'b.example.com', address: '2001:db8::7' },
    ])
  })

  it('or without', async () => {
    const server = `127.0.0.1:${await nameServer(records)}`
    const found = await resolveSrv('_fluentd._tcp.example.com', { server, addresses: false })
    expect(found.map(({ address }) => address)).toEqual([undefined, undefined])
  })

  it('that are not there are an error', async () => {
    const server = `127.0.0.1:${await nameServer(records)}`
    await expect(
      resolveSrv('_other._tcp.example.com', { server, addresses: true }),
    ).rejects.toThrow('ENOTFOUND')
  })
})

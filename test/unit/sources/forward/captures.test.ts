import { readdirSync, readFileSync } from 'node:fs'
import { gunzipSync } from 'node:zlib'
import { describe, expect, it } from 'vitest'
import { EventTime, type MsgValue } from '../../../../src/core/value.ts'
import { Reader } from '../../../../src/msgpack/decode.ts'
import { createSeededRandom } from '../../../support/fake-host.ts'
import { plain, startForward } from './harness.ts'

/**
 * What real clients have sent: Docker's log driver and Fluent Bit (test/captures, with a README
 * each).
 */

interface Capture {
  readonly name: string
  readonly sent: Buffer
  /** What the receiver answered then, where it was recorded. */
  readonly reply: Buffer | undefined
}

const folder = 'test/captures'

function docker(): Capture[] {
  // Logs of the json-file driver and of the engine's API lie there too: they are no forward
  // protocol.
  const names = readdirSync(`${folder}/docker`).filter(
    (name) =>
      name.endsWith('.bin') && !name.endsWith('.reply.bin') && !name.startsWith('json-file'),
  )
  return names.map((name) => ({
    name: `docker/${name}`,
    sent: readFileSync(`${folder}/docker/${name}`),
    reply: readIfThere(`${folder}/docker/${name.replace(/\.bin$/, '.reply.bin')}`),
  }))
}

function fluentBit(): Capture[] {
  // Those with a shared key begin with a handshake.
  const names = readdirSync(`${folder}/fluent-bit`).filter(
    (name) => name.endsWith('.c2s.bin') && !name.startsWith('shared-key'),
  )
  return names.map((name) => ({
    name: `fluent-bit/${name}`,
    sent: readFileSync(`${folder}/fluent-bit/${name}`),
    reply: readIfThere(`${folder}/fluent-bit/${name.replace('c2s', 's2c')}`),
  }))
}

function readIfThere(path: string): Buffer | undefined {
  const folderOf = path.slice(0, path.lastIndexOf('/'))
  return readdirSync(folderOf).includes(path.slice(folderOf.length + 1))
    ? readFileSync(path)
    : undefined
}

/** The events of a stream, by plain decoding: [tag, time, record] as lines. */
function expected(sent: Buffer): string[] {
  const reader = new Reader(sent)
  const lines: string[] = []
  while (reader.at < sent.length) {
    const message = reader.value() as MsgValue[]
    const [tag, second, third] = message
    const option = (Array.isArray(second) || second instanceof Uint8Array ? third : message[3]) as
      | Map<MsgValue, MsgValue>
      | undefined
    if (second instanceof Uint8Array) {
      const bytes = option?.get('compressed') === 'gzip' ? gunzipSync(second) : second
      const entries = new Reader(bytes)
      while (entries.at < bytes.length) lines.push(line(tag, entries.value()))
    } else if (Array.isArray(second)) {
      for (const entry of second) lines.push(line(tag, entry))
    } else {
      lines.push(line(tag, [second as MsgValue, third as MsgValue]))
    }
  }
  return lines
}

function line(tag: MsgValue | undefined, entry: MsgValue): string {
  const [first, record] = entry as MsgValue[]
  // Fluent Bit's entries have [time, metadata] first.
  const time = (Array.isArray(first) ? first[0] : first) as number | EventTime
  const shown =
    time instanceof EventTime
      ? `${time.seconds}.${String(time.nanoseconds).padStart(9, '0')}`
      : `${time}`
  return `${String(tag)} ${shown} ${JSON.stringify(plain(record as MsgValue))}`
}

const captures = new Map([...docker(), ...fluentBit()].map((one) => [one.name, one]))
const names = [...captures.keys()]

describe('captures', () => {
  it('are there', () => {
    expect(captures.size).toBeGreaterThan(30)
    expect([...captures.values()].filter(({ reply }) => reply).length).toBeGreaterThan(5)
    expect([...captures.values()].flatMap(({ sent }) => expected(sent)).length).toBeGreaterThan(150)
  })

  async function play(name: string, cut: (at: number) => number): Promise<void> {
    const { sent, reply } = captures.get(name)!
    const running = await startForward()
    const client = running.client()
    for (let at = 0; at < sent.length; ) {
      const end = cut(at)
      client.send(sent.subarray(at, end))
      at = end
    }
    await running.host.clock.settle()
    expect(running.lines()).toEqual(expected(sent))
    if (reply !== undefined) {
      const answer = Buffer.from(client.received()).toString('hex')
      // Docker's lost ack is one that the receiver of the capture kept to itself.
      const compared = name.includes('ack-lost') ? answer.slice(0, reply.length * 2) : answer
      expect(compared).toBe(reply.toString('hex'))
    }
    expect(running.host.log.messages('warn')).toEqual([])
    client.end()
    await running.host.clock.settle()
    expect(client.closed).toBe('closed')
  }

  it.each(names)('%s whole', (name) => play(name, () => captures.get(name)!.sent.length))

  it.each(names)('%s in pieces', (name) => {
    const random = createSeededRandom(7)
    return play(name, (at) => at + 1 + Math.floor(random.unit() * 700))
  })

  const small = names.filter((name) => captures.get(name)!.sent.length < 60_000)
  it.each(small)('%s byte by byte', (name) => play(name, (at) => at + 1))
})

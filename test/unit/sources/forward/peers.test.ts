import { readdirSync, readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { createFakeHost } from '../../../support/fake-host.ts'
import type { TestClient } from '../../../support/memory-net.ts'
import { startForward } from './harness.ts'

/** What Fluentd and Fluent Bit sent to Sluice, played again: test/captures/peers, with a README. */

const folder = 'test/captures/peers'
const names = readdirSync(folder)
  .filter((name) => name.endsWith('.bin') && !name.endsWith('.reply.bin'))
  .map((name) => name.slice(0, -'.bin'.length))

/** ['HELO', {nonce: bin of 16, auth: bin of 16, …}]: the random bytes in it. */
function randomIn(reply: Buffer): { nonce: Uint8Array; salt: Uint8Array } {
  const after = (name: string) => {
    const at = reply.indexOf(name) + name.length + 2
    return new Uint8Array(reply.subarray(at, at + 16))
  }
  return { nonce: after('nonce'), salt: after('auth') }
}

const security = {
  selfHostname: 'receiver',
  sharedKey: 'a-key-of-both',
  additionalSharedKeys: [],
  userAuth: false,
  allowAnonymousSource: true,
  user: [],
  client: [],
}

describe('a recorded connection', () => {
  it('there are some of each peer, with a handshake and without', () => {
    for (const peer of ['fluentd', 'fluent-bit']) {
      const own = names.filter((name) => name.startsWith(`${peer}-to-sluice`))
      expect(own.filter((name) => name.includes('key'))).toHaveLength(1)
      expect(own.length).toBeGreaterThan(2)
    }
  })

  it.each(names.flatMap((name) => [1, 1000].map((cut) => [name, cut] as const)))(
    '%s, cut every %i bytes: brings its events, and the same answer',
    async (name, cut) => {
      const sent = readFileSync(`${folder}/${name}.bin`)
      const reply = readFileSync(`${folder}/${name}.reply.bin`)
      const secured = name.includes('key')
      const host = createFakeHost()
      const { nonce, salt } = randomIn(reply)
      const given = [nonce, salt]
      host.random.bytes = () => given.shift() ?? new Uint8Array(16)
      const running = await startForward(secured ? ({ security } as never) : {}, host)
      const client = running.client()
      for (let at = 0; at < sent.length; at += cut) client.send(sent.subarray(at, at + cut))
      await untilAnswered(running.host.clock.settle, client, reply.length)
      expect(Buffer.from(client.received()).equals(reply)).toBe(true)
      const numbers = running.lines().map((line) => Number(/"n":(\d+)/.exec(line)?.[1]))
      expect(numbers).toEqual(Array.from({ length: 200 }, (_, n) => n))
      expect(running.emitted.every(({ tag }) => tag === 'peer.one')).toBe(true)
    },
  )
})

/** What is inflated off the event loop takes real time. */
async function untilAnswered(settle: () => Promise<void>, client: TestClient, bytes: number) {
  // What is inflated off the event loop takes real time.
  const endMs = Date.now() + 4_000
  while (Date.now() < endMs && client.received().length < bytes) await settle()
}

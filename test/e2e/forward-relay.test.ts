import net from 'node:net'
import { afterEach, describe, expect, it } from 'vitest'
import { encode } from '../../src/msgpack/encode.ts'
import { exchange, forwardOn, freePort, listening, type Running, run, until } from './support.ts'

/** Sluice to Sluice by the forward protocol, over real sockets. */

const running: Running[] = []
const proxies: net.Server[] = []

afterEach(async () => {
  for (const server of proxies.splice(0)) server.close()
  await Promise.all(running.splice(0).map((one) => one.stop('SIGKILL')))
})

function started(config: string): Running {
  const one = run({ config })
  running.push(one)
  return one
}

const receiver = (port: number, security = '') => `
${forwardOn(port, security)}
<match **>
  @type stdout
  <format>
    @type json
  </format>
</match>`

const sender = (port: number, servers: readonly number[], more = '') => `
${forwardOn(port)}
<match **>
  @type forward
  require_ack_response true
  ack_response_timeout 5
  ${more}
  ${servers.map((server) => `<server>\n host 127.0.0.1\n port ${server}\n </server>`).join('\n')}
  <buffer tag>
    flush_mode interval
    flush_interval 0.05
    retry_type periodic
    retry_wait 0.2
  </buffer>
</match>`

const serverSecurity = `<security>
    self_hostname receiver.example
    shared_key new-key
    additional_shared_keys old-key
    user_auth true
    <user>
      username alice
      password wonder
    </user>
  </security>`

const event = (n: number) => encode(['t', 1_700_000_000 + n, new Map([['n', n]])])

/** Sends {n: first} … in messages of their own. */
async function send(port: number, first: number, count: number): Promise<void> {
  await exchange(port, Buffer.concat(Array.from({ length: count }, (_, i) => event(first + i))))
}

const numbersIn = (lines: readonly string[]) => lines.map((line) => JSON.parse(line).n as number)
const upTo = (count: number) => Array.from({ length: count }, (_, i) => i)

describe('relay', () => {
  it.each([
    ['plain', '', ''],
    ['kept alive, gzip', '', 'keepalive true\n compress gzip'],
    [
      'with a handshake, by a key that is on its way out',
      serverSecurity,
      `<security>\n self_hostname sender.example\n shared_key old-key\n </security>`,
    ],
  ])(
    '%s: everything comes, once, and the sender stops with nothing left',
    async (_name, security, more) => {
      const [ports, out] = [await freePort(), await freePort()]
      const last = started(receiver(out, security))
      await listening(out, last)
      const config = sender(ports, [out], more).replace(
        /port (\d+)\n <\/server>/,
        'port $1\n username alice\n password wonder\n </server>',
      )
      const first = started(config)
      await listening(ports, first)
      for (let i = 0; i < 5; i++) await send(ports, i * 200, 200)
      expect(await first.stop()).toBe(0)
      await until('all events', () => last.lines.length >= 1000)
      expect(numbersIn(last.lines)).toEqual(upTo(1000))
    },
  )

  it('the receiver is killed under load and started again: nothing is lost', async () => {
    const [port, out] = [await freePort(), await freePort()]
    let last = started(receiver(out))
    await listening(out, last)
    const first = started(sender(port, [out], 'heartbeat_interval 0.2\n recover_wait 0.2'))
    await listening(port, first)
    const seen: string[] = []
    for (let round = 0; round < 4; round++) {
      const sending = send(port, round * 500, 500)
      await until('some events', () => last.lines.length > 0 || round > 0)
      await last.stop('SIGKILL')
      await sending
      seen.push(...last.lines)
      last = started(receiver(out))
      await listening(out, last)
    }
    const all = () => new Set(numbersIn([...seen, ...last.lines]))
    await until(
      () => `2000 events; ${all().size} came:\n${first.log()}`,
      () => all().size === 2000,
    )
    expect(await first.stop()).toBe(0)
  }, 40_000)

  it('a second server takes over from one that hangs, and from one that is gone', async () => {
    const [port, hung, gone, out] = [
      await freePort(),
      await freePort(),
      await freePort(),
      await freePort(),
    ]
    // Takes everything, and acknowledges nothing.
    const proxy = net.createServer((socket) => socket.resume().on('error', () => undefined))
    proxies.push(proxy)
    await new Promise<void>((done) => proxy.listen(hung, '127.0.0.1', done))
    const last = started(receiver(out))
    await listening(out, last)
    const config = sender(port, [hung, gone, out]).replace('_timeout 5', '_timeout 1')
    const first = started(config)
    await listening(port, first)
    await send(port, 0, 300)
    await until(
      () => `300 events; ${last.lines.length} came:\n${first.log()}`,
      () => new Set(numbersIn(last.lines)).size === 300,
    )
    expect(await first.stop()).toBe(0)
  }, 30_000)

  it('a wrong key: nothing comes, and both sides say why', async () => {
    const [port, out] = [await freePort(), await freePort()]
    const last = started(receiver(out, serverSecurity))
    await listening(out, last)
    const more = '<security>\n self_hostname sender.example\n shared_key wrong\n </security>'
    const first = started(sender(port, [out], more))
    await listening(port, first)
    await send(port, 0, 10)
    await until('the refusal', () => first.log().includes('shared_key mismatch'))
    expect(last.log()).toContain('Shared key mismatch')
    expect(last.lines).toEqual([])
    for (const secret of ['old-key', 'new-key', 'wonder', 'shared_key wrong']) {
      expect(first.log() + last.log()).not.toContain(secret)
    }
  })
})

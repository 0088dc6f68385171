import { describe, expect, it } from 'vitest'
import type { ListenOptions } from '../../../../src/core/host.ts'
import { unixSource } from '../../../../src/sources/forward/unix.ts'
import { createFakeHost } from '../../../support/fake-host.ts'
import { bindSource } from '../../../support/plugin-context.ts'
import { message, startForward } from './harness.ts'

describe('parameters of source forward', () => {
  it('blocking_timeout changes nothing', async () => {
    const running = await startForward({ blockingTimeout: 9 })
    running.client().send(message(1))
    expect(running.lines()).toEqual(['a.b 1700000000 {"n":1}'])
  })

  it.each([
    [0, 'reset'],
    [5, 'ended'],
    [undefined, 'ended'],
  ])('linger_timeout %s: a connection that is given up is %s', async (lingerTimeout, how) => {
    const running = await startForward({ lingerTimeout, denyKeepalive: true })
    const client = running.client()
    client.send(message(1))
    await running.host.clock.advance(1_000)
    expect(running.lines()).toHaveLength(1)
    expect(client.closed === 'reset' ? 'reset' : client.ended ? 'ended' : 'open').toBe(how)
  })

  it.each([true, undefined])(
    'resolve_hostname %s: names are looked up',
    async (resolveHostname) => {
      const running = await startForward({ resolveHostname, sourceHostnameKey: 'from' })
      running.host.net.names.set('10.0.0.7', 'seven')
      const client = running.client({ address: '10.0.0.7' })
      await running.host.clock.settle()
      client.send(message(1))
      expect(running.lines()).toEqual(['a.b 1700000000 {"n":1,"from":"seven"}'])
    },
  )

  it('resolve_hostname false does not go with source_hostname_key', async () => {
    const params = { resolveHostname: false, sourceHostnameKey: 'from' }
    await expect(startForward(params)).rejects.toThrow('resolve_hostname must be true')
  })
})

describe("source 'unix'", () => {
  it.each([
    ['backlog 7', 7],
    ['', undefined],
  ])('%j is what is listened with', async (line, backlog) => {
    const host = createFakeHost()
    const asked: ListenOptions[] = []
    const { listen } = host.net
    host.net.listen = (options) => {
      asked.push(options)
      return listen(options)
    }
    const { params } = bindSource(unixSource, `path /run/s.sock\n${line}`, [])
    const system = { workers: 1, workerId: 0 }
    const context = { host, id: 'u', type: 'unix', log: host.log, kernel: {}, system }
    const source = unixSource.create(params as never, context as never)
    await source.start()
    expect(asked).toMatchObject([{ backlog }])
  })
})

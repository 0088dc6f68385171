import { describe, expect, it } from 'vitest'
import { exchange, forwardOn, freePort, listening, run, until } from './support.ts'

/** <system> rpc_endpoint, of one process and of several. */

const held = `<match **>
  @type stdout
  <format>
    @type json
  </format>
  <buffer>
    flush_interval 1h
    flush_at_shutdown false
  </buffer>
</match>
`

async function start(system: string) {
  const [port, rpc] = [await freePort(), await freePort()]
  const config = `<system>
  rpc_endpoint 127.0.0.1:${rpc}
  ${system}
</system>
${forwardOn(port)}
${held}`
  const sluice = run({ config })
  await listening(port, sluice)
  const send = (n: number) =>
    exchange(port, Buffer.from(JSON.stringify(['t', 1_700_000_000, { n }])))
  const ask = async (path: string, method = 'GET') => {
    const response = await fetch(`http://127.0.0.1:${rpc}/api/${path}`, { method })
    return { status: response.status, body: (await response.json()) as Record<string, unknown> }
  }
  const got = () => sluice.lines.map((line) => JSON.parse(line).n as number).sort()
  return { sluice, send, ask, got }
}

describe.each(['', 'workers 2'])('RPC, <system> %s', (workers) => {
  it('flushes, reloads, gives the configuration, and ends with what was held delivered', async () => {
    const { sluice, send, ask, got } = await start(`enable_get_dump\n  ${workers}`)
    for (const n of [1, 2]) await send(n)
    expect(await ask('plugins.flushBuffers')).toEqual({ status: 200, body: { ok: true } })
    await until('what was held', () => got().length === 2)
    const { body } = await ask('config.getDump')
    expect(body.conf).toContain('flush_interval 1h')
    expect((await ask('config.gracefulReload', 'POST')).body).toEqual({ ok: true })
    await until('the reload', () => sluice.log().includes('the new configuration is in place'))
    for (const n of [3, 4]) await send(n)
    expect((await ask('processes.flushBuffersAndKillWorkers')).body).toEqual({ ok: true })
    expect(await sluice.exited).toBe(0)
    expect(got()).toEqual([1, 2, 3, 4])
  })

  it('ends it', async () => {
    const { sluice, ask } = await start(workers)
    expect((await ask('config.getDump')).status).toBe(404)
    expect((await ask('processes.killWorkers', 'POST')).body).toEqual({ ok: true })
    expect(await sluice.exited).toBe(0)
    expect(sluice.log()).toContain('stopping because="RPC"')
  })
})

import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import net from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { forwardOn, freePort, listening, type Running, run, until } from './support.ts'

/** `workers N`: several processes, one address, one standard output, one log. */

const source = (port: number) => `${forwardOn(port)}
`
const stdout = `<match **>
  @type stdout
  <format>
    @type json
  </format>
  <inject>
    worker_id_key worker
  </inject>
</match>
`

async function start(rest: (port: number) => string, args: readonly string[] = []) {
  const port = await freePort()
  const sluice = run({
    config: `<system>\n  workers 2\n</system>\n${rest(port)}`,
    args: ['--suppress-config-dump', ...args],
  })
  await logged(sluice, 'all workers run')
  return { port, sluice }
}

const logged = (sluice: Running, text: string, times = 1) =>
  until(
    () => `"${text}" in the log:\n${sluice.log()}`,
    () => sluice.log().split(text).length > times,
  )

/** One connection for each: the kernel of the cluster deals them out in turn. */
async function send(port: number, lines: readonly string[]): Promise<void> {
  await new Promise<void>((done, fail) => {
    const socket = net.connect(port, '127.0.0.1', () => socket.end(lines.join('\n')))
    socket.once('error', fail)
    socket.once('close', () => done())
    socket.resume()
  })
}

const event = (n: number, text = '') => JSON.stringify(['t', 1_700_000_000, { n, text }])
const records = (sluice: Running) =>
  sluice.lines.map((line) => JSON.parse(line) as { n: number; worker: number; text: string })

/** Ports that were free a moment ago, each with the next one. */
async function freePorts(count: number): Promise<number[]> {
  const found: number[] = []
  while (found.length < count) {
    const port = await freePort()
    const next = net.createServer()
    const free = await new Promise<boolean>((done) => {
      next.once('error', () => done(false))
      next.listen(port + 1, '127.0.0.1', () => next.close(() => done(true)))
    })
    if (free && !found.some((one) => Math.abs(one - port) < 2)) found.push(port)
  }
  return found
}

/** The workers' processes. */
function pidsOf(sluice: Running): number[] {
  const path = `/proc/${sluice.child.pid}/task/${sluice.child.pid}/children`
  return readFileSync(path, 'utf8').trim().split(' ').map(Number)
}

describe('workers 2', () => {
  it('share an address; lines of standard output are whole', async () => {
    const { port, sluice } = await start((port) => source(port) + stdout)
    // Larger than a pipe takes at once.
    const text = 'x'.repeat(20_000)
    await Promise.all(
      Array.from({ length: 8 }, (_, i) =>
        send(
          port,
          Array.from({ length: 50 }, (_, k) => event(i * 50 + k, text)),
        ),
      ),
    )
    await until('all events', () => sluice.lines.length === 400)
    const got = records(sluice)
    expect(new Set(got.map(({ n }) => n)).size).toBe(400)
    expect(got.every((record) => record.text === text)).toBe(true)
    expect([...new Set(got.map(({ worker }) => worker))].sort()).toEqual([0, 1])
    expect(await sluice.stop()).toBe(0)
  })

  it('start a worker that was killed again', async () => {
    const { port, sluice } = await start((port) => source(port) + stdout)
    const [first] = pidsOf(sluice)
    process.kill(first!, 'SIGKILL')
    await logged(sluice, 'exited unexpectedly')
    await logged(sluice, 'listening port', 3)
    for (let n = 0; n < 4; n++) await send(port, [event(n)])
    await until('all events', () => sluice.lines.length === 4)
    expect([...new Set(records(sluice).map(({ worker }) => worker))].sort()).toEqual([0, 1])
    expect(await sluice.stop()).toBe(0)
  })

  it('obey: USR1 flushes, HUP reloads, a signal to all processes at once does not hurry them', async () => {
    const { sluice } = await start((port) => source(port) + stdout)
    sluice.child.kill('SIGUSR1')
    await logged(sluice, 'force flushing buffered events', 2)
    sluice.child.kill('SIGHUP')
    await logged(sluice, 'the new configuration is in place', 2)
    for (const pid of pidsOf(sluice)) process.kill(pid, 'SIGTERM')
    expect(await sluice.stop()).toBe(0)
    expect(sluice.log()).not.toContain('stopping at once')
  })

  it('keep a wrong configuration from all of them', async () => {
    const { sluice } = await start((port) => source(port) + stdout)
    const { writeFileSync } = await import('node:fs')
    writeFileSync(join(sluice.dir, 'fluent.conf'), '<match **>\n  @type stdoutt\n</match>\n')
    sluice.child.kill('SIGHUP')
    await logged(sluice, 'the old configuration stays')
    expect(sluice.log().match(/Unknown output plugin/g)).toHaveLength(1)
    expect(await sluice.stop()).toBe(0)
  })

  it('have sections of their own, and a number in "#{worker_id}"', async () => {
    const own = await freePort()
    const filter = `<filter **>
  @type record_transformer
  <record>
    w "#{worker_id}#{ENV['SERVERENGINE_WORKER_ID']}"
  </record>
</filter>
`
    const { sluice } = await start(
      (port) => `${source(port)}<worker 1>\n${source(own)}</worker>\n${filter}${stdout}`,
    )
    await listening(own, sluice)
    for (let n = 0; n < 3; n++) await send(own, [event(n)])
    await until('all events', () => sluice.lines.length === 3)
    expect(sluice.lines.map((line) => JSON.parse(line).w)).toEqual(['11', '11', '11'])
    expect(await sluice.stop()).toBe(0)
  })

  it('serve metrics and the monitor each on a port of its own, and all metrics on one', async () => {
    const [metrics, monitor] = await freePorts(2)
    const { port, sluice } = await start(
      (port) => `${source(port)}<source>
  @type prometheus
  bind 127.0.0.1
  port ${metrics}
</source>
<source>
  @type monitor_agent
  port ${monitor}
</source>
${stdout}`,
    )
    for (let n = 0; n < 4; n++) await send(port, [event(n)])
    await until('all events', () => sluice.lines.length === 4)
    const get = async (at: number, path: string) =>
      await (await fetch(`http://127.0.0.1:${at}${path}`)).text()
    for (const id of [0, 1]) {
      const config = JSON.parse(await get(monitor! + id, '/api/config.json'))
      expect(config).toMatchObject({ worker_id: id, workers: 2 })
      expect(await get(metrics! + id, '/metrics')).toMatch(/^sluice_input_events_total\{.*\} 2$/m)
    }
    const all = await get(metrics!, '/aggregated_metrics')
    for (const id of [0, 1]) {
      expect(all).toMatch(new RegExp(`^sluice_input_events_total\\{.*worker_id="${id}"\\} 2$`, 'm'))
    }
    expect(await sluice.stop()).toBe(0)
  })

  it('deliver at a stop what came in, from all of them', async () => {
    const { port, sluice } = await start(
      (port) => `${source(port)}<match **>
  @type stdout
  <format>
    @type json
  </format>
  <buffer>
    flush_interval 1h
    flush_at_shutdown true
  </buffer>
</match>
`,
    )
    const lines = (from: number) => Array.from({ length: 100 }, (_, i) => event(from + i))
    await Promise.all([0, 1, 2, 3].map((n) => send(port, lines(n * 100))))
    expect(sluice.lines).toEqual([])
    expect(await sluice.stop()).toBe(0)
    expect(new Set(records(sluice).map(({ n }) => n)).size).toBe(400)
    expect(sluice.lines).toHaveLength(400)
  })

  it('keep in file buffers what they could not deliver, and go on with it', async () => {
    const dir = mkdtempSync(join(tmpdir(), 'sluice-workers-'))
    const sink = await freePort()
    const config = (port: number) => `${source(port)}<match **>
  @type forward
  heartbeat_type none
  <server>
    host 127.0.0.1
    port ${sink}
  </server>
  <buffer>
    @type file
    path ${dir}
    flush_interval 0.1s
    retry_type periodic
    retry_wait 0.1s
    flush_at_shutdown false
  </buffer>
</match>
`
    try {
      const first = await start(config)
      for (let n = 0; n < 8; n++) await send(first.port, [event(n)])
      expect(await first.sluice.stop()).toBe(0)
      const receiver = run({ config: source(sink) + stdout, args: ['--suppress-config-dump'] })
      await listening(sink, receiver)
      const second = await start(config)
      await until('all events', () => receiver.lines.length === 8)
      expect(new Set(records(receiver).map(({ n }) => n)).size).toBe(8)
      expect(await second.sluice.stop()).toBe(0)
      await receiver.stop()
    } finally {
      rmSync(dir, { recursive: true, force: true })
    }
  })

  it('cannot have a file buffer by pattern, nor a source that is for one', async () => {
    const buffer = '<buffer>\n    @type file\n    path @DIR@/b.*.log\n  </buffer>'
    const pattern = run({
      config: `<system>\n  workers 2\n</system>\n<match **>\n  @type stdout\n  ${buffer}\n</match>\n`,
    })
    expect(await pattern.exited).toBe(1)
    expect(pattern.log()).toContain(
      'with several workers, the buffer needs a directory as its path',
    )
    const unix = run({
      config:
        '<system>\n  workers 2\n</system>\n<source>\n  @type unix\n  path @DIR@/s\n</source>\n',
    })
    expect(await unix.exited).toBe(1)
    expect(unix.log()).toContain("Plugin 'unix' does not support multi workers configuration")
  })

  it('have file buffers of their own', async () => {
    const { port, sluice } = await start(
      (port) =>
        `${source(port)}<match **>\n  @type file\n  path @DIR@/out\n  append true\n  <format>\n    @type json\n  </format>\n  <buffer []>\n    @type file\n    path @DIR@/buffer\n    flush_interval 1s\n    flush_at_shutdown true\n  </buffer>\n</match>\n`,
    )
    const { readdirSync } = await import('node:fs')
    for (let n = 0; n < 10; n++) await send(port, [event(n)])
    await until('the directories', () =>
      ['worker0', 'worker1'].every((name) =>
        readdirSync(join(sluice.dir, 'buffer')).includes(name),
      ),
    )
    const out = join(sluice.dir, 'out.log')
    const read = () => readFileSync(out, 'utf8').trim().split('\n')
    await until('all lines', () => {
      try {
        return read().length === 10
      } catch {
        return false
      }
    })
    expect(await sluice.stop()).toBe(0)
  })

  it('end, with what they hold delivered, when the process that started them is killed', async () => {
    const { sluice } = await start((port) => source(port) + stdout)
    const pids = pidsOf(sluice)
    sluice.child.kill('SIGKILL')
    await until('the workers to end', () =>
      pids.every((pid) => {
        try {
          return !process.kill(pid, 0)
        } catch {
          return true
        }
      }),
    )
    expect(pids).toHaveLength(2)
  })

  it('end with 1 when the address is taken', async () => {
    const holder = net.createServer()
    await new Promise<void>((done) => holder.listen(0, '127.0.0.1', done))
    const { port } = holder.address() as net.AddressInfo
    const sluice = run({ config: `<system>\n  workers 2\n</system>\n${source(port)}${stdout}` })
    expect(await sluice.exited).toBe(1)
    expect(sluice.log()).toContain('address already in use')
    holder.close()
  })

  it('are refused with --no-supervisor, and by a dry run where a plugin is for one worker', async () => {
    const config = `<system>\n  workers 2\n</system>\n${source(0)}${stdout}`
    const alone = run({ config, args: ['--no-supervisor'] })
    expect(await alone.exited).toBe(1)
    expect(alone.log()).toContain('invalid number of workers with --no-supervisor: 2')
    const dry = run({ config, args: ['--dry-run'] })
    expect(await dry.exited).toBe(0)
    expect(dry.log()).toContain('it would start')
  })
})

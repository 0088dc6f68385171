import { describe, expect, it } from 'vitest'
import { createFakeHost } from '../support/fake-host.ts'
import { appOf, namesOf, stopped, tracesOf } from './world.ts'

/** What every source does; see src/core/source.ts and component.ts. A source without a row here fails. */

/** The least that each can be given, and the port or path that it holds. */
const sections: Readonly<Record<string, { lines: string; holds?: number | string }>> = {
  exec: { lines: 'command tick\ntag t\nrun_interval 1s\n<parse>\n@type none\n</parse>' },
  forward: { lines: 'port 24224', holds: 24224 },
  gc_stat: { lines: 'tag t' },
  http: { lines: 'port 9880' },
  monitor_agent: { lines: 'port 24220' },
  prometheus: { lines: 'port 24231' },
  prometheus_monitor: { lines: '' },
  prometheus_output_monitor: { lines: '' },
  prometheus_tail_monitor: { lines: '' },
  sample: { lines: 'tag t\nrate 10' },
  syslog: {
    lines: 'tag t\nport 5140\n<transport tcp>\n</transport>',
    holds: 5140,
  },
  tail: { lines: 'path /log/a.log\npos_file /pos\ntag t\n<parse>\n@type none\n</parse>' },
  tcp: { lines: 'port 5170\ntag t\n<parse>\n@type none\n</parse>', holds: 5170 },
  udp: { lines: 'port 5160\ntag t\n<parse>\n@type none\n</parse>' },
  unix: { lines: 'path /run/s.sock', holds: '/run/s.sock' },
}

const configOf = (name: string) =>
  `<source>\n@type ${name}\n${sections[name]?.lines}\n</source>\n<match **>\n@type null\n</match>`

it('every source has a row', () => {
  expect(Object.keys(sections).sort()).toEqual(namesOf('source').sort())
})

describe.each(Object.entries(sections))('source %s', (name, { holds }) => {
  it('creation does nothing that can be seen', () => {
    const host = createFakeHost()
    const before = tracesOf(host)
    appOf(configOf(name), host)
    expect(tracesOf(host)).toEqual(before)
  })

  it('can be stopped without a start, and twice', async () => {
    const { app, host } = appOf(configOf(name))
    await stopped(app, host)
    const started = appOf(configOf(name))
    await started.app.start()
    await stopped(started.app, started.host)
    await stopped(started.app, started.host)
    expect(started.host.log.messages('error')).toEqual([])
    expect(started.host.log.messages('warn').filter((one) => /stop/.test(one))).toEqual([])
  })

  it('claims what it holds, and lets go of it', async () => {
    const host = createFakeHost()
    for (let run = 0; run < 2; run++) {
      const { app } = appOf(configOf(name), host)
      await app.start()
      if (holds !== undefined) {
        expect(app.claims.some((claim) => claim.endsWith(String(holds)))).toBe(true)
        expect(host.net.listening()).toContain(holds)
      }
      await host.clock.advance(2_500)
      await stopped(app, host)
      expect(host.net.listening()).toEqual([])
      expect(host.disk.watched).toEqual([])
    }
  })

  it('emits nothing after its stop', async () => {
    const { app, host } = appOf(configOf(name).replace('@type null', '@type stdout'))
    host.processes.behave = (process) => {
      process.say('tick\n')
      process.exit(0)
    }
    await app.start()
    await host.clock.advance(2_500)
    await stopped(app, host)
    const text = host.stdout.text()
    const timers = host.clock.pendingTimers
    await host.clock.advance(120_000)
    expect(host.stdout.text()).toBe(text)
    expect(timers).toBe(0)
  })
})

import { describe, expect, it } from 'vitest'
import { expectBooksClose } from '../support/books.ts'
import { createFakeHost } from '../support/fake-host.ts'
import { appOf, namesOf, stopped, tracesOf } from './world.ts'

/** What every output does; see src/core/output.ts and component.ts. An output without a row here fails. */

const memory = '<buffer>\n@type memory\nflush_mode immediate\n</buffer>'
/** The least that each can be given, and whether what it is handed shows on standard output (behind a label, or at once). */
const sections: Readonly<Record<string, string>> = {
  buffer: `@label @END\n${memory}`,
  copy: '<store>\n@type relabel\n@label @END\n</store>\n<store>\n@type null\n</store>',
  detect_exceptions: 'remove_tag_prefix t\nmessage m\n@label @END',
  exec: `command cat\n<format>\n@type json\n</format>\n${memory}`,
  exec_filter: `command cat\ntag x\n@label @END\n<format>\n@type json\n</format>\n<parse>\n@type json\n</parse>`,
  file: `path /out/f\nappend true\n<buffer []>\n@type memory\nflush_mode immediate\n</buffer>`,
  forward: `heartbeat_type none\n<server>\nhost 127.0.0.1\nport 24999\n</server>\n${memory}`,
  http: `endpoint http://sink.test/\n${memory}`,
  null: '',
  prometheus: '<metric>\nname n\ntype counter\ndesc d\n</metric>',
  record_modifier: 'tag x\n@label @END',
  relabel: '@label @END',
  rename_key: 'rename_rule1 ^m$ n\nremove_tag_prefix t\n@label @END',
  rewrite_tag_filter: '@label @END\n<rule>\nkey m\npattern /./\ntag x\n</rule>',
  roundrobin: '<store>\n@type relabel\n@label @END\n</store>',
  // Only as a <secondary>.
  secondary_file: '',
  stdout: '',
}

const configOf = (name: string) => {
  const own = `@type ${name}\n${sections[name]}`
  const secondary = `@type http\nendpoint http://sink.test/\n<buffer>\nflush_mode immediate\nretry_max_times 1\n</buffer>\n<secondary>\n@type secondary_file\ndirectory /s\n</secondary>`
  return `<source>
@type forward
</source>
<match t.**>
${name === 'secondary_file' ? secondary : own}
</match>
<label @END>
<match **>
@type stdout
</match>
</label>`
}

it('every output has a row', () => {
  expect(Object.keys(sections).sort()).toEqual(namesOf('output').sort())
})

const hostile = [
  '["t.a", 1700000000, {"m": "one"}]',
  '["t.b", 1700000000, {}]',
  '["t.a", 1700000001, {"m": null, "__proto__": {"x": 1}, "constructor": "c"}]',
  `["t.a", 1700000001, {"m": ${'['.repeat(40)}${']'.repeat(40)}}]`,
  `["t.a", 1700000002, {"m": ${JSON.stringify('\u0000\n\t"é€😀'.repeat(50))}}]`,
  `["t.${'x'.repeat(3000)}", 1700000003, {"m": "long tag"}]`,
  '["t.a", 1700000003, {"m": {"deep": [1, -1, 1.5, true, 9007199254740993]}}]',
].join('')

describe.each(Object.keys(sections))('output %s', (name) => {
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
  })

  it.each([200, 400, 503])(
    'its books close at any moment (a destination that says %d)',
    async (status) => {
      const { app, host } = appOf(configOf(name))
      host.http.answer = () => ({ status, headers: {}, body: new Uint8Array(0) })
      await app.start()
      for (let turn = 0; turn < 3; turn++) {
        const client = host.net.client(24224)
        client.send(Buffer.from(hostile))
        client.end()
        await host.clock.settle()
        expectBooksClose(app)
        await host.clock.advance(1_500)
        expectBooksClose(app)
      }
      const taken = host.metrics.value('sluice_input_events_total')
      const invalid = host.metrics.value('sluice_input_invalid_events_total')
      expect([taken, invalid]).toEqual([18, 3])
      await stopped(app, host)
      expectBooksClose(app)
    },
  )

  it('does nothing after its stop', async () => {
    const { app, host } = appOf(configOf(name))
    await app.start()
    const client = host.net.client(24224)
    client.send(Buffer.from('["t.a", 1700000000, {"m": "one"}]'))
    client.end()
    await host.clock.settle()
    await stopped(app, host)
    const traces = tracesOf(host)
    await host.clock.advance(300_000)
    expect(tracesOf(host)).toEqual(traces)
    expect(host.clock.pendingTimers).toBe(0)
  })
})

import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { exchange, forwardOn, freePort, listening, run, until } from './support.ts'

/** <system> with_source_only: sources run, the rest waits for SIGWINCH. */

const stdout = (to: string) =>
  `<match **>
  @type stdout
  <format>
    @type json
  </format>
  <inject>
    tag_key tag
  </inject>
</match>`.replace('tag_key tag', `tag_key ${to}`)

const config = (of: { port: number; labelled: number; system: string; buffer: string }) => `<system>
  with_source_only true
  ${of.system}
  <source_only_buffer>
    path ${of.buffer}
    flush_interval 0.2s
  </source_only_buffer>
</system>
${forwardOn(of.port)}
<source>
  @type forward
  bind 127.0.0.1
  port ${of.labelled}
  @label @IN
</source>
${stdout('root')}
<label @IN>
${stdout('in')}
</label>
`

async function start(system: string, buffer: string) {
  const [port, labelled] = [await freePort(), await freePort()]
  const sluice = run({ config: config({ port, labelled, system, buffer }) })
  await listening(labelled, sluice)
  const send = (to: number, n: number) =>
    exchange(to, Buffer.from(JSON.stringify(['t', 1_700_000_000, { n }])))
  const lines = () => [...sluice.lines].sort()
  return { sluice, port, labelled, send, lines }
}

describe.each(['', 'workers 2'])('with_source_only, <system> %s', (system) => {
  it('keeps what comes in, and delivers it to where it belongs after SIGWINCH', async () => {
    const dir = mkdtempSync(join(tmpdir(), 'sluice-source-only-'))
    try {
      // What one start took and did not deliver the next one does.
      const first = await start(system, join(dir, 'held'))
      for (const n of [1, 2]) await first.send(first.port, n)
      expect(await first.sluice.stop()).toBe(0)
      expect(first.sluice.lines).toEqual([])
      expect(first.sluice.log()).toContain('what came in stays in buffer files')

      const { sluice, port, labelled, send, lines } = await start(system, join(dir, 'held'))
      await send(port, 3)
      await send(labelled, 4)
      sluice.child.kill('SIGHUP')
      await until('a reload', () => sluice.log().includes('the new configuration is in place'))
      await send(port, 5)
      expect(sluice.lines).toEqual([])
      sluice.child.kill('SIGWINCH')
      await until(
        () => `what was held: ${lines()}\n${sluice.log()}`,
        () => sluice.lines.length === 5,
      )
      await send(port, 6)
      await send(labelled, 7)
      await until('new events', () => sluice.lines.length === 7)
      const expected = [1, 2, 3, 5, 6].map((n) => `{"n":${n},"root":"t"}`)
      expect(lines()).toEqual([...expected, '{"n":4,"in":"t"}', '{"n":7,"in":"t"}'].sort())
      expect(await sluice.stop()).toBe(0)
      expect(sluice.lines).toHaveLength(7)
    } finally {
      rmSync(dir, { recursive: true, force: true })
    }
  })
})

describe('with_source_only', () => {
  it('finds what is wrong with the rest at the start', async () => {
    const text = config({ port: 0, labelled: 0, system: '', buffer: '/nowhere' })
    const sluice = run({ config: `${text}<match **>\n  @type stdoutt\n</match>\n` })
    expect(await sluice.exited).toBe(1)
    expect(sluice.log()).toContain("Unknown output plugin 'stdoutt'")
  })
})

import { describe, expect, it } from 'vitest'
import { batchOf } from '../../../support/batches.ts'
import { outputOn, settle } from '../../../support/output-world.ts'

const immediate = '<buffer>\nflush_mode immediate\n</buffer>'
const keys = '<format>\nkeys a,m\n</format>'

async function run(lines: string) {
  const started = outputOn(`@type exec\ncommand prog <\n${lines}`)
  await started.host.disk.mkdir('/tmp')
  await started.output.start()
  await started.output.emit(batchOf('x.a', [{ a: 1, m: 'two words' }, { a: 2 }]))
  await started.host.clock.advance(0)
  await settle()
  const [child] = started.host.processes.started
  const path = child?.options.command.split(' ').at(-1) ?? ''
  const text = async () => Buffer.from(await started.host.disk.readFile(path)).toString()
  return { ...started, child, path, text }
}

describe('exec output', () => {
  it('passes a file of the events to the command, and removes it', async () => {
    const { child, path, text, host, output } = await run(`${keys}\n${immediate}`)
    expect(child?.options).toMatchObject({ stdin: 'none', stdout: 'discard', stderr: 'inherit' })
    expect(child?.options.command).toMatch(/^prog < \/tmp\/sluice-exec-[0-9a-f]{32}$/)
    expect(await text()).toBe('1\ttwo words\n2\t\n')
    expect(output.statistics?.().deliveredEvents).toBe(0)
    child?.exit(0)
    await settle()
    expect(output.statistics?.().deliveredEvents).toBe(2)
    expect(await host.disk.stat(path)).toBeUndefined()
    await output.stop(new AbortController().signal)
  })

  it.each([
    [`<format>\n@type json\nadd_newline false\n</format>`, '{"a":1,"m":"two words"}\n{"a":2}\n'],
    [`<format>\n@type msgpack\n</format>`, '\u0082¡a\u0001¡m©two words\u0081¡a\u0002'],
    [
      `${keys.replace('a,m', 'a,t,g')}\n<inject>\ntime_key t\ntime_format %H:%M %z\ntag_key g\n</inject>`,
      '1\t22:13 +0000\tx.a\n2\t22:13 +0000\tx.a\n',
    ],
  ])('%s', async (lines, expected) => {
    const { host, path } = await run(`${lines}\n${immediate}`)
    expect(Buffer.from(await host.disk.readFile(path)).toString('latin1')).toBe(expected)
  })

  it.each([
    ['an exit code', 3, undefined, 'exits with error code 3'],
    ['a signal', 0, 'SIGSEGV', 'was ended by SIGSEGV'],
  ])('runs the command again after %s', async (_name, code, signal, message) => {
    const { child, path, host, output } = await run(`${keys}\n${immediate}`)
    child?.exit(code, signal)
    await settle()
    expect(await host.disk.stat(path)).toBeUndefined()
    expect(JSON.stringify(host.log.lines.map(({ fields }) => String(fields.error)))).toContain(
      message,
    )
    await host.clock.advance(2_000)
    await settle()
    expect(host.processes.started).toHaveLength(2)
    host.processes.started[1]?.exit(0)
    await settle()
    expect(output.statistics?.()).toMatchObject({ deliveredEvents: 2, retryCount: 1 })
  })

  it('kills what takes too long', async () => {
    const { child, host } = await run(`command_timeout 5s\n${keys}\n${immediate}`)
    await host.clock.advance(5_000)
    expect(child?.signals).toEqual(['KILL'])
    child?.exit(0, 'SIGKILL')
    await settle()
    const said = host.log.lines.map(({ fields }) => String(fields.error)).join()
    expect(said).toContain('was killed after 5 s')
  })

  it('kills it at the deadline of the shutdown', async () => {
    const { child, host, output } = await run(`${keys}\n${immediate}`)
    const deadline = new AbortController()
    const stopped = output.stop(deadline.signal)
    deadline.abort()
    await host.clock.advance(1_000)
    await settle()
    expect(child?.signals).toContain('KILL')
    child?.exit(0, 'SIGKILL')
    await stopped
  })

  it('uses TMPDIR where its path is plain', async () => {
    for (const [dir, expected] of [
      ['/var/run/x/', '/var/run/x/sluice-exec-'],
      ['/a b;c', '/tmp/sluice-exec-'],
    ] as const) {
      const started = outputOn(`@type exec\ncommand p\n${keys}\n${immediate}`)
      started.host.env.TMPDIR = dir
      await started.host.disk.mkdir('/var/run/x')
      await started.host.disk.mkdir('/tmp')
      await started.output.start()
      await started.output.emit(batchOf('x', [{ a: 1 }]))
      await started.host.clock.advance(0)
      await settle()
      expect(started.host.processes.started[0]?.options.command).toContain(`p ${expected}`)
    }
  })

  it.each([
    ['@type exec\n<format>\nkeys a\n</format>', 'command'],
    ['@type exec\ncommand p', 'keys'],
  ])('refuses %s', (lines, message) => {
    expect(() => outputOn(lines)).toThrow(message)
  })
})

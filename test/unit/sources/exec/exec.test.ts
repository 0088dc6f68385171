import { describe, expect, it } from 'vitest'
import { encode } from '../../../../src/msgpack/encode.ts'
import { execSource } from '../../../../src/sources/exec/index.ts'
import { recordOf } from '../../../support/batches.ts'
import { startMaker, startMs } from './harness.ts'

const now = startMs / 1000
const parse = (lines: string) => `<parse>\n${lines}\n</parse>`
const settled = () => new Promise((resolve) => setImmediate(resolve))

async function runOnce(lines: string, outputs: readonly (string | Uint8Array)[]) {
  const started = await startMaker(execSource, `command run it\n${lines}`)
  const [child] = started.host.processes.started
  for (const output of outputs) child?.say(output)
  child?.exit(0)
  await settled()
  return started
}

describe('exec source', () => {
  it('runs once, with nothing on its standard input', async () => {
    const { host } = await startMaker(execSource, `command a b | c\ntag t\n${parse('@type none')}`)
    await host.clock.advance(60_000)
    expect(host.processes.started.map(({ options }) => options)).toEqual([
      { command: 'a b | c', stdin: 'none', stdout: 'pipe', stderr: 'discard' },
    ])
  })

  it.each<[string, string, (string | Uint8Array)[], string[]]>([
    [
      'tsv, the default',
      `tag t\n${parse('keys time,a')}`,
      ['7\tx\n8', '\ty\r\n'],
      [`t ${now} {"time":"7","a":"x"}`, `t ${now} {"time":"8","a":"y"}`],
    ],
    [
      'a time of the parser',
      `tag t\n${parse('keys time,a\ntime_key time')}`,
      ['7\tx\n'],
      ['t 7 {"a":"x"}'],
    ],
    [
      'a time in a format',
      `tag t\n${parse('keys time,a\ntime_key time\ntime_format %Y %z')}`,
      ['1970 +0000\tx\n'],
      ['t 0 {"a":"x"}'],
    ],
    [
      '<extract>',
      `${parse('keys time,tag,a')}\n<extract>\ntag_key tag\ntime_key time\n</extract>`,
      ['7.5\tg.a\tx\n8\tg.b\ty\n'],
      ['g.a 7 {"a":"x"}', 'g.b 8 {"a":"y"}'],
    ],
    [
      'a last line without its end',
      `tag t\n${parse('@type none')}`,
      ['a\nb'],
      [`t ${now} {"message":"a"}`, `t ${now} {"message":"b"}`],
    ],
    [
      'JSON values over lines and reads',
      `tag t\n${parse('@type json')}`,
      ['{"time":7,\n"a"', ':1}{"time":8}\n[{"a":2', ',"time":9}]'],
      ['t 7 {"a":1}', 't 8 {}', 't 9 {"a":2}'],
    ],
    ['old parameters', 'tag_key g\nkeys g,a\nformat tsv', ['x.y\t1\n'], [`x.y ${now} {"a":"1"}`]],
    [
      'an encoding',
      `tag t\nencoding shift_jis\n${parse('@type none')}`,
      [Buffer.from([0x83]), Buffer.from([0x65, 0x0a])],
      [`t ${now} {"message":"テ"}`],
    ],
  ])('%s', async (_name, lines, outputs, expected) => {
    const { events } = await runOnce(lines, outputs)
    expect(events).toEqual(expected)
  })

  it('takes MessagePack values end to end, however they are cut', async () => {
    const bytes = Buffer.concat(
      [1, 2, 300].map((n) => encode(recordOf({ n, text: 'x'.repeat(n) }))),
    )
    const whole = await runOnce(`tag t\n${parse('@type msgpack')}`, [bytes])
    expect(whole.events).toHaveLength(3)
    const single = Array.from(bytes, (byte) => Uint8Array.of(byte))
    expect((await runOnce(`tag t\n${parse('@type msgpack')}`, single)).events).toEqual(whole.events)
  })

  it('counts what cannot be read, and goes on where that can be', async () => {
    const broken = await runOnce(`tag t\n${parse('@type msgpack')}`, [
      Buffer.from('c1', 'hex'),
      encode(recordOf({})),
    ])
    expect(broken.events).toEqual([])
    expect(broken.host.metrics.value('sluice_input_dropped_messages_total')).toBe(1)
    const lines = await runOnce(`tag t\n${parse('@type json')}`, ['{"a":1}\nx {"a":2}\n'])
    expect(lines.events).toHaveLength(2)
    expect(lines.host.metrics.value('sluice_input_invalid_events_total')).toBe(1)
    const noTag = await runOnce(`${parse('@type json')}\n<extract>\ntag_key g\n</extract>`, [
      '{"a":1}{"g":"t"}',
    ])
    expect(noTag.events).toEqual([`t ${now} {}`])
    expect(
      noTag.host.metrics.value('sluice_input_invalid_events_total', { reason: 'no_tag' }),
    ).toBe(1)
  })

  it('runs again and again, but not beside itself', async () => {
    const { host, events } = await startMaker(
      execSource,
      `command c\ntag t\nrun_interval 10s\n${parse('@type none')}`,
    )
    const { started } = host.processes
    expect(started).toHaveLength(0)
    await host.clock.advance(10_000)
    expect(started).toHaveLength(1)
    await host.clock.advance(10_000)
    expect(started).toHaveLength(1)
    expect(host.log.messages('warn')).toEqual(['previous child process is still running. skipped.'])
    started[0]?.say('one\n')
    started[0]?.exit(3)
    await settled()
    expect(host.log.messages('warn')).toContain('command exits with error code')
    await host.clock.advance(10_000)
    expect(started).toHaveLength(2)
    started[1]?.say('two\n')
    expect(events.map((event) => event.slice(event.indexOf('{')))).toEqual([
      '{"message":"one"}',
      '{"message":"two"}',
    ])
  })

  it('kills what runs too long', async () => {
    const { host } = await startMaker(
      execSource,
      `command c\ntag t\ncommand_timeout 5s\n${parse('@type none')}`,
    )
    await host.clock.advance(5_000)
    expect(host.processes.started[0]?.signals).toEqual(['KILL'])
  })

  it('does not read while the consumer pushes back', async () => {
    const started = await startMaker(execSource, `command c\ntag t\n${parse('@type none')}`)
    const [child] = started.host.processes.started
    let release = () => {}
    started.answer = () => new Promise<void>((resolve) => (release = resolve))
    child?.say('one\n')
    expect(child?.paused).toBe(true)
    release()
    await settled()
    expect(child?.paused).toBe(false)
  })

  it.each([
    ['ends it', [], ['TERM'], 0],
    ['ends it by force after a while', [10_000], ['TERM', 'KILL'], 10_000],
  ])('at stop: %s', async (_name, _waits, signals, waitMs) => {
    const { host, source } = await startMaker(
      execSource,
      `command c\ntag t\n${parse('@type none')}`,
    )
    const [child] = host.processes.started
    const stopped = source.stop(new AbortController().signal)
    await host.clock.advance(waitMs)
    expect(child?.signals).toEqual(signals)
    child?.exit(0, 'SIGTERM')
    await stopped
    await source.stop(new AbortController().signal)
    expect(host.log.messages('warn')).toEqual([])
  })

  it.each([
    ['command c\n<parse>\n@type none\n</parse>', "'tag' or 'tag_key'"],
    ['tag t\n<parse>\n@type none\n</parse>', 'command'],
    ['command c\ntag t', 'keys'],
    ['command c\ntag t\nencoding klingon\n<parse>\n@type none\n</parse>', 'unknown encoding'],
  ])('refuses %s', async (lines, message) => {
    await expect(startMaker(execSource, lines)).rejects.toThrow(message)
  })
})

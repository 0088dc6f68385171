import { describe, expect, it } from 'vitest'
import { startTail } from './harness.ts'

const log = '/var/log/app.log'
const base = `path ${log}\npos_file /pos\ntag t\nread_from_head true`
const parse = `<parse>
  @type multiline
  format_firstline /^\\d+ /
  format1 /^(?<id>\\d+) /
  format2 /(?<text>.*)/
</parse>`
const whole = `<parse>
  @type multiline
  format1 /^begin (?<id>\\d+)\\n/
  format2 /(?<text>.*)\\nend/
</parse>`

const records = (events: readonly string[]) =>
  events.map((event) => JSON.parse(event.slice(event.indexOf('{'))))

describe('source tail: events of several lines', () => {
  it('ends one where the next one begins, and keeps the position in front of the last', async () => {
    const tail = await startTail(`${base}\n${parse}`, { [log]: '1 a\n  b\r\n  c\n2 d\n' })
    expect(records(tail.events)).toEqual([{ id: '1', text: 'a\n  b\r\n  c' }])
    expect(tail.positions()).toEqual({ [log]: '13' })
    tail.host.disk.append(log, '  e\n')
    await tail.pass(60_000)
    expect(tail.events).toHaveLength(1)
    tail.host.disk.append(log, '3 f\n')
    await tail.pass(1000)
    expect(records(tail.events)[1]).toEqual({ id: '2', text: 'd\n  e' })
    expect(tail.positions()).toEqual({ [log]: '21' })
    // As Fluentd does, what is held goes at the end.
    await tail.stop()
    expect(records(tail.events)[2]).toEqual({ id: '3', text: 'f' })
    expect(tail.positions()).toEqual({ [log]: '25' })
  })

  it('ends the last one when nothing has followed for multiline_flush_interval', async () => {
    const tail = await startTail(`multiline_flush_interval 3s\n${base}\n${parse}`, {
      [log]: '1 a\n',
    })
    await tail.pass(2000)
    tail.host.disk.append(log, '  b\n')
    await tail.pass(2500)
    expect(tail.events).toEqual([])
    await tail.pass(1000)
    expect(records(tail.events)).toEqual([{ id: '1', text: 'a\n  b' }])
    expect(tail.positions()).toEqual({ [log]: '8' })
    await tail.stop()
  })

  it('reads one again from its first line after a crash, or where it was refused', async () => {
    const tail = await startTail(`multiline_flush_interval 1s\n${base}\n${parse}`, {
      [log]: '1 a\n  b\n2 c\n  d\n',
    })
    expect(records(tail.events)).toEqual([{ id: '1', text: 'a\n  b' }])
    // Nothing of this process is ended: as after kill -9.
    const position = tail.positions()[log]
    expect(position).toBe('8')
    tail.answer = () => Promise.reject(new Error('full'))
    await tail.pass(5000)
    expect(tail.events).toHaveLength(1)
    tail.answer = () => undefined
    await tail.pass(5000)
    expect(records(tail.events)[1]).toEqual({ id: '2', text: 'c\n  d' })
    await tail.stop()
  })

  it('says and leaves out lines before the first, or emits them', async () => {
    const tail = await startTail(`${base}\n${parse}`, { [log]: '  x\n1 a\n' })
    expect(tail.host.log.messages('warn')).toEqual(['got incomplete line before first line'])
    expect(
      tail.host.metrics.value('sluice_input_invalid_events_total', { reason: 'incomplete' }),
    ).toBe(1)
    await tail.stop()
    expect(records(tail.events)).toEqual([{ id: '1', text: 'a' }])
    const emitting = await startTail(`emit_unmatched_lines true\n${base}\n${parse}`, {
      [log]: '  x\n1 a\n',
    })
    await emitting.stop()
    expect(records(emitting.events)).toEqual([{ unmatched_line: '  x' }, { id: '1', text: 'a' }])
  })

  it('without a first line, ends one where the parser can read it', async () => {
    const tail = await startTail(`${base}\n${whole}`, { [log]: 'begin 1\na\nb\nen' })
    expect(tail.events).toEqual([])
    expect(tail.positions()).toEqual({ [log]: '0' })
    tail.host.disk.append(log, 'd\nbegin 2\n')
    await tail.pass(1000)
    expect(records(tail.events)).toEqual([{ id: '1', text: 'a\nb' }])
    tail.host.disk.append(log, 'c\nend\n')
    await tail.pass(1000)
    expect(records(tail.events)[1]).toEqual({ id: '2', text: 'c' })
    expect(tail.positions()).toEqual({ [log]: '30' })
    await tail.stop()
  })

  it('holds no more of one than its limit', async () => {
    const tail = await startTail(`emit_unmatched_lines true\n${base}\n${parse}`, {
      [log]: `1 a\n${`${'x'.repeat(99)}\n`.repeat(15_000)}2 b\n`,
    })
    await tail.stop()
    const found = records(tail.events)
    expect(found.at(-1)).toEqual({ id: '2', text: 'b' })
    expect(found[0].id).toBe('1')
    const length = found[0].text.length
    expect(length).toBeGreaterThan(1024 * 1024 - 200)
    expect(length).toBeLessThan(1024 * 1024)
    // The lines behind it belong to none.
    expect(found[1]).toEqual({ unmatched_line: 'x'.repeat(99) })
  })

  it('keeps files apart', async () => {
    const tail = await startTail(
      `path /l/*\npos_file /pos\ntag t\nread_from_head true\npath_key file\n${parse}`,
      { '/l/a': '1 a\n', '/l/b': '2 b\n' },
    )
    tail.host.disk.append('/l/a', ' more a\n')
    tail.host.disk.append('/l/b', ' more b\n')
    await tail.pass(1000)
    await tail.stop()
    expect(records(tail.events)).toEqual([
      { id: '1', text: 'a\n more a', file: '/l/a' },
      { id: '2', text: 'b\n more b', file: '/l/b' },
    ])
  })
})

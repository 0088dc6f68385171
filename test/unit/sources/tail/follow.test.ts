import { describe, expect, it } from 'vitest'
import { diskError } from '../../../support/memory-disk.ts'
import { json, none, startTail } from './harness.ts'

const log = '/var/log/app.log'
const basic = `path ${log}\npos_file /pos\ntag t\n${none}`
const fromHead = `read_from_head true\n${basic}`

describe('source tail: one file', () => {
  it('reads what is appended, from the end of a file that is there', async () => {
    const tail = await startTail(basic, { [log]: 'old\n' })
    expect(tail.came()).toEqual([])
    tail.host.disk.append(log, 'one\ntwo\n')
    await tail.pass(20)
    expect(tail.came()).toEqual(['one', 'two'])
    expect(tail.events[0]).toBe('t {"message":"one"}')
    expect(tail.positions()).toEqual({ [log]: '12' })
    await tail.stop()
  })

  it('reads from the head with read_from_head, and waits for the ends of lines', async () => {
    const tail = await startTail(fromHead, { [log]: 'one\r\n\nthr' })
    expect(tail.came()).toEqual(['one', ''])
    expect(tail.positions()).toEqual({ [log]: '6' })
    tail.host.disk.append(log, 'ee')
    await tail.pass(1000)
    expect(tail.came()).toEqual([])
    expect(tail.positions()).toEqual({ [log]: '6' })
    tail.host.disk.append(log, '\n')
    await tail.pass(1000)
    expect(tail.came()).toEqual(['three'])
    await tail.stop()
    expect(tail.host.clock.pendingTimers).toBe(0)
    expect(tail.host.disk.watched).toEqual([])
  })

  it('writes the position as Fluentd does: 16 digits, in place', async () => {
    const tail = await startTail(fromHead, { [log]: 'one\n' })
    const inode = (await tail.host.disk.target(log))!.inode.toString(16).padStart(16, '0')
    expect(tail.host.disk.texts()['/pos']).toBe(`${log}\t0000000000000004\t${inode}\n`)
    tail.host.disk.append(log, 'two\n')
    await tail.pass(20)
    expect(tail.host.disk.texts()['/pos']).toBe(`${log}\t0000000000000008\t${inode}\n`)
    await tail.stop()
  })

  it('goes on from its pos_file, and from one of Fluentd', async () => {
    const first = await startTail(fromHead, { [log]: 'one\ntwo\n' })
    await first.stop()
    first.host.disk.append(log, 'three\n')
    const second = await startTail(basic, {}, first.host)
    expect(second.came()).toEqual(['three'])
    await second.stop()
    const inode = (await first.host.disk.target(log))!.inode.toString(16).padStart(16, '0')
    first.host.disk.put(
      '/pos',
      `/gone\t0000000000000001\t0000000000000099\n${log}\t0000000000000004\t${inode}\n`,
    )
    const third = await startTail(basic, {}, first.host)
    expect(third.came()).toEqual(['two', 'three'])
    expect(third.positions()).toEqual({ [log]: '14' })
    await third.stop()
  })

  it('reads what is left of a file that was rotated while nobody looked, then the new one', async () => {
    const first = await startTail(fromHead, { [log]: 'one\n' })
    await first.stop()
    const { disk } = first.host
    disk.append(log, 'two\n')
    disk.move(log, `${log}.1`)
    disk.put(log, 'new\n')
    disk.put('/var/log/other.log', 'x\n')
    const second = await startTail(`rotate_wait 2\n${basic}`, {}, first.host)
    expect(second.came()).toEqual(['two', 'new'])
    disk.append(`${log}.1`, 'late\n')
    await second.pass(1000)
    expect(second.came()).toEqual(['late'])
    expect(second.positions()).toEqual({ [log]: '4' })
    await second.pass(5000)
    expect(second.host.metrics.value('sluice_tail_files_closed_total')).toBe(1)
    await second.stop()
  })

  it.each([
    ['no line ends where reading stopped', `${log}.1`, 'on', ''],
    ['it is shorter', `${log}.1`, 'o\n', ''],
    ['it was compressed', `${log}.1.gz`, 'one\ntwo\n', ''],
    ['its name does not begin alike', '/var/log/other.1', 'one\ntwo\n', ''],
    ['it is followed by its own name', `${log}.1`, 'one\ntwo\n', `,${log}.1`],
  ])('does not take another for it: %s', async (_why, name, text, more) => {
    const first = await startTail(fromHead, { [log]: 'one\n' })
    await first.stop()
    const { disk } = first.host
    disk.put(log, text.padEnd(5, 'x'))
    if (text === 'o\n') disk.put(log, text)
    if (text.includes('two')) disk.put(log, text)
    disk.move(log, name)
    disk.put(log, 'new\n')
    const lines = `path ${log}${more}\npos_file /pos\ntag t\n${none}`
    const second = await startTail(lines, {}, first.host)
    expect(second.came()).toEqual(['new'])
    await second.stop()
  })

  it('reads another file from its head that took the place while nobody looked', async () => {
    const first = await startTail(fromHead, { [log]: 'one\n' })
    await first.stop()
    first.host.disk.remove(log)
    first.host.disk.put(log, 'new\n')
    const second = await startTail(basic, {}, first.host)
    expect(second.came()).toEqual(['new'])
    await second.stop()
  })

  it('follows a file that is renamed, and the next of its name', async () => {
    const tail = await startTail(`rotate_wait 5\n${fromHead}`, { [log]: 'a1\n' })
    tail.came()
    const { disk } = tail.host
    disk.append(log, 'a2\n')
    disk.move(log, `${log}.1`)
    disk.put(log, 'b1\n')
    disk.append(`${log}.1`, 'a3\n')
    await tail.pass(1000)
    expect(tail.came()).toEqual(['a2', 'a3', 'b1'])
    // Whoever still has the old file open.
    disk.append(`${log}.1`, 'a4\n')
    await tail.pass(1000)
    expect(tail.came()).toEqual(['a4'])
    await tail.pass(5000)
    disk.append(`${log}.1`, 'too late\n')
    disk.append(log, 'b2\n')
    await tail.pass(5000)
    expect(tail.came()).toEqual(['b2'])
    expect(tail.positions()).toEqual({ [log]: '6' })
    expect(tail.host.log.messages('info')).toContain(
      `detected rotation of ${log}; waiting 5 seconds`,
    )
    await tail.stop()
  })

  it('waits for the next file where there is none for a while', async () => {
    const tail = await startTail(fromHead, { [log]: 'a1\n' })
    const { disk } = tail.host
    disk.move(log, `${log}.1`)
    await tail.pass(3000)
    disk.put(log, 'b1\n')
    await tail.pass(1000)
    expect(tail.came()).toEqual(['a1', 'b1'])
    await tail.stop()
  })

  it('closes a file that is gone, after rotate_wait', async () => {
    const tail = await startTail(`rotate_wait 5\n${fromHead}`, { [log]: 'a1\n' })
    const closed = () => tail.host.metrics.value('sluice_tail_files_closed_total')
    tail.host.disk.remove(log)
    await tail.pass(4000)
    expect(closed()).toBe(0)
    await tail.pass(3000)
    expect(closed()).toBe(1)
    expect(tail.host.disk.watched).toEqual([])
    await tail.stop()
  })

  it('goes on where it stood when a file is moved away and back', async () => {
    const tail = await startTail(fromHead, { [log]: 'a1\n' })
    const { disk } = tail.host
    for (const awayMs of [2000, 20_000]) {
      disk.move(log, `${log}.1`)
      await tail.pass(awayMs)
      disk.append(`${log}.1`, `a${awayMs}\n`)
      disk.move(`${log}.1`, log)
      await tail.pass(1000)
    }
    expect(tail.came()).toEqual(['a1', 'a2000', 'a20000'])
    await tail.stop()
  })

  it('reads from the head again when the file is cut', async () => {
    const tail = await startTail(fromHead, { [log]: 'a long first line\nsecond\nbegun' })
    const { disk } = tail.host
    disk.cut(log)
    await tail.pass(1000)
    expect(tail.positions()).toEqual({ [log]: '0' })
    disk.append(log, 'new\n')
    await tail.pass(1000)
    expect(tail.came()).toEqual(['a long first line', 'second', 'new'])
    disk.cut(log)
    disk.append(log, 'x\n')
    await tail.pass(1000)
    expect(tail.came()).toEqual(['x'])
    expect(tail.positions()).toEqual({ [log]: '2' })
    await tail.stop()
  })

  it('finds changes without being told, every second', async () => {
    const tail = await startTail(`enable_stat_watcher false\n${fromHead}`, { [log]: '' })
    expect(tail.host.disk.watched).toEqual([])
    tail.host.disk.append(log, 'one\n')
    await tail.pass(999)
    expect(tail.came()).toEqual([])
    await tail.pass(1)
    expect(tail.came()).toEqual(['one'])
    await tail.stop()
  })

  it('lives by what the system tells alone, and finds a file that comes back', async () => {
    const tail = await startTail(`enable_watch_timer false\n${fromHead}`, { [log]: '' })
    const { disk } = tail.host
    disk.append(log, 'one\n')
    await tail.pass(20)
    disk.move(log, `${log}.1`)
    await tail.pass(20)
    disk.put(log, 'two\n')
    await tail.pass(1000)
    disk.append(log, 'three\n')
    await tail.pass(20)
    expect(tail.came()).toEqual(['one', 'two', 'three'])
    await tail.stop()
  })

  it('opens the file for each reading only, where that is wished', async () => {
    const tail = await startTail(`open_on_every_update true\n${fromHead}`, { [log]: 'a\n' })
    const { disk } = tail.host
    let open = 0
    disk.fault = (operation) => {
      if (operation === 'open') open += 1
      if (operation === 'handle.close') open -= 1
    }
    disk.append(log, 'b\n')
    await tail.pass(1000)
    disk.move(log, `${log}.1`)
    disk.put(log, 'c\n')
    await tail.pass(1000)
    expect(tail.came()).toEqual(['a', 'b', 'c'])
    expect(open).toBe(0)
    await tail.stop()
  })

  it('tries again what could not be read or opened', async () => {
    const tail = await startTail(fromHead, { [log]: 'a\n' })
    const { disk } = tail.host
    disk.fault = (operation, path) => {
      if (operation === 'handle.read') throw diskError('EIO', path)
    }
    disk.append(log, 'b\n')
    await tail.pass(3000)
    expect(tail.came()).toEqual(['a'])
    disk.fault = (operation, path) => {
      if (operation === 'open') throw diskError('EACCES', path)
    }
    disk.move(log, `${log}.1`)
    disk.put(log, 'c\n')
    await tail.pass(3000)
    expect(tail.came()).toEqual(['b'])
    disk.fault = undefined
    await tail.pass(1000)
    expect(tail.came()).toEqual(['c'])
    expect(new Set(tail.host.log.messages('warn'))).toEqual(
      new Set(['a file could not be read', 'a file could not be opened']),
    )
    await tail.stop()
  })

  it('leaves out lines that are too long, wherever reads end', async () => {
    const tail = await startTail(`max_line_size 10\n${fromHead}`, {
      [log]: '123456789\n1234567890\nok\n',
    })
    expect(tail.came()).toEqual(['123456789', 'ok'])
    for (let i = 0; i < 5; i++) {
      tail.host.disk.append(log, 'longer and ')
      await tail.pass(1000)
    }
    expect(tail.positions()).toEqual({ [log]: '24' })
    tail.host.disk.append(log, 'longer\nend\n')
    await tail.pass(1000)
    expect(tail.came()).toEqual(['end'])
    expect(
      tail.host.metrics.value('sluice_input_invalid_events_total', { reason: 'too_long' }),
    ).toBe(2)
    await tail.stop()
  })

  it('takes lines longer than it reads at once', async () => {
    const long = 'x'.repeat(700_000)
    const tail = await startTail(fromHead, { [log]: `a\n${long}\n${'y'.repeat(300_000)}` })
    expect(tail.came().map((line) => line.length)).toEqual([1, 700_000])
    tail.host.disk.append(log, `${'y'.repeat(1_000_000)}\nb\n`)
    await tail.pass(1000)
    expect(tail.came().map((line) => line.length)).toEqual([1_300_000, 1])
    await tail.stop()
  })

  it('hands on as many lines at once as read_lines_limit says, each at a later time', async () => {
    const lines = Array.from({ length: 25 }, (_, i) => `${i}`)
    const tail = await startTail(`read_lines_limit 10\n${fromHead}`, {
      [log]: `${lines.join('\n')}\n`,
    })
    expect(tail.batches).toEqual([10, 10, 5])
    expect(tail.came()).toEqual(lines)
    expect(tail.times.slice(0, 3)).toEqual(['1700000000.0', '1700000000.1', '1700000000.2'])
    await tail.stop()
  })

  it('reads what is left before it stops, and keeps the position', async () => {
    const tail = await startTail(`enable_stat_watcher false\n${fromHead}`, { [log]: 'a\n' })
    tail.host.disk.append(log, 'b\nhalf')
    await tail.stop()
    expect(tail.came()).toEqual(['a', 'b'])
    expect(tail.positions()).toEqual({ [log]: '4' })
  })

  it('says which files it follows', async () => {
    const tail = await startTail(`read_from_head true\n${basic}`, { [log]: '{}\n' })
    const inode = (await tail.host.disk.target(log))!.inode
    expect(tail.source.files?.()).toEqual([{ path: log, inode, position: 3 }])
    expect(tail.source.counts?.()).toEqual({
      opened_file_count: 1,
      closed_file_count: 0,
      rotated_file_count: 0,
      throttled_log_count: 0,
      tracked_file_count: 1,
    })
    await tail.stop()
  })

  it('reads the flat form of older configurations', async () => {
    const lines = `path ${log}\ntag t\nread_from_head true\nformat multiline
format_firstline /^\\d /
format1 /^(?<a>\\d) /
format2 /(?<b>.*)/`
    const tail = await startTail(lines, { [log]: '1 x\n y\n2 z\n' })
    expect(tail.events).toEqual(['t {"a":"1","b":"x\\n y"}'])
    await tail.stop()
  })

  it('parses lines, and counts and says those that do not match', async () => {
    const lines = `path ${log}\ntag t\nread_from_head true\npath_key file\n${json}`
    const tail = await startTail(lines, { [log]: '{"a":1}\nplain\n{"file":"x"}\n{"file":null}\n' })
    expect(tail.events).toEqual([
      `t {"a":1,"file":"${log}"}`,
      't {"file":"x"}',
      `t {"file":"${log}"}`,
    ])
    expect(tail.host.log.messages('warn')).toContain('pattern not matched')
    expect(
      tail.host.metrics.value('sluice_input_invalid_events_total', { reason: 'unmatched' }),
    ).toBe(1)
    await tail.stop()
    const unmatched = await startTail(`emit_unmatched_lines true\n${lines}`, { [log]: 'plain\n' })
    expect(unmatched.events).toEqual([`t {"unmatched_line":"plain","file":"${log}"}`])
    await unmatched.stop()
  })
})

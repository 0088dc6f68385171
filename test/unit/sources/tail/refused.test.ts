import { describe, expect, it } from 'vitest'
import { none, startTail } from './harness.ts'

const log = '/var/log/app.log'
const basic = `path ${log}\npos_file /pos\ntag t\nread_from_head true\n${none}`

describe('source tail: outputs that push back', () => {
  it('reads again what was refused, and keeps the position in front of it', async () => {
    const tail = await startTail(basic, { [log]: 'one\n' })
    tail.answer = () => Promise.reject(new Error('the buffer is full'))
    tail.host.disk.append(log, 'two\nthree\n')
    await tail.pass(3000)
    expect(tail.came()).toEqual(['one'])
    expect(tail.positions()).toEqual({ [log]: '4' })
    expect(tail.host.log.messages('warn')).toEqual([
      'events could not be taken: they are read again',
    ])
    tail.answer = () => undefined
    await tail.pass(1000)
    expect(tail.came()).toEqual(['two', 'three'])
    expect(tail.positions()).toEqual({ [log]: '14' })
    await tail.stop()
  })

  it('does not read on while a batch is not taken', async () => {
    const tail = await startTail(basic, { [log]: '' })
    let take: () => void = () => undefined
    tail.answer = () => new Promise<void>((resolve) => (take = resolve))
    tail.host.disk.append(log, 'one\n')
    await tail.pass(1000)
    tail.host.disk.append(log, 'two\n')
    await tail.pass(10_000)
    expect(tail.positions()).toEqual({ [log]: '0' })
    tail.answer = () => undefined
    take()
    await tail.pass(0)
    expect(tail.came()).toEqual(['one', 'two'])
    expect(tail.positions()).toEqual({ [log]: '8' })
    await tail.stop()
  })

  it('loses nothing of files that rotate while nothing is taken, and keeps their order', async () => {
    const tail = await startTail(`rotate_wait 1\n${basic}`, { [log]: 'a\n' })
    const { disk } = tail.host
    tail.answer = () => Promise.reject(new Error('the buffer is full'))
    disk.append(log, 'a2\n')
    for (const name of ['b', 'c', 'd']) {
      await tail.pass(5000)
      disk.move(log, `${log}.${name}`)
      disk.put(log, `${name}\n`)
    }
    await tail.pass(5000)
    disk.append(`${log}.b`, 'a3\n')
    tail.answer = () => undefined
    await tail.pass(5000)
    expect(tail.came()).toEqual(['a', 'a2', 'a3', 'b', 'c', 'd'])
    expect(tail.positions()).toEqual({ [log]: '2' })
    await tail.stop()
  })

  it('does not let a rotated file go before all of it was taken', async () => {
    const tail = await startTail(`rotate_wait 2\n${basic}`, { [log]: 'a\n' })
    const { disk } = tail.host
    disk.move(log, `${log}.1`)
    disk.put(log, 'b\n')
    await tail.pass(1000)
    tail.answer = () => Promise.reject(new Error('the buffer is full'))
    disk.append(`${log}.1`, 'late\n')
    await tail.pass(10_000)
    tail.answer = () => undefined
    await tail.pass(3000)
    expect(tail.came()).toEqual(['a', 'b', 'late'])
    expect(tail.host.metrics.value('sluice_tail_files_closed_total')).toBe(1)
    await tail.stop()
  })

  it('does not stop before a rotated file was taken, but for the deadline', async () => {
    const tail = await startTail(basic, { [log]: 'a\n' })
    tail.answer = () => new Promise<void>(() => undefined)
    tail.host.disk.append(log, 'b\n')
    await tail.pass(1000)
    const hurry = new AbortController()
    let stopped = false
    const ended = tail.source.stop(hurry.signal).then(() => {
      stopped = true
    })
    await tail.pass(1000)
    expect(stopped).toBe(false)
    hurry.abort()
    await ended
    expect(tail.positions()).toEqual({ [log]: '2' })
  })

  it('starts over when a file is cut while its events wait', async () => {
    const tail = await startTail(basic, { [log]: '' })
    let take: () => void = () => undefined
    tail.answer = () => new Promise<void>((resolve) => (take = resolve))
    tail.host.disk.append(log, 'a long line\n')
    await tail.pass(1000)
    tail.host.disk.cut(log)
    tail.host.disk.append(log, 'new\n')
    await tail.pass(1000)
    tail.answer = () => undefined
    take()
    await tail.pass(1000)
    expect(tail.came()).toEqual(['a long line', 'new'])
    expect(tail.positions()).toEqual({ [log]: '4' })
    await tail.stop()
  })
})

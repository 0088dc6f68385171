import { describe, expect, it } from 'vitest'
import { batchOf } from '../../../support/batches.ts'
import { createFakeHost, type FakeHost } from '../../../support/fake-host.ts'
import { outputOn, settle } from '../../../support/output-world.ts'

const file = (more = '') => `@type buffer\n@label @L\n<buffer>\npath /b\n${more}\n</buffer>`
const noSignal = () => new AbortController().signal

/** Files are written in turns of the clock. */
async function inTime<T>(host: FakeHost, action: void | Promise<T>): Promise<void> {
  let done = false
  const settled = Promise.resolve(action).finally(() => {
    done = true
  })
  while (!done) {
    await host.clock.advance(0)
    await settle()
  }
  await settled
}

describe('buffer output', () => {
  it('keeps events in files for 10 s, by tag, and hands them on', async () => {
    const { output, host, events } = outputOn(file())
    await inTime(host, output.start())
    await inTime(host, output.emit(batchOf('x.a', [{ n: 1 }, { n: 2 }])))
    await inTime(host, output.emit(batchOf('x.b', [{ n: 3 }])))
    await host.clock.advance(9_000)
    expect(events).toEqual([])
    expect((await host.disk.readdir('/b')).length).toBeGreaterThan(0)
    await host.clock.advance(3_000)
    await settle()
    expect(events).toEqual([
      'x.a 1700000000 {"n":1}',
      'x.a 1700000001 {"n":2}',
      'x.b 1700000000 {"n":3}',
    ])
    expect(output.statistics?.()).toMatchObject({ deliveredEvents: 3, bufferedEvents: 0 })
    await inTime(host, output.stop(noSignal()))
  })

  it('hands on what an earlier run left', async () => {
    const host = createFakeHost()
    const first = outputOn(file('flush_at_shutdown false'), host)
    await inTime(host, first.output.start())
    await inTime(host, first.output.emit(batchOf('x.a', [{ n: 1 }])))
    await inTime(host, first.output.stop(noSignal()))
    expect(first.events).toEqual([])
    const second = outputOn(file(), host)
    await inTime(host, second.output.start())
    await host.clock.advance(12_000)
    await settle()
    expect(second.events).toEqual(['x.a 1700000000 {"n":1}'])
  })

  it('hands on again what is refused', async () => {
    const started = outputOn(
      `@type buffer\n@label @L\n<buffer>\n@type memory\nflush_mode immediate\n</buffer>`,
    )
    await started.output.start()
    started.answer = () => Promise.reject(new Error('no room'))
    await started.output.emit(batchOf('x', [{ n: 1 }]))
    await started.host.clock.advance(0)
    await settle()
    expect(started.output.statistics?.().deliveredEvents).toBe(0)
    started.answer = () => undefined
    await started.host.clock.advance(3_000)
    await settle()
    expect(started.events).toEqual(['x 1700000000 {"n":1}', 'x 1700000000 {"n":1}'])
    expect(started.output.statistics?.().deliveredEvents).toBe(1)
  })

  it.each([
    ['@type buffer\n<buffer>\npath /b\n</buffer>', "'@label' parameter is required"],
    ['@type buffer\n@label @L\n<buffer time>\npath /b\ntimekey 60\n</buffer>', 'must include tag'],
    ['@type buffer\n@label @L', 'path'],
  ])('refuses %s', (lines, message) => {
    expect(() => outputOn(lines)).toThrow(message)
  })
})

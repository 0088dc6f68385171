import { describe, expect, it } from 'vitest'
import { sampleSource } from '../../../../src/sources/sample/index.ts'
import { startMaker, startMs } from '../exec/harness.ts'

const second = startMs / 1000

describe('sample', () => {
  it('makes one event a second of the default record', async () => {
    const { host, events } = await startMaker(sampleSource, 'tag t')
    await host.clock.advance(900)
    expect(events).toEqual([])
    await host.clock.advance(100)
    expect(events).toEqual([`t ${second + 1} {"message":"sample"}`])
    await host.clock.advance(2_000)
    expect(events).toHaveLength(3)
  })

  it.each([
    ['rate 25', 25, [2, 3, 2, 3, 2, 3, 2, 3, 2, 3]],
    ['rate 3\nsize 4', 12, [4, 4, 4]],
    ['rate 0', 0, []],
    ['rate 250000', 250_000, Array.from({ length: 30 }, (_, n) => (n % 3 === 2 ? 5_000 : 10_000))],
  ])('%s: so many in a second, evenly', async (lines, count, expected) => {
    const { host, batches } = await startMaker(sampleSource, `tag t\n${lines}`)
    for (let turn = 0; turn < 10; turn++) await host.clock.advance(100)
    expect(batches.reduce((sum, n) => sum + n, 0)).toBe(count)
    expect(batches).toEqual(expected)
  })

  it('takes records in turn, and counts', async () => {
    const { host, events } = await startMaker(
      sampleSource,
      'tag t\nrate 10\nauto_increment_key id\ndummy [{"a":1},{"b":[2]}]',
    )
    await host.clock.advance(300)
    expect(events.map((event) => event.slice(event.indexOf('{')))).toEqual([
      '{"a":1,"id":0}',
      '{"b":[2],"id":1}',
      '{"a":1,"id":2}',
    ])
  })

  it('makes nothing while the consumer pushes back, and counts what it refuses', async () => {
    const started = await startMaker(sampleSource, 'tag t\nrate 10')
    let refuse = (_error: Error) => {}
    started.answer = () => new Promise<void>((_resolve, reject) => (refuse = reject))
    await started.host.clock.advance(500)
    expect(started.events).toHaveLength(1)
    started.answer = () => undefined
    refuse(new Error('full'))
    await started.host.clock.advance(300)
    expect(started.events).toHaveLength(4)
    const { metrics } = started.host
    expect(metrics.value('sluice_input_rejected_events_total')).toBe(1)
    expect(metrics.value('sluice_input_events_total')).toBe(3)
    await started.source.stop(new AbortController().signal)
    await started.host.clock.advance(1_000)
    expect(started.events).toHaveLength(4)
  })

  it.each([
    ['sample 1', 'not a hash'],
    ['sample [{"a":1},2]', '1th element'],
    ['sample []', 'no record'],
    ['sample "{bad"', 'no JSON'],
    ['rate -1', 'expected 0'],
    ['<storage>\n</storage>', 'anew'],
  ])('refuses %s', async (lines, message) => {
    await expect(startMaker(sampleSource, `tag t\n${lines}`)).rejects.toThrow(message)
  })
})

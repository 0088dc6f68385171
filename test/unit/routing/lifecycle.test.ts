import { describe, expect, test } from 'vitest'
import { type Living, startGraph, stopGraph } from '../../../src/routing/lifecycle.ts'
import { createRecordingLog } from '../../support/fake-host.ts'
import { createVirtualClock } from '../../support/virtual-clock.ts'

function setUp() {
  const trail: string[] = []
  const living = (
    id: string,
    category: Living['category'],
    more: Partial<Living> = {},
  ): Living => ({
    id,
    category,
    reemits: false,
    start: async () => void trail.push(`+${id}`),
    stop: async () => void trail.push(`-${id}`),
    ...more,
  })
  const parts = [
    living('in', 'input'),
    living('relabel', 'output', { reemits: true }),
    living('file', 'output'),
    living('stdout', 'output'),
  ]
  const clock = createVirtualClock()
  const log = createRecordingLog()
  return { trail, living, parts, clock, log }
}

describe('lifecycle', () => {
  test('starts downstream first, stops upstream first', async () => {
    const { trail, parts, clock, log } = setUp()
    await startGraph(parts)
    expect(trail).toEqual(['+file', '+stdout', '+relabel', '+in'])
    trail.length = 0
    await stopGraph(parts, { deadline: new AbortController().signal, clock, log })
    expect(trail).toEqual(['-in', '-relabel', '-file', '-stdout'])
  })

  test.each([
    // Each: its label, where it leads.
    ['later in the file than its target', ['@B>@C', '@A>@B', 'ROOT>@A'], ['ROOT', '@A', '@B']],
    ['in one pipeline: as in the file', ['ROOT>ROOT', 'ROOT>@A'], ['ROOT', 'ROOT']],
    [
      'also where what is before it waits',
      ['@A>ROOT', 'ROOT>ROOT', 'ROOT>@B'],
      ['@A', 'ROOT', 'ROOT'],
    ],
    ['in a circle: all, the first of the file first', ['@B>@A', '@A>@B'], ['@B', '@A']],
  ])('outputs that lead on stop before what they lead to: %s', async (_title, given, order) => {
    const { trail, living, clock, log } = setUp()
    const parts = given.map((words, index) => {
      const [stands, to] = words.split('>') as [string, string]
      return living(`${index}${stands}`, 'output', {
        reemits: true,
        stands,
        leadsTo: new Set([to]),
      })
    })
    await stopGraph(parts, { deadline: new AbortController().signal, clock, log })
    expect(trail.map((one) => one.replace(/^-\d+/, ''))).toEqual(order)
  })

  test('what had started is stopped when one cannot start; the error says who and why', async () => {
    const { trail, living, parts } = setUp()
    const refused = Object.assign(new Error('bind EADDRINUSE'), { code: 'EADDRINUSE' })
    const failing = living('http', 'input', { start: () => Promise.reject(refused) })
    await expect(startGraph([failing, ...parts.slice(1)])).rejects.toMatchObject({
      message: 'http cannot start: address already in use (bind EADDRINUSE)',
      cause: refused,
    })
    expect(trail).toEqual(['+file', '+stdout', '+relabel', '-file', '-stdout', '-relabel'])
  })

  test('one that fails to stop is logged, the others are stopped', async () => {
    const { trail, living, parts, clock, log } = setUp()
    const failing = living('bad', 'input', { stop: () => Promise.reject(new Error('no')) })
    const deadline = new AbortController().signal
    await stopGraph([failing, ...parts], { deadline, clock, log })
    expect(trail).toHaveLength(4)
    expect(log.lines).toMatchObject([{ level: 'warn', fields: { plugin_id: 'bad' } }])
  })

  test('one that hangs is left behind a moment after the deadline', async () => {
    const { trail, living, parts, clock, log } = setUp()
    const hanging = living('hung', 'input', { stop: () => new Promise(() => undefined) })
    const deadline = new AbortController()
    const stopped = stopGraph([hanging, ...parts], { deadline: deadline.signal, clock, log })
    await clock.advance(60_000)
    expect(trail).toEqual(['-in'])
    deadline.abort()
    await clock.advance(10_000)
    await stopped
    expect(trail).toEqual(['-in', '-relabel', '-file', '-stdout'])
    expect(log.messages('warn')).toEqual(['did not stop in time'])
  })
})

import { describe, expect, it } from 'vitest'
import { batchOf } from '../../../support/batches.ts'
import { outputOn, settle } from '../../../support/output-world.ts'

const sections = (buffer = 'flush_mode immediate') =>
  `<format>\nkeys a\n</format>\n<parse>\nkeys b\n</parse>\n<buffer>\n${buffer}\n</buffer>`
const noSignal = () => new AbortController().signal

async function started(lines: string) {
  const made = outputOn(`@type exec_filter\ncommand prog\n${lines}`)
  await made.output.start()
  const children = made.host.processes.started
  const emit = async (...values: unknown[]) => {
    await made.output.emit(
      batchOf(
        'in.x',
        values.map((a) => ({ a })),
      ),
    )
    await made.host.clock.advance(0)
    await settle()
  }
  return Object.assign(made, { children, emit })
}

describe('exec_filter', () => {
  it('gives events to the program, and takes what it prints', async () => {
    const { children, emit, events, output } = await started(`tag out\n${sections()}`)
    expect(children[0]?.options).toEqual({
      command: 'prog',
      stdin: 'pipe',
      stdout: 'pipe',
      stderr: 'discard',
    })
    await emit(1, 2)
    expect(children[0]?.input).toBe('1\n2\n')
    children[0]?.say('one\ntw')
    children[0]?.say('o\n')
    expect(events.map((event) => event.replace(/ \d+ /, ' '))).toEqual([
      'out {"b":"one"}',
      'out {"b":"two"}',
    ])
    expect(output.statistics?.().deliveredEvents).toBe(2)
  })

  it('tag and time go there and back', async () => {
    const { children, emit, events } = await started(`remove_prefix in
add_prefix out
<inject>
  tag_key g
  time_key t
</inject>
<format>
  keys g,t,a
</format>
<parse>
  keys g,t,a
</parse>
<extract>
  tag_key g
  time_key t
</extract>
<buffer>
  flush_mode immediate
</buffer>`)
    await emit('v')
    expect(children[0]?.input).toBe('x\t1700000000\tv\n')
    children[0]?.say(children[0].input)
    expect(events).toEqual(['out.x 1700000000 {"a":"v"}'])
  })

  it('deals chunks out to its children, and to those that run', async () => {
    const { children, emit, host } = await started(`tag out\nnum_children 3\n${sections()}`)
    for (const n of [1, 2, 3, 4]) await emit(n)
    expect(children.map(({ input }) => input)).toEqual(['3\n', '1\n4\n', '2\n'])
    children[2]?.exit(1)
    await settle()
    expect(host.log.messages('warn')).toEqual(['child process exits with error code'])
    await emit(5)
    await emit(6)
    expect(children.map(({ input }) => input)).toEqual(['3\n5\n', '1\n4\n6\n', '2\n'])
    await host.clock.advance(60_000)
    expect(children).toHaveLength(3)
  })

  it('tries again while none runs, and starts those that end again as often as it may', async () => {
    const { children, emit, host, output } = await started(
      `tag out\nchild_respawn 1\n${sections()}`,
    )
    children[0]?.exit(0)
    await settle()
    await emit(1)
    expect(output.statistics?.().deliveredEvents).toBe(0)
    await host.clock.advance(3_000)
    await settle()
    expect(children).toHaveLength(2)
    expect(children[1]?.input).toBe('1\n')
    children[1]?.exit(0)
    await settle()
    await host.clock.advance(60_000)
    expect(children).toHaveLength(2)
  })

  it('tries again what a program did not take', async () => {
    const { children, emit, host, output } = await started(`tag out\n${sections()}`)
    children[0]!.writeError = new Error('EPIPE')
    await emit(1)
    expect(output.statistics?.().deliveredEvents).toBe(0)
    children[0]!.writeError = undefined
    await host.clock.advance(3_000)
    await settle()
    expect(output.statistics?.().deliveredEvents).toBe(1)
  })

  it('at stop ends their input, and takes what they still print', async () => {
    const { children, emit, events, output } = await started(`tag out\n${sections()}`)
    await emit(1)
    const stopped = output.stop(noSignal())
    await settle()
    expect(children[0]?.inputClosed).toBe(true)
    children[0]?.say('last')
    children[0]?.exit(0)
    await stopped
    expect(events.map((event) => event.replace(/ \d+ /, ' '))).toEqual(['out {"b":"last"}'])
    expect(children[0]?.signals).toEqual([])
  })

  it('at stop ends those that do not end by themselves', async () => {
    const { children, host, output } = await started(`tag out\n${sections()}`)
    const stopped = output.stop(noSignal())
    await settle()
    await host.clock.advance(10_000)
    await settle()
    expect(children[0]?.signals).toEqual(['TERM'])
    await host.clock.advance(10_000)
    await settle()
    expect(children[0]?.signals).toEqual(['TERM', 'KILL'])
    children[0]?.exit(0, 'SIGKILL')
    await stopped
  })

  it('counts what has no tag', async () => {
    const lines = `<extract>\ntag_key g\n</extract>\n${sections()}`
    const { children, events, host } = await started(lines)
    children[0]?.say('x\n')
    expect(events).toEqual([])
    expect(host.metrics.value('sluice_input_invalid_events_total', { reason: 'no_tag' })).toBe(1)
  })

  it.each([
    ['command c', "'tag' or '<extract>"],
    ['command c\ntag t\nchild_respawn often', 'child_respawn option'],
    ['command c\ntag t\nnum_children 0', 'expected 1'],
    ['command c\ntag t\nin_keys a', '<format>'],
  ])('refuses %s', (lines, message) => {
    expect(() => outputOn(`@type exec_filter\n${lines}\n${sections()}`)).toThrow(message)
  })
})

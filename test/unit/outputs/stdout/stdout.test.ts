import { describe, expect, it, vi } from 'vitest'
import { createBuffered } from '../../../../src/buffer/index.ts'
import type { PluginContext } from '../../../../src/config/define.ts'
import type { BoundPlugin } from '../../../../src/config/schema.ts'
import type { Formatter } from '../../../../src/core/formatter.ts'
import { stdoutOutput } from '../../../../src/outputs/stdout/index.ts'
import { Slip } from '../../../../src/routing/slip.ts'
import {
  bufferOf,
  formatOf,
  numbers,
  outputOf,
  plainFormatter,
  world,
} from '../../buffer/support.ts'

function made(options: { buffer?: BoundPlugin; formatter?: Formatter } = {}) {
  const { host, context: plain } = world()
  const context: PluginContext = {
    ...plain,
    createFormatter: () => options.formatter ?? plainFormatter,
  }
  const bound = outputOf(stdoutOutput, { format: formatOf('stdout'), buffer: options.buffer })
  const output =
    options.buffer === undefined
      ? stdoutOutput.create!(bound.params as never, context)
      : createBuffered(bound, context)
  return { host, output }
}

const never = new AbortController().signal

describe('stdout without a buffer', () => {
  it('writes at once', async () => {
    const { host, output } = made()
    await output.start()
    expect(output.emit(numbers('a', 1, 2))).toBe(undefined)
    expect(host.stdout.text()).toBe('a 1\na 2\n')
    expect(output.statistics?.()).toMatchObject({
      emittedEvents: 2,
      deliveredEvents: 2,
      droppedEvents: {},
    })
    expect(host.metrics.value('sluice_output_delivered_events_total')).toBe(2)
    await output.stop(never)
  })

  it('uses the formatter that ends each event in a newline', () => {
    const formatter: Formatter = {
      format: (_batch, _max, piece) => piece(Buffer.from('x'), 1),
      asLines: () => plainFormatter,
    }
    const { host, output } = made({ formatter })
    output.emit(numbers('a', 1, 1))
    expect(host.stdout.text()).toBe('a 1\n')
  })

  it('tells who waits for it when the events are written', async () => {
    const { host, output } = made()
    host.stdout.stalled = true
    const slip = new Slip('kept')
    const taken = output.emit({ ...numbers('a', 1, 1), receipt: slip })
    let arrived: boolean | undefined
    slip.end((value) => {
      arrived = value
    })
    await Promise.resolve()
    expect(arrived).toBeUndefined()
    host.stdout.stalled = false
    await taken
    await vi.waitFor(() => expect(arrived).toBe(true))
  })

  it('tells who waits for it that standard output went away', async () => {
    const { host, output } = made()
    host.stdout.stalled = true
    const slip = new Slip('kept')
    void output.emit({ ...numbers('a', 1, 1), receipt: slip })
    host.stdout.error = new Error('gone')
    host.stdout.stalled = false
    const arrived = await new Promise((resolve) => slip.end(resolve))
    expect(arrived).toBe(false)
  })

  it('hands a full pipe on to the source', async () => {
    const { host, output } = made()
    host.stdout.stalled = true
    let settled = false
    const emitted = Promise.resolve(output.emit(numbers('a', 1, 1))).then(() => {
      settled = true
    })
    await host.clock.settle()
    expect(settled).toBe(false)
    expect(output.statistics?.().emittedEvents).toBe(0)
    host.stdout.stalled = false
    await emitted
    expect(output.statistics?.().deliveredEvents).toBe(1)
  })

  it('refuses when standard output is gone', async () => {
    const { host, output } = made()
    host.stdout.error = Object.assign(new Error('EPIPE'), { code: 'EPIPE' })
    await expect(output.emit(numbers('a', 1, 1))).rejects.toThrow('EPIPE')
    expect(output.statistics?.()).toMatchObject({ emittedEvents: 0, errorCount: 1 })
  })
})

describe('stdout with a buffer', () => {
  it('writes chunks', async () => {
    const { host, output } = made({ buffer: bufferOf({ chunk_keys: ['tag'], flush_mode: 'lazy' }) })
    await output.start()
    await output.emit(numbers('a', 1, 1))
    await output.emit(numbers('b', 2, 1))
    await output.emit(numbers('a', 3, 1))
    expect(host.stdout.text()).toBe('')
    const stopped = output.stop(never)
    await host.clock.settle()
    await stopped
    expect(host.stdout.text()).toBe('a 1\na 3\nb 2\n')
  })
})

import { afterEach, describe, expect, it } from 'vitest'
import { createBufferedOutput } from '../../../src/buffer/buffered-output.ts'
import { PermanentError } from '../../../src/core/errors.ts'
import type { Output } from '../../../src/core/output.ts'
import type { Receipt } from '../../../src/core/receipt.ts'
import { batchOf, booksClose, bufferOf, numbers, spySink, world } from './support.ts'

const outputs: Output[] = []

afterEach(() => {
  for (const output of outputs.splice(0)) expect(booksClose(output.statistics!())).toBe(true)
})

/** An output that flushes at once, and a receipt that keeps what it is told. */
async function rig(written: Readonly<Record<string, unknown>> = {}, type = 'memory') {
  const { host, context } = world()
  const sink = spySink()
  const buffer = bufferOf({ flush_mode: 'immediate', ...written }, type)
  const output = createBufferedOutput({ sink, buffer, context })
  await output.start()
  outputs.push(output)
  const told: boolean[] = []
  let expected = 0
  const receipt: Receipt = {
    until: 'delivered',
    hold: () => () => undefined,
    afterwards: () => undefined,
    expect: () => {
      expected += 1
      return (arrived: boolean) => void told.push(arrived)
    },
  }
  return {
    host,
    sink,
    output,
    told,
    receipt,
    expected: () => expected,
    emit: (first: number, count: number) => output.emit({ ...numbers('t', first, count), receipt }),
  }
}

describe('a receipt', () => {
  it('is told when the chunk is delivered, and not before', async () => {
    const { sink, emit, told, host } = await rig()
    let go: () => void = () => undefined
    sink.behave = () => new Promise<void>((resolve) => (go = resolve))
    await emit(1, 2)
    await host.clock.settle()
    expect(told).toEqual([])
    go()
    await host.clock.settle()
    expect(told).toEqual([true])
  })

  it('is told once for each chunk that the batch went to', async () => {
    const { emit, told, expected, host } = await rig({ chunk_limit_records: 2 })
    await emit(1, 5)
    expect(expected()).toBe(3)
    await host.clock.settle()
    expect(told).toEqual([true, true, true])
  })

  it('waits for retries', async () => {
    const { sink, emit, told, host } = await rig({ retry_wait: 1, retry_randomize: false })
    sink.behave = () => {
      if (sink.attempts < 3) throw new Error('down')
    }
    await emit(1, 1)
    await host.clock.settle()
    expect(told).toEqual([])
    await host.clock.advance(10_000)
    expect(told).toEqual([true])
  })

  it('arrived counts as well what the destination refuses for good: again it would be the same', async () => {
    const { sink, emit, told, host } = await rig({ disable_chunk_backup: true })
    sink.behave = () => {
      throw new PermanentError('refused', 'no', { because: 'chunk' })
    }
    await emit(1, 1)
    await host.clock.advance(1_000)
    expect(told).toEqual([true])
  })

  it.each<[string, Record<string, unknown>]>([
    ['retries are used up', { retry_max_times: 1, retry_wait: 1, retry_randomize: false }],
    ['the oldest is dropped', { overflow_action: 'drop_oldest_chunk', total_limit_size: 1_500 }],
  ])('did not arrive when %s', async (_when, written) => {
    const { sink, emit, told, host } = await rig(written)
    sink.behave = () => Promise.reject(new Error('down'))
    await emit(1, 1)
    await host.clock.settle()
    await emit(2, 100)
    await emit(200, 1)
    await host.clock.advance(60_000)
    expect(told).toContain(false)
  })

  it.each(['memory', 'file'])('is told at the end, %s buffer', async (type) => {
    const { sink, emit, told, output, host } = await rig(
      type === 'file' ? { path: '/buffer' } : {},
      type,
    )
    sink.behave = () => Promise.reject(new Error('down'))
    const taken = emit(1, 1)
    await host.clock.advance(1)
    await taken
    const stopped = output.stop(AbortSignal.abort())
    await host.clock.advance(10_000)
    await stopped
    expect(told).toEqual([false])
  })

  it('is not asked by a buffer where being in it is enough', async () => {
    const { output, receipt, expected, emit } = await rig()
    await emit(1, 1)
    expect(expected()).toBe(1)
    await output.emit({ ...numbers('t', 2, 1), receipt: { ...receipt, until: 'kept' } })
    expect(expected()).toBe(1)
  })

  it('is not asked where nothing is kept', async () => {
    const { output, receipt, expected } = await rig()
    await output.emit({ ...batchOf('t', []), receipt })
    expect(expected()).toBe(0)
  })
})

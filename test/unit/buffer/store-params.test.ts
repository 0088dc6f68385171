import { describe, expect, it } from 'vitest'
import { createBufferedOutput } from '../../../src/buffer/buffered-output.ts'
import { encode } from '../../../src/msgpack/encode.ts'
import type { FakeHost } from '../../support/fake-host.ts'
import { settle } from '../../support/output-world.ts'
import { bufferOf, numbers, spySink, world } from './support.ts'

type Written = Readonly<Record<string, unknown>>

const types = ['memory', 'file', 'file_single']

/** Runs an action that needs turns of the clock and of the disk. */
async function inTime<T>(host: FakeHost, action: void | Promise<T>): Promise<void> {
  let done = false
  const settled = Promise.resolve(action).finally(() => {
    done = true
  })
  settled.catch(() => undefined)
  while (!done) {
    await host.clock.advance(1)
    await settle()
  }
  await settled
}

async function started(type: string, written: Written, made = world()) {
  const { host, context } = made
  const sink = spySink()
  const place = type === 'memory' ? {} : { path: '/b', flush_at_shutdown: false }
  const buffer = bufferOf({ flush_mode: 'lazy', chunk_keys: ['tag'], ...place, ...written }, type)
  const output = createBufferedOutput({ sink, buffer, secondary: undefined, context })
  await inTime(host, output.start())
  const emit = async (first: number, count: number, tag = 't') =>
    await inTime(host, output.emit(numbers(tag, first, count)))
  const later = async (ms: number) => {
    for (let turn = 0; turn < 10; turn++) {
      await host.clock.advance(ms / 10)
      await settle()
    }
  }
  const stop = async () => {
    const stopped = output.stop(AbortSignal.abort())
    await inTime(host, stopped)
  }
  return { host, output, sink, emit, later, stop, stats: () => output.statistics!() }
}

describe.each(types)('%s buffer', (type) => {
  it.each([
    [0.5, 5],
    [0.8, 8],
  ])('chunk_full_threshold %s: a chunk of 10 is full with %i', async (share, full) => {
    const limits = { chunk_limit_records: 10, chunk_full_threshold: share }
    const { emit, later, sink, stop } = await started(type, limits)
    for (let n = 0; n < full - 1; n++) await emit(n, 1)
    await later(10)
    expect(sink.delivered).toEqual([])
    await emit(full - 1, 1)
    await later(10)
    expect(sink.delivered.map((text) => text.split('\n').length - 1)).toEqual([full])
    await stop()
  })

  it('queue_limit_length times chunk_limit_size is the limit of all', async () => {
    const limits = { queue_limit_length: 3, chunk_limit_size: 40, total_limit_size: 1_000_000 }
    const { emit, stats, sink, stop } = await started(type, limits)
    expect(stats().totalLimitBytes).toBe(120)
    sink.behave = () => new Promise(() => undefined)
    const filling = async () => {
      for (let n = 0; n < 100; n++) await emit(n, 5)
    }
    await expect(filling()).rejects.toThrow('buffer space has too many data')
    expect(stats().bufferedEvents).toBeLessThan(60)
    await stop()
  })

  it.each([
    [1, 2],
    [3, 4],
  ])('queued_chunks_limit_size %i: so many are queued by age', async (limit, queued) => {
    const flush = { flush_mode: 'interval', flush_interval: 1, flush_thread_count: 1 }
    const { emit, later, stats, sink, stop } = await started(type, {
      ...flush,
      queued_chunks_limit_size: limit,
    })
    sink.behave = () => new Promise(() => undefined)
    // The first is on its way; those behind it wait.
    await emit(0, 1, 'first')
    await later(2_000)
    for (let n = 0; n < 6; n++) await emit(n, 1, `t${n}`)
    await later(5_000)
    expect(stats().queueLength + stats().stagedLength).toBe(7)
    // With the one that is on its way.
    expect(stats().queueLength).toBe(queued)
    await stop()
  })

  it('decompression_size_limit bounds nothing: what is compressed is read in pieces', async () => {
    const limits = { compress: 'gzip', decompression_size_limit: 1, flush_mode: 'immediate' }
    const { emit, later, sink, stop } = await started(type, limits)
    await emit(0, 3)
    // Compression runs on a thread of its own.
    for (let turn = 0; turn < 200 && sink.delivered.length === 0; turn++) await later(10)
    expect(sink.delivered).toEqual(['t 0\nt 1\nt 2\n'])
    await stop()
  })
})

describe.each(['file', 'file_single'])('%s buffer', (type) => {
  it('file_permission and dir_permission are the modes of what it makes', async () => {
    const modes = { path: '/new/b', file_permission: '0600', dir_permission: '0700' }
    const of = { ...modes, path: type === 'file' ? '/new/b/x.*.log' : '/new/b' }
    const { host, emit, stop } = await started(type, of)
    await emit(0, 1)
    const files = (await host.disk.readdir('/new/b')).filter((name) => /\.b[0-9a-f]{8}/.test(name))
    expect(files.length).toBeGreaterThan(0)
    expect(host.disk.modeOf('/new/b') & 0o777).toBe(0o700)
    for (const name of files) expect(host.disk.modeOf(`/new/b/${name}`) & 0o777).toBe(0o600)
    await stop()
  })
})

describe('file_single buffer', () => {
  const packed = Buffer.concat([1, 2, 3].map((n) => encode([n, new Map()] as never)))

  /** Events that a chunk holds which Fluentd left, whose name does not say. */
  async function counted(written: Written, content: Uint8Array): Promise<number> {
    const made = world()
    made.host.disk.put('/b/fsb.t.b0123456789abcdef0123456789abcdef.buf', content)
    const { stats, stop } = await started('file_single', written, made)
    const { bufferedEvents, deliveredEvents } = stats()
    await stop()
    return bufferedEvents + deliveredEvents
  }

  it.each([
    ['auto', packed, 3],
    ['auto', Buffer.from('a\nb\n'), 2],
    ['msgpack', packed, 3],
    // Of MessagePack that is called text the line ends are counted.
    ['text', Buffer.from([...packed, 0x0a, 0x0a]), 2],
    ['text', Buffer.from('a\nb\n'), 2],
  ])('chunk_format %s: what an earlier run left is counted so', async (format, content, count) => {
    expect(await counted({ chunk_format: format }, content)).toBe(count)
  })

  it.each([true, false])('calc_num_records %s: they are counted', async (value) => {
    expect(await counted({ calc_num_records: value }, packed)).toBe(3)
  })
})

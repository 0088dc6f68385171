import { afterEach, describe, expect, it } from 'vitest'
import { createBufferedOutput } from '../../../src/buffer/buffered-output.ts'
import { memoryBufferShape } from '../../../src/buffer/sections.ts'
import type { BoundPlugin } from '../../../src/config/schema.ts'
import {
  BufferOverflowError,
  ConfigError,
  PermanentError,
  RetryableError,
} from '../../../src/core/errors.ts'
import type { Formatter } from '../../../src/core/formatter.ts'
import type { Output } from '../../../src/core/output.ts'
import {
  booksClose,
  bufferOf,
  numbers,
  plainFormatter,
  type SpySink,
  spySink,
  world,
} from './support.ts'

interface Rig {
  readonly output: Output
  readonly sink: SpySink
  readonly secondary: SpySink
  readonly host: ReturnType<typeof world>['host']
  stats(): NonNullable<ReturnType<NonNullable<Output['statistics']>>>
}

const rigs: Rig[] = []

async function rig(
  written: Readonly<Record<string, unknown>>,
  options: { secondary?: boolean; formatter?: Formatter } = {},
): Promise<Rig> {
  const { host, context } = world()
  const sink = spySink(options.formatter ?? plainFormatter)
  const secondary = spySink()
  const output = createBufferedOutput({
    sink,
    buffer: bufferOf(written),
    secondary: options.secondary === true ? secondaryOf(secondary) : undefined,
    context,
  })
  await output.start()
  const made = { output, sink, secondary, host, stats: () => output.statistics!() }
  rigs.push(made)
  return made
}

function secondaryOf(sink: SpySink): BoundPlugin {
  return {
    ...bufferOf(),
    kind: 'output',
    type: 'spy_secondary',
    definition: { name: 'spy_secondary', shape: { params: {} }, createSink: () => sink } as never,
    params: {} as never,
  }
}

afterEach(() => {
  for (const { stats } of rigs.splice(0)) expect(booksClose(stats())).toBe(true)
})

const stopNow = async ({ output, host }: Rig, afterMs = 10_000) => {
  const deadline = new AbortController()
  host.clock.after(afterMs, () => deadline.abort())
  const stopped = output.stop(deadline.signal)
  // Sinks that do not heed the deadline get a little more time.
  await host.clock.advance(afterMs + 400)
  await stopped
}

describe('when chunks are flushed', () => {
  it('interval: at their age', async () => {
    const { output, sink, host } = await rig({ flush_interval: 10 })
    await output.emit(numbers('t', 1, 2))
    await host.clock.advance(9_900)
    await output.emit(numbers('t', 3, 1))
    expect(sink.delivered).toEqual([])
    await host.clock.advance(200)
    expect(sink.delivered).toEqual(['t 1\nt 2\nt 3\n'])
    await output.emit(numbers('t', 4, 1))
    await host.clock.advance(10_100)
    expect(sink.delivered).toEqual(['t 1\nt 2\nt 3\n', 't 4\n'])
  })

  it('lazy: at shutdown', async () => {
    const made = await rig({ flush_mode: 'lazy' })
    await made.output.emit(numbers('t', 1, 1))
    await made.host.clock.advance(1e7)
    expect(made.sink.delivered).toEqual([])
    await stopNow(made)
    expect(made.sink.delivered).toEqual(['t 1\n'])
    expect(made.host.log.messages('error')).toEqual([])
  })

  it('lazy with time slices: when a slice and its wait are over', async () => {
    // The clock starts at 22:13:20; the slice of 22:13 ends at 22:14:00, and is flushed at 22:14:10.
    const { output, sink, host } = await rig({
      chunk_keys: ['time'],
      timekey: 60,
      timekey_wait: 10,
      timekey_use_utc: true,
    })
    await output.emit(numbers('t', 1, 1, 1_700_000_000))
    await output.emit(numbers('t', 2, 1, 1_700_000_050))
    await host.clock.advance(49_000)
    expect(sink.delivered).toEqual([])
    await host.clock.advance(1_100)
    expect(sink.delivered).toEqual(['t 1\n'])
    await host.clock.advance(60_000)
    expect(sink.delivered).toEqual(['t 1\n', 't 2\n'])
  })

  it('slices that were over already gather late events for a while', async () => {
    const { output, sink, host } = await rig({ chunk_keys: ['time'], timekey: 60, timekey_wait: 0 })
    await output.emit(numbers('t', 1, 1, 1_600_000_000))
    await host.clock.advance(900)
    await output.emit(numbers('t', 2, 1, 1_600_000_001))
    expect(sink.delivered).toEqual([])
    await host.clock.advance(200)
    expect(sink.delivered).toEqual(['t 1\nt 2\n'])
  })

  it('immediate: at once, and together while the sink is busy', async () => {
    const { output, sink, host } = await rig({ flush_mode: 'immediate' })
    let release = () => {}
    sink.behave = () => new Promise<void>((resolve) => (release = resolve))
    await output.emit(numbers('t', 1, 1))
    await host.clock.settle()
    expect(sink.attempts).toBe(1)
    for (let i = 2; i < 6; i += 1) await output.emit(numbers('t', i, 1))
    await host.clock.settle()
    expect(sink.attempts).toBe(1)
    release()
    await host.clock.settle()
    release()
    await host.clock.settle()
    expect(sink.delivered).toEqual(['t 1\n', 't 2\nt 3\nt 4\nt 5\n'])
  })

  it('flush(): now', async () => {
    const { output, sink, host } = await rig({ flush_mode: 'lazy' })
    await output.emit(numbers('t', 1, 1))
    const flushed = output.flush!()
    await host.clock.settle()
    await flushed
    expect(sink.delivered).toEqual(['t 1\n'])
  })

  it.each([
    ['bytes', { chunk_limit_size: 40 }, 4],
    ['records', { chunk_limit_records: 10 }, 10],
  ])('full by %s', async (_name, written, perChunk) => {
    const { output, sink, host } = await rig({ flush_mode: 'lazy', ...written })
    await output.emit(numbers('tttttt', 10, 3))
    await output.emit(numbers('tttttt', 13, 22))
    await host.clock.settle()
    const lines = sink.delivered.map((text) => text.split('\n').length - 1)
    expect(Math.max(...lines)).toBe(perChunk)
    const text = [...sink.delivered, ''].join('')
    expect(text.startsWith('tttttt 10\ntttttt 11\n')).toBe(true)
    for (const { sizeBytes } of sink.chunks) expect(sizeBytes).toBeLessThanOrEqual(perChunk * 10)
  })

  it('an event that is larger than a chunk has one of its own', async () => {
    const made = await rig({ chunk_limit_size: 10, flush_mode: 'lazy' })
    await made.output.emit(numbers('t', 1, 1))
    await made.output.emit(numbers('a-very-long-tag', 2, 1))
    await made.output.emit(numbers('t', 3, 1))
    await stopNow(made)
    expect(made.sink.delivered).toEqual(['t 1\n', 'a-very-long-tag 2\n', 't 3\n'])
  })

  it('with chunk keys: a chunk for each', async () => {
    const made = await rig({ flush_mode: 'lazy', chunk_keys: ['tag'] })
    await made.output.emit(numbers('a', 1, 1))
    await made.output.emit(numbers('b', 2, 1))
    await made.output.emit(numbers('a', 3, 1))
    await stopNow(made)
    expect(made.sink.delivered).toEqual(['a 1\na 3\n', 'b 2\n'])
    expect(made.sink.chunks.map(({ metadata }) => metadata.tag)).toEqual(['a', 'b'])
  })

  it('tags that never repeat do not stage chunks without end', async () => {
    const made = await rig({ flush_mode: 'lazy', chunk_keys: ['tag'] })
    for (let i = 0; i < 5000; i += 1) await made.output.emit(numbers(`t${i}`, i, 1))
    expect(made.stats().stagedLength).toBe(4096)
    expect(made.stats().bufferedEvents).toBe(5000)
    await stopNow(made)
    expect(made.sink.delivered).toHaveLength(5000)
  })

  it.each([
    [1, 1],
    [3, 3],
  ])('flush_thread_count %d: so many at once', async (count, expected) => {
    const { output, sink, host } = await rig({
      flush_mode: 'immediate',
      chunk_keys: ['tag'],
      flush_thread_count: count,
    })
    const releases: (() => void)[] = []
    sink.behave = () => new Promise<void>((resolve) => releases.push(resolve))
    for (let i = 0; i < 5; i += 1) await output.emit(numbers(`t${i}`, i, 1))
    await host.clock.settle()
    expect(sink.attempts).toBe(expected)
    while (sink.delivered.length < 5) {
      for (const release of releases.splice(0)) release()
      await host.clock.settle()
    }
  })
})

describe('when a delivery fails', () => {
  const failing = (times: number) => {
    let left = times
    return () => {
      left -= 1
      if (left >= 0) throw new Error('down')
    }
  }

  it('it is retried, with the same bytes, later and later', async () => {
    const { output, sink, host, stats } = await rig({
      flush_mode: 'immediate',
      retry_randomize: false,
    })
    sink.behave = failing(3)
    await output.emit(numbers('t', 1, 2))
    const at: number[] = []
    for (let ms = 0; ms < 8000; ms += 500) {
      await host.clock.advance(500)
      while (at.length < sink.attempts) at.push(ms + 500)
    }
    expect(at).toEqual([500, 1000, 3000, 7000])
    expect(sink.delivered).toEqual(['t 1\nt 2\n'])
    expect(stats()).toMatchObject({ deliveredEvents: 2, rollbackCount: 3, retry: undefined })
    expect(host.log.messages('warn')).toEqual([
      'failed to flush the buffer.',
      'failed to flush the buffer.',
      'failed to flush the buffer.',
      'retry succeeded.',
    ])
  })

  it('the retry shows in the statistics, in wall time', async () => {
    const { output, sink, host, stats } = await rig({ flush_mode: 'immediate' })
    sink.behave = failing(1)
    await output.emit(numbers('t', 1, 1))
    await host.clock.settle()
    const nowMs = host.clock.wallMs()
    expect(stats().retry).toEqual({ steps: 0, startMs: nowMs, nextMs: nowMs + 1000 })
    await host.clock.advance(1000)
  })

  it('order stays, and others wait for the retry', async () => {
    const { output, sink, host } = await rig({ flush_mode: 'immediate', chunk_keys: ['tag'] })
    sink.behave = failing(2)
    await output.emit(numbers('a', 1, 1))
    await host.clock.settle()
    await output.emit(numbers('b', 2, 1))
    await output.emit(numbers('a', 3, 1))
    await host.clock.advance(100)
    expect(sink.attempts).toBe(1)
    await host.clock.advance(5000)
    expect(sink.delivered).toEqual(['a 1\n', 'b 2\n', 'a 3\n'])
  })

  it('retries that are exhausted drop the queue, and are counted', async () => {
    const { output, sink, host, stats } = await rig({
      flush_mode: 'immediate',
      retry_max_times: 2,
      retry_type: 'periodic',
    })
    sink.behave = failing(3)
    await output.emit(numbers('t', 1, 5))
    await host.clock.advance(10_000)
    expect(stats()).toMatchObject({ deliveredEvents: 0, droppedEvents: { retries_exhausted: 5 } })
    expect(host.log.messages('error')).toEqual([
      'Hit limit for retries. dropping all chunks in the buffer queue.',
    ])
    await output.emit(numbers('t', 6, 1))
    await host.clock.advance(100)
    expect(sink.delivered).toEqual(['t 6\n'])
    expect(
      host.metrics.value('sluice_output_dropped_events_total', { reason: 'retries_exhausted' }),
    ).toBe(5)
  })

  it('the secondary gets it after its share of the retry time', async () => {
    const { output, sink, secondary, host, stats } = await rig(
      { flush_mode: 'immediate', retry_max_times: 2, retry_type: 'periodic' },
      { secondary: true },
    )
    sink.behave = failing(100)
    await output.emit(numbers('t', 1, 2))
    await host.clock.advance(5000)
    expect(sink.attempts).toBe(2)
    expect(secondary.delivered).toEqual(['t 1\nt 2\n'])
    expect(stats()).toMatchObject({ deliveredEvents: 2, bufferedEvents: 0 })
  })

  it('what is refused for good goes to the secondary at once', async () => {
    const { output, sink, secondary, host } = await rig(
      { flush_mode: 'immediate' },
      { secondary: true },
    )
    sink.behave = () => {
      throw new PermanentError('http_400', 'no')
    }
    await output.emit(numbers('t', 1, 1))
    await host.clock.settle()
    expect(sink.attempts).toBe(1)
    expect(secondary.delivered).toEqual(['t 1\n'])
  })

  it('and is kept aside without one; what follows goes on', async () => {
    const { output, sink, host, stats } = await rig({
      flush_mode: 'immediate',
      chunk_keys: ['tag'],
    })
    sink.behave = (chunk) => {
      if (chunk.metadata.tag === 'bad') throw new PermanentError('http_400', 'no')
    }
    await output.emit(numbers('bad', 1, 3))
    await output.emit(numbers('good', 4, 1))
    await host.clock.settle()
    expect(sink.delivered).toEqual(['good 4\n'])
    expect(stats()).toMatchObject({ droppedEvents: { backed_up: 3 }, bufferedEvents: 0 })
  })

  it('a secondary that fails: the chunk is kept aside', async () => {
    const { output, sink, secondary, host, stats } = await rig(
      { flush_mode: 'immediate' },
      { secondary: true },
    )
    sink.behave = () => {
      throw new PermanentError('x', 'no')
    }
    secondary.behave = () => {
      throw new Error('full')
    }
    await output.emit(numbers('t', 1, 1))
    await host.clock.settle()
    expect(stats()).toMatchObject({ droppedEvents: { backed_up: 1 } })
  })

  it('a sink may say when to come back', async () => {
    const { output, sink, host } = await rig({ flush_mode: 'immediate' })
    const times: number[] = []
    sink.behave = () => {
      times.push(host.clock.monotonicMs())
      if (times.length === 1)
        throw new RetryableError('http_429', 'slow down', { retryAfterMs: 7000 })
    }
    await output.emit(numbers('t', 1, 1))
    await host.clock.advance(20_000)
    expect(times).toEqual([0, 7000])
  })

  it('a part that the destination refused is counted apart', async () => {
    const { output, sink, host, stats } = await rig({ flush_mode: 'immediate' })
    const write = sink.write.bind(sink)
    sink.write = async (chunk, signal) => {
      await write(chunk, signal)
      return { refused: { reason: 'http_error', events: 2 } }
    }
    await output.emit(numbers('t', 1, 5))
    await host.clock.settle()
    expect(stats()).toMatchObject({ deliveredEvents: 3, droppedEvents: { http_error: 2 } })
  })
})

describe('when the buffer is full', () => {
  /** Chunks of two events, 8 bytes and 1 KiB of overhead each; three of them fill the buffer. */
  const small = { chunk_limit_size: 8, total_limit_size: 3000, flush_mode: 'lazy' }

  async function full(
    written: Readonly<Record<string, unknown>>,
  ): Promise<Rig & { release(): void }> {
    const made = await rig({ ...small, ...written })
    let stalled = true
    const releases: (() => void)[] = []
    made.sink.behave = () =>
      stalled ? new Promise<void>((resolve) => releases.push(resolve)) : undefined
    for (let i = 0; i < 6; i += 2) await made.output.emit(numbers('t', i, 2))
    await made.host.clock.settle()
    return {
      ...made,
      release() {
        stalled = false
        for (const release of releases) release()
      },
    }
  }

  it('throw_exception: refuses, and counts nothing', async () => {
    const made = await full({})
    expect(() => made.output.emit(numbers('t', 6, 2))).toThrow(BufferOverflowError)
    expect(made.stats().emittedEvents).toBe(6)
    made.release()
    await made.host.clock.settle()
    await made.output.emit(numbers('t', 6, 2))
    await made.host.clock.settle()
    expect(made.sink.delivered.join('')).toBe('t 0\nt 1\nt 2\nt 3\nt 4\nt 5\nt 6\nt 7\n')
  })

  it('block: waits, in order, with a copy', async () => {
    const made = await full({ overflow_action: 'block' })
    const batch = numbers('t', 6, 2)
    const settled: number[] = []
    const first = Promise.resolve(made.output.emit(batch)).then(() => settled.push(1))
    batch.packed.fill(0)
    const second = Promise.resolve(made.output.emit(numbers('t', 8, 2))).then(() => settled.push(2))
    await made.host.clock.advance(5000)
    expect(settled).toEqual([])
    expect(made.stats().emittedEvents).toBe(6)
    made.release()
    await made.host.clock.settle()
    await Promise.all([first, second])
    expect(settled).toEqual([1, 2])
    expect(made.sink.delivered.join('')).toMatch(/t 5\nt 6\nt 7\nt 8\nt 9\n$/)
  })

  it('block: what waits at shutdown is refused', async () => {
    const made = await full({ overflow_action: 'block' })
    const waiting = expect(made.output.emit(numbers('t', 6, 2))).rejects.toThrow(
      BufferOverflowError,
    )
    made.release()
    const deadline = new AbortController()
    const stopped = made.output.stop(deadline.signal)
    await waiting
    await made.host.clock.settle()
    await stopped
    expect(made.stats()).toMatchObject({ emittedEvents: 6, deliveredEvents: 6 })
  })

  it('drop_oldest_chunk: makes room, and counts it', async () => {
    const made = await full({ overflow_action: 'drop_oldest_chunk' })
    await made.output.emit(numbers('t', 6, 2))
    expect(made.stats().droppedEvents).toEqual({ overflow: 2 })
    made.release()
    await made.host.clock.settle()
    // The first chunk is in flight; the oldest that only waits is the second.
    expect(made.sink.delivered.join('')).toBe('t 0\nt 1\nt 4\nt 5\nt 6\nt 7\n')
  })

  it('a sink that keeps up slows its sources down, one that stalls does not', async () => {
    const line = 'x'.repeat(1 << 20)
    const formatter: Formatter = {
      format: (batch, _max, piece) => piece(Buffer.from(line), batch.count),
    }
    const made = await rig(
      { flush_mode: 'immediate', chunk_limit_size: 1 << 20, total_limit_size: 1 << 30 },
      { formatter },
    )
    let release = () => {}
    made.sink.behave = () => new Promise<void>((resolve) => (release = resolve))
    let paced: Promise<void> | undefined
    for (let i = 0; i < 40 && paced === undefined; i += 1) {
      paced = made.output.emit(numbers('t', i, 1)) as Promise<void> | undefined
      await made.host.clock.settle()
    }
    expect(paced).toBeInstanceOf(Promise)
    let settled = false
    void paced?.then(() => (settled = true))
    await made.host.clock.advance(400)
    expect(settled).toBe(false)
    // No chunk has arrived for half a second: nobody is held up by this sink any more.
    await made.host.clock.advance(200)
    expect(settled).toBe(true)
    expect(made.output.emit(numbers('t', 99, 1))).toBe(undefined)
    release()
    await made.host.clock.settle()
    expect(made.output.emit(numbers('t', 99, 1))).toBeInstanceOf(Promise)
    made.sink.behave = () => undefined
    release()
    await made.host.clock.settle()
  })
})

it('a sink that is down holds nobody up, however much waits for it', async () => {
  const line = Buffer.alloc(1 << 20)
  const formatter: Formatter = { format: (batch, _max, piece) => piece(line, batch.count) }
  const made = await rig(
    { flush_mode: 'immediate', chunk_limit_size: 1 << 20, total_limit_size: 1 << 30 },
    { formatter },
  )
  made.sink.behave = () => {
    throw new Error('down')
  }
  await made.output.emit(numbers('t', 0, 1))
  await made.host.clock.advance(700)
  for (let i = 1; i < 40; i += 1) {
    expect(made.output.emit(numbers('t', i, 1))).toBe(undefined)
    await made.host.clock.advance(100)
  }
})

describe('what a formatter cannot do', () => {
  it('fails alone, and is counted', async () => {
    const formatter: Formatter = {
      format(batch, max, piece) {
        plainFormatter.format(batch, max, piece)
        if (batch.tag === 'bad') throw new Error('cannot')
      },
    }
    const half: Formatter = { format: (_batch, _max, piece) => piece(Buffer.from('x\n'), 1) }
    const bad = await rig({ flush_mode: 'immediate' }, { formatter })
    await bad.output.emit(numbers('bad', 1, 2))
    await bad.output.emit(numbers('good', 1, 2))
    await bad.host.clock.settle()
    expect(bad.stats()).toMatchObject({ deliveredEvents: 4 })
    expect(bad.host.log.messages('error')).toHaveLength(1)

    const short = await rig({ flush_mode: 'immediate' }, { formatter: half })
    await short.output.emit(numbers('t', 1, 3))
    await short.host.clock.settle()
    expect(short.stats()).toMatchObject({ deliveredEvents: 1, droppedEvents: { not_formatted: 2 } })
  })
})

describe('shutdown', () => {
  it('tries once more what waits for a retry', async () => {
    const made = await rig({ flush_mode: 'immediate', retry_wait: 3600 })
    let down = true
    made.sink.behave = () => {
      if (down) throw new Error('down')
    }
    await made.output.emit(numbers('t', 1, 1))
    await made.host.clock.settle()
    down = false
    await stopNow(made)
    expect(made.sink.delivered).toEqual(['t 1\n'])
  })

  it('gives it to the secondary, where there is one', async () => {
    const made = await rig({ flush_mode: 'lazy' }, { secondary: true })
    made.sink.behave = () => {
      throw new Error('down')
    }
    await made.output.emit(numbers('t', 1, 1))
    await stopNow(made)
    expect(made.sink.attempts).toBe(1)
    expect(made.secondary.delivered).toEqual(['t 1\n'])
  })

  it('says in figures what could not be delivered until the deadline', async () => {
    const made = await rig({ flush_mode: 'lazy', chunk_keys: ['tag'] })
    made.sink.behave = (_chunk, signal) =>
      new Promise((_resolve, reject) =>
        signal.addEventListener('abort', () => reject(signal.reason)),
      )
    await made.output.emit(numbers('a', 1, 2))
    await made.output.emit(numbers('b', 3, 1))
    await stopNow(made)
    expect(made.stats()).toMatchObject({ droppedEvents: { shutdown: 3 }, bufferedEvents: 0 })
    const last = made.host.log.lines.findLast((line) => line.level === 'error')
    expect(last?.fields).toEqual({ events: 3, chunks: 2 })
  })

  it('does not wait long for a sink that ignores the deadline', async () => {
    const made = await rig({ flush_mode: 'lazy' })
    made.sink.behave = () => new Promise(() => {})
    await made.output.emit(numbers('a', 1, 2))
    await stopNow(made)
    expect(made.stats().droppedEvents).toEqual({ shutdown: 2 })
    expect(made.host.clock.pendingTimers).toBe(0)
  })

  it('counts as delivered what a sink was about to finish when the deadline came', async () => {
    const made = await rig({ flush_mode: 'lazy' })
    made.sink.behave = () => new Promise((resolve) => void made.host.clock.after(300, resolve))
    await made.output.emit(numbers('a', 1, 2))
    await stopNow(made, 100)
    expect(made.stats()).toMatchObject({ deliveredEvents: 2, droppedEvents: {} })
  })

  it('a flush that is waited for ends with the output', async () => {
    const made = await rig({ flush_mode: 'lazy' })
    made.sink.behave = () => new Promise(() => {})
    await made.output.emit(numbers('a', 1, 2))
    const flushed = made.output.flush!()
    await stopNow(made)
    await flushed
  })

  it('flush_at_shutdown false: loses what is in memory, and says so', async () => {
    const made = await rig({ flush_mode: 'lazy', flush_at_shutdown: false })
    expect(made.host.log.messages('warn')).toHaveLength(1)
    await made.output.emit(numbers('a', 1, 2))
    await stopNow(made)
    expect(made.sink.attempts).toBe(0)
    expect(made.stats().droppedEvents).toEqual({ shutdown: 2 })
  })

  it('is safe twice, and without start', async () => {
    const made = await rig({})
    await stopNow(made)
    await stopNow(made)
    await expect(made.output.emit(numbers('t', 1, 1))).rejects.toThrow('not running')
    const { context } = world()
    const unstarted = createBufferedOutput({ sink: spySink(), buffer: bufferOf(), context })
    await unstarted.stop(new AbortController().signal)
  })

  it('leaves no timer behind', async () => {
    const made = await rig({ chunk_keys: ['time'], timekey: 60 })
    await made.output.emit(numbers('t', 1, 1))
    const deadline = new AbortController()
    const stopped = made.output.stop(deadline.signal)
    await made.host.clock.settle()
    await stopped
    expect(made.host.clock.pendingTimers).toBe(0)
  })
})

describe('configuration', () => {
  it('flush_interval has no place in another mode', () => {
    const { context } = world()
    const make = (written: Readonly<Record<string, unknown>>) => () =>
      createBufferedOutput({ sink: spySink(), buffer: bufferOf(written), context })
    expect(make({ flush_mode: 'lazy', flush_interval: 5 })).toThrow(ConfigError)
    expect(make({ flush_mode: 'interval', flush_interval: 5 })).not.toThrow()
    expect(make({ chunk_keys: ['time'], timekey: 5, flush_interval: 5 })).not.toThrow()
  })

  it.each(['file', 'file_single'])('buffer type %s needs a path', (type) => {
    const { context } = world()
    const make = () =>
      createBufferedOutput({ sink: spySink(), buffer: bufferOf({}, type), context })
    expect(make).toThrow('buffer path is not configured')
  })

  it('knows every parameter of the section', () => {
    expect(Object.keys(memoryBufferShape.params)).toHaveLength(31)
  })
})

describe('metrics', () => {
  it('show the books', async () => {
    const { output, host } = await rig({ flush_mode: 'immediate', chunk_keys: ['tag'] })
    await output.emit(numbers('t', 1, 3))
    const labels = { plugin_id: 'out', type: 'spy' }
    const value = (name: string) => host.metrics.value(name, labels)
    expect(value('sluice_output_emitted_events_total')).toBe(3)
    expect(value('sluice_output_buffered_events')).toBe(3)
    expect(value('sluice_output_buffered_bytes')).toBe(12)
    await host.clock.settle()
    expect(value('sluice_output_delivered_events_total')).toBe(3)
    expect(value('sluice_output_buffered_events')).toBe(0)
    expect(value('sluice_output_oldest_seconds')).toBe(0)
    expect(host.metrics.observed('sluice_output_flush_seconds')).toEqual([0])
  })
})

import { describe, expect, it } from 'vitest'
import { createBufferedOutput } from '../../../src/buffer/buffered-output.ts'
import { PermanentError, RetryableError } from '../../../src/core/errors.ts'
import { createSeededRandom } from '../../support/fake-host.ts'
import { booksClose, bufferOf, numbers, spySink, world } from './support.ts'

/** A sink that now and then fails, refuses, dawdles; a run of emits, waits and flushes; everything from one seed. */
async function run(seed: number): Promise<void> {
  const random = createSeededRandom(seed)
  const below = (limit: number) => Math.floor(random.unit() * limit)
  const pick = <T>(...of: readonly T[]): T => of[below(of.length)] as T
  const { host, context } = world(seed)
  const sink = spySink()
  const refused = new Set<string>()
  let healed = false
  sink.behave = (chunk) => {
    const kind = healed ? 0 : below(6)
    if (kind === 1) throw new Error('down')
    if (kind === 2 && below(3) === 0) {
      refused.add(chunk.id)
      throw new PermanentError('no', 'refused')
    }
    if (kind === 3) throw new RetryableError('later', 'later', { retryAfterMs: below(3000) })
    if (kind !== 4) return
    return new Promise((resolve) => void host.clock.after(below(2000), resolve))
  }
  const overflow = pick('throw_exception', 'block', 'drop_oldest_chunk')
  const output = createBufferedOutput({
    sink,
    buffer: bufferOf({
      flush_mode: pick('interval', 'immediate', 'lazy'),
      chunk_keys: pick([], ['tag'], ['time', 'tag'], ['n']),
      timekey: 60,
      timekey_use_utc: true,
      timekey_wait: below(5),
      chunk_limit_size: pick(20, 100, 10_000),
      total_limit_size: pick(20_000, 60_000, 1e6),
      flush_thread_count: 1 + below(3),
      retry_wait: 0.5,
      retry_max_interval: 2,
      overflow_action: overflow,
      ...pick<Record<string, unknown>>({}, { chunk_limit_records: 1 + below(4) }),
    }),
    context,
  })
  const books = () => expect(booksClose(output.statistics!()), `seed ${seed}`).toBe(true)
  await output.start()
  let next = 0
  let taken = 0
  const waiting: Promise<unknown>[] = []
  for (let step = 0; step < 60; step += 1) {
    const count = 1 + below(6)
    const time = 1_700_000_000 + below(200)
    const first = next
    next += count
    try {
      const settled = output.emit(numbers(pick('a', 'b.c', 'd'), first, count, time))
      if (settled === undefined) taken += count
      else
        waiting.push(
          settled.then(
            () => (taken += count),
            () => undefined,
          ),
        )
    } catch {
      // The buffer is full, and said so: nothing was taken.
      expect(overflow).toBe('throw_exception')
    }
    books()
    if (below(3) === 0) await host.clock.advance(below(1500))
    books()
  }
  healed = true
  const deadline = new AbortController()
  const stopped = output.stop(deadline.signal)
  await host.clock.advance(60_000)
  await stopped
  await Promise.all(waiting)
  books()
  const stats = output.statistics!()
  const dropped = stats.droppedEvents
  expect(stats.emittedEvents, `seed ${seed}`).toBe(taken)
  expect(stats.bufferedEvents, `seed ${seed}`).toBe(0)
  expect(Object.keys(dropped).sort(), `seed ${seed}`).toEqual(
    Object.keys(dropped)
      .filter((reason) => ['overflow', 'rejected', 'backed_up'].includes(reason))
      .sort(),
  )
  // What is counted as delivered is what arrived: each event once.
  const arrived = sink.delivered.flatMap((text) => text.trimEnd().split('\n'))
  expect(arrived, `seed ${seed}`).toHaveLength(stats.deliveredEvents)
  expect(new Set(arrived).size, `seed ${seed}`).toBe(arrived.length)
  expect(host.clock.pendingTimers, `seed ${seed}`).toBe(0)
}

describe('buffered output, random runs', () => {
  it('close their books at every step, and deliver each event at most once', async () => {
    for (let seed = 1; seed <= 60; seed += 1) await run(seed)
  }, 120_000)
})

import { expect, it } from 'vitest'
import { watchMemory } from '../../../../src/host/node-memory.ts'
import { gcStatSource } from '../../../../src/sources/gc_stat/index.ts'
import { startMaker, startMs } from '../exec/harness.ts'

it('emits the figures every interval, until it is stopped', async () => {
  const { host, events, source } = await startMaker(gcStatSource, 'tag gc\nemit_interval 10s')
  await host.clock.advance(25_000)
  expect(events).toHaveLength(2)
  expect(events[0]).toBe(
    `gc ${startMs / 1000 + 10} {"count":7,"time":13,"minor_gc_count":5,"major_gc_count":2,"heap_used_bytes":1000,"heap_total_bytes":2000,"heap_limit_bytes":4000,"external_bytes":100,"resident_bytes":9000}`,
  )
  await source.stop(new AbortController().signal)
  await host.clock.advance(25_000)
  expect(events).toHaveLength(2)
})

it('says what it could not hand on', async () => {
  const started = await startMaker(gcStatSource, 'tag gc')
  started.answer = () => Promise.reject(new Error('full'))
  await started.host.clock.advance(60_000)
  await new Promise((resolve) => setImmediate(resolve))
  expect(started.host.log.messages('warn')).toEqual(['an event could not be taken'])
})

it('counts the collections of this process', async () => {
  const watch = watchMemory()
  let garbage: unknown[] = []
  while (watch.read().minorCollections === 0) {
    for (let n = 0; n < 100_000; n++) garbage.push({ n })
    garbage = []
    await new Promise((resolve) => setImmediate(resolve))
  }
  const figures = watch.read()
  expect(figures.collectionMs).toBeGreaterThan(0)
  expect(figures.heapUsedBytes).toBeLessThanOrEqual(figures.heapTotalBytes)
  expect(figures.heapTotalBytes).toBeLessThan(figures.heapLimitBytes)
  watch.stop()
})

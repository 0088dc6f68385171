import { describe, expect, it } from 'vitest'
import { createMemoryStore, poolOf } from '../../../src/buffer/memory-store.ts'
import { ChunkQueue } from '../../../src/buffer/queue.ts'
import { createSlabPool, largestSlabBytes } from '../../../src/buffer/slab-pool.ts'
import type { ChunkChange } from '../../../src/buffer/store.ts'
import { createSeededRandom } from '../../support/fake-host.ts'
import { createVirtualClock } from '../../support/virtual-clock.ts'

// What memory chunks do for their callers: test/conformance/chunk-store.ts.

describe('blocks of memory', () => {
  it('are used again, and not kept beyond the limit', () => {
    const pool = createSlabPool(largestSlabBytes)
    const slab = pool.take(largestSlabBytes)
    const other = pool.take(largestSlabBytes)
    pool.give(slab)
    pool.give(other)
    expect(pool.freeBytes).toBe(largestSlabBytes)
    expect(pool.take(largestSlabBytes)).toBe(slab)
    expect(pool.take(largestSlabBytes)).not.toBe(other)
    expect(pool.freeBytes).toBe(0)
  })

  it('of another size are not taken in', () => {
    const pool = createSlabPool(1 << 20)
    pool.give(new Uint8Array(100))
    expect(pool.freeBytes).toBe(0)
  })
})

describe('a chunk in memory, with compress', () => {
  const metadata = { timekey: undefined, tag: 'a', variables: undefined }

  function filled(text: string) {
    const outside = { clock: createVirtualClock(), random: createSeededRandom(1) }
    const changes: ChunkChange[] = []
    const chunk = createMemoryStore(outside, 'gzip').create(metadata, (one) => changes.push(one))
    chunk.append(Buffer.from(text), 7)
    return { chunk, changes, pool: poolOf(outside) }
  }
  type Filled = ReturnType<typeof filled>
  const held = ({ chunk }: Filled) => chunk.heldBytes as number

  it.each([
    ['a small one', 1000],
    ['a large one', 400_000],
  ])(
    '%s takes less once it is queued, says so later, and gives its blocks back',
    async (_, times) => {
      const text = 'again '.repeat(times)
      const one = filled(text)
      const sealed = one.chunk.seal()
      expect(one.changes).toEqual([])
      await sealed
      expect(held(one)).toBeLessThan(text.length / 50)
      const bytes = held(one) - text.length
      expect(one.changes).toEqual([{ bytes, events: 0, reason: 'compressed' }])
      expect(one.chunk).toMatchObject({ sizeBytes: text.length, count: 7 })
      expect(one.pool.freeBytes).toBeGreaterThanOrEqual(text.length)
      for (let time = 0; time < 2; time += 1) {
        expect(Buffer.concat(await one.chunk.read()).toString()).toBe(text)
      }
      const pieces: Uint8Array[] = []
      for await (const piece of one.chunk.stream!()) pieces.push(Buffer.from(piece))
      expect(Buffer.concat(pieces).toString()).toBe(text)
    },
  )

  it('stays as it is where that is smaller', async () => {
    const one = filled('{}')
    await one.chunk.seal()
    expect([held(one), one.changes]).toEqual([2, []])
    expect(Buffer.concat(await one.chunk.read()).toString()).toBe('{}')
  })

  it('that is removed meanwhile gives its blocks back only when they are not read any more', async () => {
    const one = filled('again '.repeat(100_000))
    const sealed = one.chunk.seal()
    const removed = one.chunk.remove()
    expect(one.pool.freeBytes).toBe(0)
    await Promise.all([sealed, removed])
    expect(one.pool.freeBytes).toBeGreaterThanOrEqual(600_000)
    expect(one.changes).toEqual([])
  })
})

describe('the queue', () => {
  it('is first in, first out, with what is put back in front', () => {
    const queue = new ChunkQueue<number>()
    for (let i = 0; i < 500; i += 1) queue.push(i)
    for (let i = 0; i < 200; i += 1) expect(queue.shift()).toBe(i)
    queue.unshift(199)
    queue.unshift(198)
    expect(queue.length).toBe(302)
    expect([...queue].slice(0, 3)).toEqual([198, 199, 200])
    const rest: (number | undefined)[] = []
    while (queue.length > 0) rest.push(queue.shift())
    expect(rest).toEqual(Array.from({ length: 302 }, (_, i) => i + 198))
    expect(queue.shift()).toBe(undefined)
    queue.unshift(1)
    expect([...queue]).toEqual([1])
  })
})

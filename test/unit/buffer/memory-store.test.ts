import { describe, expect, it } from 'vitest'
import { ChunkQueue } from '../../../src/buffer/queue.ts'
import { createSlabPool, largestSlabBytes } from '../../../src/buffer/slab-pool.ts'

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

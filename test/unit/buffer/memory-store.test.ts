import { describe, expect, it } from 'vitest'
import { createMemoryStore } from '../../../src/buffer/memory-store.ts'
import { ChunkQueue } from '../../../src/buffer/queue.ts'
import { createSlabPool, largestSlabBytes } from '../../../src/buffer/slab-pool.ts'
import { createSeededRandom } from '../../support/fake-host.ts'
import { createVirtualClock } from '../../support/virtual-clock.ts'

const metadata = { timekey: undefined, tag: undefined, variables: undefined }

function pattern(length: number, seed: number): Uint8Array {
  return Uint8Array.from({ length }, (_, i) => (i * 31 + seed) & 0xff)
}

describe('chunks in memory', () => {
  const store = createMemoryStore({ clock: createVirtualClock(), random: createSeededRandom(1) })

  it.each([
    [[1]],
    [[4096]],
    [[4096, 1]],
    [[10, 5000, 20_000]],
    [[largestSlabBytes + 1]],
    [[100, 3 * largestSlabBytes, 7]],
    [Array.from({ length: 2000 }, (_, i) => i)],
  ])('give back what was put in: %j', async (sizes) => {
    const chunk = store.create(metadata)
    const pieces = sizes.map((size, i) => pattern(size, i))
    for (const piece of pieces) chunk.append(piece, 2)
    await chunk.seal()
    const whole = Buffer.concat(pieces)
    expect(Buffer.concat(await chunk.read()).equals(whole)).toBe(true)
    expect(Buffer.concat(await chunk.read()).equals(whole)).toBe(true)
    expect(chunk).toMatchObject({ sizeBytes: whole.length, count: 2 * sizes.length })
    await chunk.remove()
  })

  it('copy what they take', async () => {
    const chunk = store.create(metadata)
    const bytes = new Uint8Array([1, 2, 3])
    chunk.append(bytes, 1)
    bytes.fill(9)
    expect(Buffer.concat(await chunk.read())).toEqual(Buffer.from([1, 2, 3]))
  })

  it('have ids of 32 hex digits, all different', () => {
    const ids = Array.from({ length: 100 }, () => store.create(metadata).id)
    expect(ids.every((id) => /^[0-9a-f]{32}$/.test(id))).toBe(true)
    expect(new Set(ids).size).toBe(100)
  })
})

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

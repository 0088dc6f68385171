import { describe, expect, it } from 'vitest'
import type { ChunkStore } from '../../src/buffer/store.ts'

/** What every ChunkStore does; see src/buffer/store.ts. `open` gives a fresh, opened, empty one. */
export function chunkStoreConformance(name: string, open: () => Promise<ChunkStore>): void {
  const metadata = { timekey: 60, tag: 'a.b', variables: { k: 'v' } }

  describe(`chunk store ${name}`, () => {
    it.each([
      [[1]],
      [[4096]],
      [[4096, 1]],
      [[10, 5000, 20_000]],
      [[262_145]],
      [[100, 800_000, 7]],
      [Array.from({ length: 500 }, (_, i) => i)],
    ])('gives back what was put in: pieces of %j bytes', async (sizes) => {
      const store = await open()
      const chunk = store.create(metadata)
      const pieces = sizes.map((size, i) => pattern(size, i))
      for (const piece of pieces) chunk.append(piece, 2)
      await chunk.commit()
      await chunk.seal()
      const whole = Buffer.concat(pieces)
      expect(Buffer.concat(await chunk.read()).equals(whole)).toBe(true)
      expect(Buffer.concat(await chunk.read()).equals(whole)).toBe(true)
      expect(chunk).toMatchObject({
        metadata,
        sizeBytes: whole.length,
        count: 2 * sizes.length,
      })
      await chunk.remove()
      await store.close()
    })

    it('copies what it takes', async () => {
      const store = await open()
      const chunk = store.create(metadata)
      const bytes = new Uint8Array([1, 2, 3])
      chunk.append(bytes, 1)
      bytes.fill(9)
      await chunk.seal()
      expect(Buffer.concat(await chunk.read())).toEqual(Buffer.from([1, 2, 3]))
    })

    it('keeps chunks apart, also after one is removed', async () => {
      const store = await open()
      const chunks = [0, 1, 2].map(() => store.create(metadata))
      for (let i = 0; i < 3000; i += 1) {
        chunks.forEach((chunk, index) => {
          chunk.append(pattern(17, index), 1)
        })
      }
      await chunks[1]!.seal()
      await chunks[1]!.remove()
      const later = store.create(metadata)
      later.append(new Uint8Array(50_000).fill(0xee), 1)
      for (const index of [0, 2]) {
        const bytes = Buffer.concat(await chunks[index]!.read())
        expect(bytes.length).toBe(51_000)
        expect(bytes.equals(Buffer.concat(Array(3000).fill(pattern(17, index))))).toBe(true)
      }
    })

    it('gives ids of 32 hex digits, all different', async () => {
      const store = await open()
      const ids = Array.from({ length: 300 }, () => store.create(metadata).id)
      expect(ids.every((id) => /^[0-9a-f]{32}$/.test(id))).toBe(true)
      expect(new Set(ids).size).toBe(300)
    })
  })
}

function pattern(length: number, seed: number): Uint8Array {
  return Uint8Array.from({ length }, (_, i) => (i * 31 + seed) & 0xff)
}

import { crc32 } from 'node:zlib'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { WriteGroup } from '../../../src/buffer/file-store-group.ts'
import { createSlabPool } from '../../../src/buffer/slab-pool.ts'

describe('a group of what is written together', () => {
  it('has the CRC-32 of all of it, whatever was written at once, copied, small or large, or asked for before', () => {
    const part = fc.record({ bytes: fc.constantFrom(1, 300, 20_000, 100_000), asked: fc.boolean() })
    const parts = fc.array(part, { maxLength: 8 })
    fc.assert(
      fc.property(parts, parts, (direct, copied) => {
        const group = new WriteGroup({ pool: createSlabPool(1_000_000), crc32 })
        const all: Uint8Array[] = []
        const next = (bytes: number) => {
          const piece = Buffer.alloc(bytes, `${all.length} `)
          all.push(piece)
          return piece
        }
        const check = () => expect(group.crc()).toBe(crc32(Buffer.concat(all)))
        for (const { bytes, asked } of direct) {
          group.wrote(next(bytes), 1)
          if (asked) check()
        }
        const written = group.bytes
        for (const { bytes, asked } of copied) {
          group.add(next(bytes), 1)
          if (asked) check()
        }
        check()
        expect(Buffer.concat(group.pieces()).equals(Buffer.concat(all).subarray(written))).toBe(
          true,
        )
        expect(group).toMatchObject({ count: all.length, writtenBytes: written })
      }),
      { numRuns: 60 },
    )
  })
})

import * as zlib from 'node:zlib'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { newKernel } from './framing.ts'

const kernel = newKernel()
const size = kernel.readArea.length

describe('crc32', () => {
  it('is that of zlib, of any place in kernel memory, whatever came before', () => {
    const place = fc.tuple(fc.nat(200), fc.integer({ min: 0, max: size - 200 }))
    fc.assert(
      fc.property(place, fc.nat(0xffff_ffff), fc.nat(255), ([at, length], crc, step) => {
        kernel.readArea.forEach((_, i) => {
          kernel.readArea[i] = i * step + (i >> 8)
        })
        const bytes = kernel.readArea.subarray(at, at + length)
        expect(kernel.crc32(bytes, crc)).toBe(zlib.crc32(bytes, crc))
      }),
      { numRuns: 60 },
    )
  })

  it('goes on from a part to the next', () => {
    kernel.readArea.fill(7)
    const whole = kernel.crc32(kernel.readArea, 0)
    for (const cut of [1, 9_600, 100_000, size - 1]) {
      const head = kernel.crc32(kernel.readArea.subarray(0, cut), 0)
      expect(kernel.crc32(kernel.readArea.subarray(cut), head)).toBe(whole)
    }
  })

  it('of bytes that lie elsewhere', () => {
    const bytes = Buffer.alloc(100_000, 'abc')
    expect(kernel.crc32(bytes, 5)).toBe(zlib.crc32(bytes, 5))
  })
})

import { describe, expect, test } from 'vitest'
import { WaitingBytes } from '../../../src/kernel/waiting-bytes.ts'

const areaBytes = 128 * 1024

/** `length` bytes that count up from `first`. */
const counting = (first: number, length: number) =>
  Uint8Array.from({ length }, (_, i) => (first + i) & 0xff)

function all(waiting: WaitingBytes): Uint8Array {
  const parts: Uint8Array[] = []
  for (let part = waiting.take(); part !== undefined; part = waiting.take()) {
    parts.push(part.slice())
  }
  return Buffer.concat(parts)
}

describe('bytes that wait', () => {
  test('come in order, by windows that grow after something was put back', () => {
    const waiting = new WaitingBytes(areaBytes)
    const bytes = counting(0, 200_000)
    waiting.push(counting(7, 10))
    waiting.putBack(bytes)
    const sizes: number[] = []
    for (let part = waiting.take(); part !== undefined; part = waiting.take()) {
      sizes.push(part.length)
    }
    expect(sizes).toEqual([16_384, 65_536, 118_080, 10])
    expect(waiting.any).toBe(false)
  })

  test('what is put back of a copy is not copied again, and stays what it was', () => {
    const waiting = new WaitingBytes(areaBytes)
    const engine = counting(0, 50_000)
    waiting.putBack(engine)
    engine.fill(0)
    const first = waiting.take()!
    expect(Buffer.from(first)).toEqual(Buffer.from(counting(0, 16_384)))
    waiting.putBack(first.subarray(10_000))
    expect(all(waiting)).toEqual(Buffer.from(counting(0, 50_000)).subarray(10_000))
  })

  test('a block is used again only when nothing in it waits any more', () => {
    const waiting = new WaitingBytes(areaBytes)
    waiting.putBack(counting(1, 40_000))
    waiting.take()
    waiting.forgetLoaded()
    // What is in the engine now came from elsewhere; of the first copy some still waits.
    waiting.putBack(counting(9, 40_000))
    expect(all(waiting)).toEqual(
      Buffer.concat([counting(9, 40_000), counting(1, 40_000).subarray(16_384)]),
    )
    const other = new WaitingBytes(areaBytes)
    other.putBack(counting(2, 40_000))
    waiting.putBack(counting(3, 40_000))
    expect(all(other)).toEqual(Buffer.from(counting(2, 40_000)))
    expect(all(waiting)).toEqual(Buffer.from(counting(3, 40_000)))
  })

  test('of nothing, nothing waits', () => {
    const waiting = new WaitingBytes(areaBytes)
    waiting.putBack(new Uint8Array(0))
    expect(waiting.any).toBe(false)
    waiting.push(counting(0, 5))
    waiting.clear()
    expect(waiting.take()).toBeUndefined()
  })
})

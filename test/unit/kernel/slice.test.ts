import { describe, expect, it } from 'vitest'
import { hex, newKernel, now, options, toHex } from './framing.ts'

const kernel = newKernel()

type Run = [sliceSeconds: number, packed: string, count: number]

const slices = (packed: Uint8Array, widthSeconds: number, offsetSeconds = 0): Run[] => {
  const runs: Run[] = []
  const batch = { tag: 'a', packed, count: 0 }
  kernel.sliceByTime(batch, { widthSeconds, offsetSeconds }, (seconds, part, count) => {
    runs.push([seconds, toHex(part), count])
  })
  return runs
}

describe('sliceByTime', () => {
  const at = (time: string): string => `92${time}80`

  it.each([
    ['fixint', '05', 0],
    ['uint8', 'cc96', 100],
    ['uint16', 'cd0101', 200],
    ['uint32', 'ce6553f10f', 1700000000],
    ['uint64', 'cf000000010000000f', 4294967300],
    ['negative fixint', 'ff', -100],
    ['int8', 'd080', -200],
    ['int16', 'd1ff7f', -200],
    ['int32', 'd26553f101', 1700000000],
    ['int64', 'd3ffffffffffffffff', -100],
    ['EventTime', 'd7006553f10f00000001', 1700000000],
    ['EventTime as ext8', 'c708006553f10f00000001', 1700000000],
  ])('%s', (_name, time, seconds) => {
    expect(slices(hex(at(time)), 100)).toEqual([[seconds, at(time), 1]])
  })

  it('entries of one slice in a row are one run', () => {
    const packed = [at('01'), at('02'), at('0a'), at('0b'), at('03')]
    expect(slices(hex(packed.join('')), 10)).toEqual([
      [0, at('01') + at('02'), 2],
      [10, at('0a') + at('0b'), 2],
      [0, at('03'), 1],
    ])
  })

  it('the offset moves the borders', () => {
    // Days of a zone 9 hours east: 15:00 UTC is midnight there.
    const packed = hex(at('cdd2ef') + at('cdd2f0'))
    expect(slices(packed, 86_400, 32_400).map(([seconds]) => seconds)).toEqual([-32_400, 54_000])
  })

  it('an empty batch has no slices', () => {
    expect(slices(hex(''), 10)).toEqual([])
  })

  it('batches larger than the window, and single entries larger still', () => {
    const big = (seconds: string, bytes: number): Buffer => {
      const head = Buffer.from(hex(`92${seconds}81a16bdb00000000`))
      head.writeUInt32BE(bytes, head.length - 4)
      return Buffer.concat([head, Buffer.alloc(bytes, 0x78)])
    }
    const packed = Buffer.concat([
      ...Array.from({ length: 900 }, () => big('01', 1000)),
      big('02', 2_000_000),
      big('0a', 10),
    ])
    expect(slices(packed, 10).map(([seconds, , count]) => [seconds, count])).toEqual([
      [0, 901],
      [10, 1],
    ])
  })

  it('works on a run in kernel memory, which stays as it is', () => {
    const framer = kernel.createFramer(options)
    framer.feed(hex('93a161 05 80 93a161 0f 80'))
    const step = framer.next(now)
    if (step?.kind !== 'run') throw new Error('a run was expected')
    expect(slices(step.packed, 10)).toEqual([
      [0, at('05'), 1],
      [10, at('0f'), 1],
    ])
  })

  it('refuses a batch that is not whole', () => {
    expect(() => slices(hex('9205'), 10)).toThrow('not whole')
  })
})

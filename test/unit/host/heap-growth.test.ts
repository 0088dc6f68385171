import { describe, expect, it } from 'vitest'
import { HeapGrowth } from '../../../src/host/heap-growth.ts'

function growing() {
  const flags: string[] = []
  const heap = new HeapGrowth((flag) => void flags.push(flag))
  const times = (count: number, what: () => void) => {
    for (let i = 0; i < count; i += 1) what()
  }
  return {
    flags,
    open: (count: number) => times(count, () => heap.opened()),
    close: (count: number) => times(count, () => heap.closed()),
  }
}

describe('how far the heap may grow', () => {
  it('is left to V8 with few connections', () => {
    const { flags, open, close } = growing()
    open(1023)
    close(1023)
    expect(flags).toEqual([])
  })

  it('is less with many, until half of them are gone', () => {
    const { flags, open, close } = growing()
    open(2000)
    expect(flags).toEqual(['--heap-growing-percent=40'])
    close(1488)
    open(600)
    expect(flags).toHaveLength(1)
    close(601)
    expect(flags).toEqual(['--heap-growing-percent=40', '--heap-growing-percent=0'])
    open(600)
    expect(flags).toHaveLength(3)
  })
})

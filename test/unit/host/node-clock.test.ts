import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { createNodeClock } from '../../../src/host/node-clock.ts'

describe('node clock', () => {
  beforeEach(() => {
    vi.useFakeTimers({ now: 1_700_000_000_000 })
  })
  afterEach(() => {
    vi.useRealTimers()
  })

  it('tells the wall time with parts of milliseconds, and follows it when it is set', () => {
    const clock = createNodeClock()
    vi.advanceTimersByTime(10)
    expect(clock.wallMs()).toBeCloseTo(1_700_000_000_010, 0)
    vi.setSystemTime(1_800_000_000_000)
    expect(clock.wallMs()).toBe(1_800_000_000_000)
    vi.setSystemTime(1_600_000_000_000)
    expect(clock.wallMs()).toBe(1_600_000_000_000)
  })

  it('never goes back by monotonicMs', () => {
    const clock = createNodeClock()
    const before = clock.monotonicMs()
    vi.setSystemTime(0)
    expect(clock.monotonicMs()).toBeGreaterThanOrEqual(before)
    expect(clock.monotonicMs() - before).toBeLessThan(60_000)
  })

  it('runs once, after the delay, unless cancelled', () => {
    const clock = createNodeClock()
    const ran: string[] = []
    clock.after(100, () => ran.push('a'))
    clock.after(50, () => ran.push('b')).cancel()
    clock.after(-5, () => ran.push('c'))
    vi.advanceTimersByTime(99)
    expect(ran).toEqual(['c'])
    vi.advanceTimersByTime(1_000)
    expect(ran).toEqual(['c', 'a'])
  })

  it('waits for delays that setTimeout does not know', () => {
    const clock = createNodeClock()
    const ran: string[] = []
    const days = 86_400_000
    clock.after(60 * days, () => ran.push('a'))
    clock.after(70 * days, () => ran.push('b')).cancel()
    vi.advanceTimersByTime(60 * days - 1)
    expect(ran).toEqual([])
    vi.advanceTimersByTime(1)
    expect(ran).toEqual(['a'])
    vi.advanceTimersByTime(60 * days)
    expect(ran).toEqual(['a'])
  })

  it('soon comes after what is ready now', async () => {
    const clock = createNodeClock()
    const order: string[] = []
    clock.soon(() => order.push('soon'))
    await Promise.resolve()
    order.push('promise')
    vi.runAllTimers()
    expect(order).toEqual(['promise', 'soon'])
  })

  it('knows the offset of local time', () => {
    const clock = createNodeClock()
    // TZ cannot be changed inside a thread of vitest: the zone's answer is put in its place.
    const minutesWest = vi.spyOn(Date.prototype, 'getTimezoneOffset')
    minutesWest.mockReturnValue(300)
    expect(clock.localOffsetSeconds(1_700_000_000)).toBe(-18_000)
    minutesWest.mockReturnValue(-330)
    expect(clock.localOffsetSeconds(1_700_000_000)).toBe(19_800)
    minutesWest.mockReturnValue(0)
    expect(Object.is(clock.localOffsetSeconds(0), 0)).toBe(true)
    minutesWest.mockRestore()
  })
})

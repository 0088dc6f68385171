import { describe, expect, it } from 'vitest'
import { FailureDetector } from '../../../../src/outputs/forward/failure-detector.ts'

/** A detector of heartbeats each second, after heartbeats at these times. */
function heardAt(times: readonly number[]): FailureDetector {
  const detector = new FailureDetector({
    intervalSeconds: 1,
    hardTimeoutSeconds: 60,
    nowSeconds: 0,
  })
  for (const time of times) detector.add(time)
  return detector
}

const regular = Array.from({ length: 100 }, (_, i) => i + 1)

describe('phi', () => {
  it.each<[string, readonly number[], number, number]>([
    // silence / mean gap / ln 10, with both moved so that one interval counts as 1
    ['on time', regular, 101, 0.43],
    ['after 10 s', regular, 110, 4.343],
    ['beyond the threshold of 16 after 37 s', regular, 137, 16.07],
    ['nothing came yet', [], 5, 2.171],
    ['irregular heartbeats are waited for longer', [2, 4, 6, 8, 10], 20, 2.22],
    ['early ones count as regular', [0.1, 0.2, 0.3, 0.4], 10.4, 4.343],
  ])('%s', (_name, times, now, expected) => {
    expect(heardAt(times).phi(now)).toBeCloseTo(expected, 1)
  })

  it('remembers 1000 gaps', () => {
    const detector = heardAt([])
    for (let i = 1; i <= 5000; i++) detector.add(i)
    expect(detector.samples).toBe(1000)
  })
})

it('hard_timeout, and starting over', () => {
  const detector = heardAt([1, 2, 3])
  expect(detector.isSilent(63)).toBe(false)
  expect(detector.isSilent(63.5)).toBe(true)
  detector.clear()
  expect(detector.samples).toBe(0)
  expect(detector.phi(100)).toBe(0)
  expect(detector.isSilent(0)).toBe(true)
  detector.add(70)
  expect(detector.samples).toBe(1)
  expect(detector.isSilent(71)).toBe(false)
})

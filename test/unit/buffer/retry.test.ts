import { describe, expect, it } from 'vitest'
import {
  failedAgain,
  firstFailure,
  isExhausted,
  notBefore,
  type RetryPolicy,
  type RetryState,
  usesSecondary,
} from '../../../src/buffer/retry.ts'

const policy: RetryPolicy = {
  type: 'exponential_backoff',
  waitMs: 1000,
  base: 2,
  maxIntervalMs: Number.POSITIVE_INFINITY,
  timeoutMs: 72 * 3600 * 1000,
  maxTimes: Number.POSITIVE_INFINITY,
  forever: false,
  randomize: false,
  secondaryThreshold: undefined,
}

/** Times of the attempts, in seconds after the first failure, until retries are exhausted; `*`: by the secondary. */
function attempts(of: Partial<RetryPolicy>, limit = 30, unit = 0.5): (number | string)[] {
  const used = { ...policy, ...of }
  const times: (number | string)[] = []
  let state: RetryState = firstFailure(used, 0)
  while (!isExhausted(used, state) && times.length < limit) {
    const nowMs = state.nextMs
    const seconds = Math.round(nowMs) / 1000
    times.push(usesSecondary(used, state, nowMs) ? `${seconds}*` : seconds)
    state = failedAgain(used, state, { nowMs, unit })
  }
  return times
}

describe('times of retries', () => {
  it.each<[string, Partial<RetryPolicy>, (number | string)[]]>([
    ['double', { maxTimes: 6 }, [1, 3, 7, 15, 31, 63]],
    ['periodic', { type: 'periodic', maxTimes: 4 }, [1, 2, 3, 4]],
    ['longest interval', { maxIntervalMs: 3000, maxTimes: 6 }, [1, 3, 6, 9, 12, 15]],
    ['base 3, wait 2', { base: 3, waitMs: 2000, maxTimes: 3 }, [2, 8, 26]],
    ['timeout, and a last time at its end', { timeoutMs: 10_000 }, [1, 3, 7, 10]],
    ['no retry at all', { maxTimes: 0 }, []],
  ])('%s', (_name, of, expected) => {
    expect(attempts(of)).toEqual(expected)
  })

  it('by default end after 72 hours: 17 times, and a last one', () => {
    expect(attempts({})).toHaveLength(18)
  })

  it('go on for ever where they are told to', () => {
    expect(attempts({ forever: true, maxTimes: 1, type: 'periodic' }, 100)).toHaveLength(100)
  })

  it('never overflow', () => {
    expect(attempts({ forever: true }, 2000).every((at) => Number.isFinite(at))).toBe(true)
  })

  it.each([
    [0, 875],
    [0.5, 1000],
    [1, 1125],
  ])('vary by an eighth: chance %d gives %d ms', (unit, expected) => {
    const used = { ...policy, randomize: true, type: 'periodic' as const }
    const state = failedAgain(used, firstFailure(used, 0), { nowMs: 1000, unit })
    expect(state.nextMs - 1000).toBe(expected)
  })
})

describe('the secondary', () => {
  it('takes over after its share of the time that the retries take', () => {
    // golden d-retry-then-secondary: two retries of 1 s; 80 % of 2 s is 1.6 s.
    expect(attempts({ type: 'periodic', maxTimes: 2, secondaryThreshold: 0.8 })).toEqual([
      1,
      '1.6*',
    ])
  })

  it('starts with short intervals again', () => {
    expect(attempts({ timeoutMs: 100_000, secondaryThreshold: 0.8 })).toEqual([
      1,
      3,
      7,
      15,
      31,
      63,
      '80*',
      '81*',
      '83*',
      '87*',
      '95*',
      '100*',
    ])
  })

  it('gets its turn before retry_max_times is used up', () => {
    // As Fluentd 1.19 does: 80 % of 1 + 2 seconds.
    expect(attempts({ maxTimes: 2, secondaryThreshold: 0.8 })).toEqual([1, '2.4*'])
  })

  // ends of geometric rows: added up one by one they would take minutes, or for ever
  it.each<[string, Partial<RetryPolicy>, number]>([
    ['short intervals for a year', { type: 'periodic', waitMs: 1, timeoutMs: 3e10 }, 2.4e10],
    ['a longest interval for a year', { waitMs: 1, maxIntervalMs: 4, timeoutMs: 3e10 }, 2.4e10],
    ['intervals that get shorter', { base: 0.5, maxTimes: 1e9 }, 1600],
    ['no end of intervals that get shorter', { base: 0.5 }, 1600],
    ['intervals that grow up to a longest', { maxIntervalMs: 3000, maxTimes: 5 }, 9600],
    ['intervals beyond the longest', { waitMs: 5000, maxIntervalMs: 3000, maxTimes: 5 }, 12_000],
  ])('knows the whole time of %s', (_name, of, startMs) => {
    const used = { ...policy, ...of, secondaryThreshold: 0.8 }
    const state = firstFailure(used, 0)
    expect([startMs - 1, startMs].map((atMs) => usesSecondary(used, state, atMs))).toEqual([
      false,
      true,
    ])
  })

  it('gets nothing with retry_forever', () => {
    const used = { ...policy, forever: true, secondaryThreshold: 0.1, timeoutMs: 1 }
    expect(usesSecondary(used, firstFailure(used, 0), 1e9)).toBe(false)
  })
})

describe('a sink that says when', () => {
  const state = firstFailure(policy, 0)
  it.each([
    [500, 1000],
    [30_000, 30_000],
    [1e12, policy.timeoutMs],
  ])('after %d ms: next attempt at %d ms', (delayMs, expected) => {
    expect(notBefore(policy, state, { nowMs: 0, delayMs }).nextMs).toBe(expected)
  })
})

import { describe, expect, test } from 'vitest'
import { fixedZone, localZone, parseZone, utcZone } from '../../../src/time/zones.ts'

describe('parseZone', () => {
  test.each([
    ['+09:00', 32_400],
    ['+0900', 32_400],
    ['+09', 32_400],
    ['-03:30', -12_600],
    ['UTC', 0],
    ['Z', 0],
    ['Asia/Tokyo', 32_400],
    ['America/Argentina/Buenos_Aires', -10_800],
    ['Etc/GMT+5', -18_000],
  ])('%s', (text, offset) => {
    expect(parseZone(text)?.(1_700_000_000).offsetSeconds).toBe(offset)
  })

  test.each(['Mars/Base', 'JST', '', '+9', '+24:00', '+09:60', 'Asia', '../etc/passwd', 'a/b/c/d'])(
    'no zone: %j',
    (text) => {
      expect(parseZone(text)).toBeUndefined()
    },
  )
})

describe('a zone with daylight saving', () => {
  const zone = parseZone('America/New_York')!
  /** Clocks go back at 06:00 UTC. */
  const change = 1_699_164_000

  test('the offset changes at the second', () => {
    expect(zone(change - 1).offsetSeconds).toBe(-4 * 3600)
    expect(zone(change).offsetSeconds).toBe(-5 * 3600)
  })

  test('an interval never reaches over the change, and holds the moment asked for', () => {
    for (let second = change - 90_000; second < change + 90_000; second += 613) {
      const found = zone(second)
      expect(found.from).toBeLessThanOrEqual(second)
      expect(found.until).toBeGreaterThan(second)
      expect(found.from >= change || found.until <= change).toBe(true)
    }
  })

  test('moments that no calendar has', () => {
    for (const second of [-9e15, -1e12, 1e12, 9e15]) {
      expect(Math.abs(zone(second).offsetSeconds)).toBeLessThan(86_400)
    }
  })
})

test('local time is asked from the clock, and not again for the same day', () => {
  let asked = 0
  const zone = localZone({
    localOffsetSeconds() {
      asked++
      return 7200
    },
  })
  expect(zone(1_700_000_000).offsetSeconds).toBe(7200)
  const once = asked
  expect(zone(1_700_000_001)).toMatchObject({ offsetSeconds: 7200 })
  expect(asked).toBe(once)
})

test('UTC has a name, an offset has none', () => {
  expect(utcZone(0).name).toBe('UTC')
  expect(fixedZone(0)(0).name ?? '').toBe('')
})

import { describe, expect, test } from 'vitest'
import { compileStrptime } from '../../../src/time/strptime.ts'
import { fixedZone, parseZone, utcZone } from '../../../src/time/zones.ts'

const now = Date.parse('2023-11-14T22:13:20Z') / 1000

/** The time as ISO 8601 in UTC with nanoseconds, or undefined. */
function read(format: string, text: string, zone = utcZone): string | undefined {
  const time = compileStrptime(format, { zone, nowSeconds: () => now })?.(text)
  if (time === undefined) return undefined
  const date = new Date(time.seconds * 1000).toISOString().slice(0, 19)
  return time.nanoseconds === undefined || time.nanoseconds === 0
    ? date
    : `${date}.${String(time.nanoseconds).padStart(9, '0')}`
}

describe('strptime', () => {
  test.each([
    ['%d/%b/%Y:%H:%M:%S %z', '10/Oct/2000:13:55:36 -0700', '2000-10-10T20:55:36'],
    ['%Y-%m-%dT%H:%M:%S.%NZ', '2021-02-03T04:05:06.789Z', '2021-02-03T04:05:06.789000000'],
    ['%Y-%m-%dT%H:%M:%S.%L%z', '2021-02-03T04:05:06.7+0100', '2021-02-03T03:05:06.700000000'],
    [
      '%Y-%m-%d %H:%M:%S.%N %z',
      '2021-02-03 04:05:06.123456789123 -0530',
      '2021-02-03T09:35:06.123456789',
    ],
    ['%b %e %y %I:%M:%S %p', 'Feb  3 21 04:05:06 PM', '2021-02-03T16:05:06'],
    ['%b %e %y %I:%M:%S %p', 'Feb 03 21 04:05:06 am', '2021-02-03T04:05:06'],
    ['%b %e %y %I %p', 'feb 3 70 12 AM', '1970-02-03T00:00:00'],
    ['%b %d %H:%M:%S', 'Nov 14 01:02:03', '2023-11-14T01:02:03'],
    ['%B %d', 'december 3', '2023-12-03T00:00:00'],
    ['%H:%M', '07:08', '2023-11-14T07:08:00'],
    ['%Y%m%d%H%M%S', '20210203040506', '2021-02-03T04:05:06'],
    ['%Y-%j', '2024-060', '2024-02-29T00:00:00'],
    ['%s', '1600000000', '2020-09-13T12:26:40'],
    ['%s.%N', '1600000000.25', '2020-09-13T12:26:40.250000000'],
    ['%Q', '1600000000123', '2020-09-13T12:26:40.123000000'],
    ['%a, %d %b %Y %T %Z', 'Tue, 14 Nov 2023 22:13:20 GMT', '2023-11-14T22:13:20'],
    ['%F %T %Z', '2021-02-03 04:05:06 JST', '2021-02-02T19:05:06'],
    ['%F %T%z', '2021-02-03 04:05:06Z', '2021-02-03T04:05:06'],
    ['%D %R', '02/03/21 04:05', '2021-02-03T04:05:00'],
    ['%Y-%m-%d', '2021-02-30', '2021-03-02T00:00:00'],
    ['[%Y] (%m)', '[2021] (2) and more', '2021-02-01T00:00:00'],
    ['100%% %Y', '100% 2021', '2021-01-01T00:00:00'],
    ['%iso8601', '2021-02-03T04:05:06Z', '2021-02-03T04:05:06'],
    ['%iso8601', '2021-02-03T04:05:06.789+09:00', '2021-02-02T19:05:06.789000000'],
    ['%iso8601', ' 2021-02-03t04:05:06 ', '2021-02-03T04:05:06'],
  ])('%s reads %s', (format, text, expected) => {
    expect(read(format, text)).toBe(expected)
  })

  test.each([
    ['%Y-%m-%d', '2021-13-01'],
    ['%Y-%m-%d', '2021-12-32'],
    ['%H:%M', '25:00'],
    ['%M', '60'],
    ['%I', '13'],
    ['%Y', 'nope'],
    ['%Y', ''],
    ['%b', 'Foo'],
    ['%z', 'QQQ'],
    ['%z', 'constructor'],
    ['%p', 'xm'],
    ['a.c', 'abc'],
    ['%iso8601', '2021-02-03'],
    ['%iso8601', 'bad'],
    ['%N', `1${'0'.repeat(10_000)}`],
  ])('%s does not read %s', (format, text) => {
    expect(read(format, text)).toBeUndefined()
  })

  test('a directive that nobody knows reads nothing', () => {
    expect(compileStrptime('%Y %K', { zone: utcZone })).toBeUndefined()
  })

  test('times without a zone are those of the zone given, before and after the clocks change', () => {
    const newYork = parseZone('America/New_York')!
    expect(read('%F %T', '2021-02-03 04:05:06', newYork)).toBe('2021-02-03T09:05:06')
    expect(read('%F %T', '2021-07-03 04:05:06', newYork)).toBe('2021-07-03T08:05:06')
    expect(read('%F %T', '2021-03-14 03:00:00', newYork)).toBe('2021-03-14T07:00:00')
    expect(read('%F %T', '2021-02-03 04:05:06', fixedZone(19_800))).toBe('2021-02-02T22:35:06')
  })

  test('times that an EventTime cannot hold stay integers', () => {
    const reader = compileStrptime('%F %T.%N', { zone: utcZone })!
    expect(reader('1969-12-31 23:59:59.5')).toMatchObject({ seconds: -1, nanoseconds: undefined })
    expect(reader('2200-01-01 00:00:00.5')).toMatchObject({ nanoseconds: undefined })
  })
})

import { describe, expect, test } from 'vitest'
import { civilFromSeconds, daysFromCivil, isoWeek } from '../../../src/time/civil.ts'
import { formatTime } from '../../../src/time/format-time.ts'
import { compileStrftime } from '../../../src/time/strftime.ts'
import { fixedZone, utcZone } from '../../../src/time/zones.ts'

/** 2023-11-14 22:13:20.123456789 UTC, a Tuesday. */
const seconds = 1_700_000_000
const nanoseconds = 123_456_789

function utc(format: string, at = seconds): string {
  return formatTime(compileStrftime(format), utcZone, at, nanoseconds)
}

describe('strftime', () => {
  // The expectations marked with a case are Fluentd's own output (test/golden, c-strftime-*).
  test.each([
    ['%Y-%m-%dT%H:%M:%S.%N%z', '2023-11-14T22:13:20.123456789+0000'],
    ['%L|%3N|%6N|%9N|%1N', '123|123|123456|123456789|1'],
    ['%e|%k|%l|%I|%p|%P', '14|22|10|10|PM|pm'],
    ['%j|%U|%W|%V|%G|%u|%w', '318|46|46|46|2023|2|2'],
    ['%a %A %b %B %h', 'Tue Tuesday Nov November Nov'],
    ['%C|%y|%D|%F|%T|%R|%r', '20|23|11/14/23|2023-11-14|22:13:20|22:13|10:13:20 PM'],
    ['%s|%:z|%::z|%Z', '1700000000|+00:00|+00:00:00|UTC'],
    ['%c|%x|%X', 'Tue Nov 14 22:13:20 2023|11/14/23|22:13:20'],
    ['%-d|%-m|%_d|%03d|%^a|%^b|%#p', '14|11|14|014|TUE|NOV|pm'],
    ['%%|%n|%t|%q|%Q', '%|\n|\t|%q|%Q'],
    ['%10Y|%-H:%-M:%-S|%10N|%12N', '0000002023|22:13:20|1234567890|123456789000'],
    ['%v|%+', '14-NOV-2023|Tue Nov 14 22:13:20 UTC 2023'],
    ['%10A|%010a|%^c', '   Tuesday|0000000Tue|TUE NOV 14 22:13:20 2023'],
    ['plain %', 'plain %'],
    ['%Ey %Od %EZ', '23 14 %EZ'],
    ['', ''],
  ])('%s', (format, expected) => {
    expect(utc(format)).toBe(expected)
  })

  test('before the year 1000, and before the year 0', () => {
    expect(utc('%Y-%m-%d %C %y', daysFromCivil(7, 3, 1) * 86_400)).toBe('0007-03-01 00 07')
    expect(utc('%Y %_5Y %C %y', daysFromCivil(-1, 3, 1) * 86_400)).toBe('-001    -1 -1 99')
  })

  test('offsets', () => {
    const zone = fixedZone(-(3 * 3600 + 30 * 60 + 15))
    const text = formatTime(compileStrftime('%z %:z %::z %:::z %_8z %-z'), zone, seconds, 0)
    expect(text).toBe('-0330 -03:30 -03:30:15 -03:30:15     -330 -330')
  })

  test('a width does not make megabytes', () => {
    expect(utc('%999999999Y')).toHaveLength(1024)
  })
})

describe('calendar', () => {
  test('days of 800 years are those of Date', () => {
    for (let day = daysFromCivil(1600, 1, 1); day < daysFromCivil(2400, 1, 1); day += 211) {
      const civil = civilFromSeconds(day * 86_400 + 3)
      const date = new Date(day * 86_400_000)
      expect([civil.year, civil.month, civil.day, civil.weekDay]).toEqual([
        date.getUTCFullYear(),
        date.getUTCMonth() + 1,
        date.getUTCDate(),
        date.getUTCDay(),
      ])
      expect(daysFromCivil(civil.year, civil.month, civil.day)).toBe(day)
      expect(civil.yearDay).toBe(day - daysFromCivil(civil.year, 1, 1))
    }
  })

  test.each([
    ['2021-01-03', 2020, 53],
    ['2021-01-04', 2021, 1],
    ['2024-12-30', 2025, 1],
    ['2026-12-31', 2026, 53],
    ['2027-01-01', 2026, 53],
  ])('ISO week of %s', (date, year, week) => {
    const seconds = Date.parse(`${date}T00:00:00Z`) / 1000
    expect(isoWeek(civilFromSeconds(seconds))).toEqual({ year, week })
  })
})

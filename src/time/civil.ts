/** Calendar arithmetic of the proleptic Gregorian calendar, exact for all safe integers of seconds. */

/** A moment broken down in some zone. */
export interface Civil {
  readonly year: number
  /** 1 to 12. */
  readonly month: number
  readonly day: number
  readonly hour: number
  readonly minute: number
  readonly second: number
  /** 0: Sunday. */
  readonly weekDay: number
  /** 0: the first of January. */
  readonly yearDay: number
}

/** Quotient rounded down; exact where `a / b` itself would be rounded up to the next whole number. */
export function floorDiv(a: number, b: number): number {
  const quotient = Math.floor(a / b)
  const rest = a - quotient * b
  return rest < 0 ? quotient - 1 : rest >= b ? quotient + 1 : quotient
}

export function isLeapYear(year: number): boolean {
  return year % 4 === 0 && (year % 100 !== 0 || year % 400 === 0)
}

/** Days from 1970-01-01 to a date; the day may lie outside its month. */
export function daysFromCivil(year: number, month: number, day: number): number {
  const shifted = month <= 2 ? year - 1 : year
  const era = floorDiv(shifted, 400)
  const yearOfEra = shifted - era * 400
  const fromMarch = Math.floor((153 * (month > 2 ? month - 3 : month + 9) + 2) / 5) + day - 1
  const dayOfEra = yearOfEra * 365 + Math.floor(yearOfEra / 4) - Math.floor(yearOfEra / 100)
  return era * 146_097 + dayOfEra + fromMarch - 719_468
}

/** Breaks seconds since 1970, already shifted by the zone's offset, down. Years count from March inside. */
export function civilFromSeconds(localSeconds: number): Civil {
  const days = floorDiv(localSeconds, 86_400)
  const secondOfDay = localSeconds - days * 86_400
  const shifted = days + 719_468
  const era = floorDiv(shifted, 146_097)
  const dayOfEra = shifted - era * 146_097
  const yearOfEra = Math.floor(
    (dayOfEra -
      Math.floor(dayOfEra / 1_460) +
      Math.floor(dayOfEra / 36_524) -
      Math.floor(dayOfEra / 146_096)) /
      365,
  )
  const fromMarch =
    dayOfEra - (365 * yearOfEra + Math.floor(yearOfEra / 4) - Math.floor(yearOfEra / 100))
  const monthFromMarch = Math.floor((5 * fromMarch + 2) / 153)
  const month = monthFromMarch < 10 ? monthFromMarch + 3 : monthFromMarch - 9
  const year = yearOfEra + era * 400 + (month <= 2 ? 1 : 0)
  return {
    year,
    month,
    day: fromMarch - Math.floor((153 * monthFromMarch + 2) / 5) + 1,
    hour: Math.floor(secondOfDay / 3600),
    minute: Math.floor(secondOfDay / 60) % 60,
    second: secondOfDay % 60,
    weekDay: (((days + 4) % 7) + 7) % 7,
    yearDay: month > 2 ? fromMarch + 59 + (isLeapYear(year) ? 1 : 0) : fromMarch - 306,
  }
}

/** ISO 8601 week and the year it belongs to: week 1 has the year's first Thursday. */
export function isoWeek(civil: Civil): { year: number; week: number } {
  const week = Math.floor((civil.yearDay - ((civil.weekDay + 6) % 7) + 10) / 7)
  if (week < 1) return { year: civil.year - 1, week: isoWeeksOf(civil.year - 1) }
  if (week > isoWeeksOf(civil.year)) return { year: civil.year + 1, week: 1 }
  return { year: civil.year, week }
}

function isoWeeksOf(year: number): number {
  const firstWeekDay = (((daysFromCivil(year, 1, 1) + 4) % 7) + 7) % 7
  return firstWeekDay === 4 || (firstWeekDay === 3 && isLeapYear(year)) ? 53 : 52
}

import type { Zone } from '../kernel/types.ts'
import { type Civil, civilFromSeconds, floorDiv, isoWeek } from './civil.ts'
import type { NumberField, TimeStep } from './strftime.ts'

export const dayNames = [
  'Sunday',
  'Monday',
  'Tuesday',
  'Wednesday',
  'Thursday',
  'Friday',
  'Saturday',
] as const

export const monthNames = [
  'January',
  'February',
  'March',
  'April',
  'May',
  'June',
  'July',
  'August',
  'September',
  'October',
  'November',
  'December',
] as const

interface Moment {
  readonly seconds: number
  readonly nanoseconds: number
  readonly civil: Civil
  readonly offsetSeconds: number
  readonly zoneName: () => string
}

/** Seconds further away from 1970 are taken as this, so that a zone's offset can be added exactly. */
const farthest = 9e15

/** Text of a moment by a compiled format. `nanoseconds` are below a second's. */
export function formatTime(
  steps: readonly TimeStep[],
  zone: Zone,
  givenSeconds: number,
  nanoseconds: number,
): string {
  const seconds = Math.min(Math.max(givenSeconds, -farthest), farthest)
  const at = zone(seconds)
  return run(steps, {
    seconds,
    nanoseconds,
    civil: civilFromSeconds(seconds + at.offsetSeconds),
    offsetSeconds: at.offsetSeconds,
    zoneName: () => at.name ?? '',
  })
}

function run(steps: readonly TimeStep[], moment: Moment): string {
  let text = ''
  for (const step of steps) text += write(step, moment)
  return text
}

function write(step: TimeStep, moment: Moment): string {
  switch (step.kind) {
    case 'literal':
      return step.text
    case 'number':
      return padded(numberOf(step.field, moment), step.width, step.pad)
    case 'subsecond':
      return String(moment.nanoseconds)
        .padStart(9, '0')
        .slice(0, step.digits)
        .padEnd(step.digits, '0')
    case 'dayName':
      return cased(dayNames[moment.civil.weekDay]!, step)
    case 'monthName':
      return cased(monthNames[moment.civil.month - 1]!, step)
    case 'meridian': {
      const text = moment.civil.hour < 12 ? 'AM' : 'PM'
      return step.lower ? text.toLowerCase() : text
    }
    case 'offset':
      return offset(moment.offsetSeconds, step)
    case 'zone': {
      const name = moment.zoneName()
      if (step.change === '') return name
      return step.change === 'upper' ? name.toUpperCase() : name.toLowerCase()
    }
    case 'padded':
      return run(step.steps, moment).padStart(step.width, step.pad)
  }
}

function cased(name: string, step: { readonly full: boolean; readonly upper: boolean }): string {
  const text = step.full ? name : name.slice(0, 3)
  return step.upper ? text.toUpperCase() : text
}

function padded(value: number, width: number, pad: string): string {
  const digits = String(Math.abs(value))
  if (value >= 0) return pad === '' ? digits : digits.padStart(width, pad)
  if (pad === ' ') return `-${digits}`.padStart(width, ' ')
  return pad === '' ? `-${digits}` : `-${digits.padStart(width - 1, '0')}`
}

function offset(
  seconds: number,
  step: { readonly colons: number; readonly width: number; readonly pad: string },
): string {
  const sign = seconds < 0 ? '-' : '+'
  const far = Math.abs(seconds)
  const two = (value: number): string => String(value).padStart(2, '0')
  const minute = two(Math.floor(far / 60) % 60)
  const second = two(far % 60)
  let rest = ''
  if (step.colons === 0) rest = minute
  else if (step.colons === 1) rest = `:${minute}`
  else if (step.colons === 2) rest = `:${minute}:${second}`
  else if (second !== '00') rest = `:${minute}:${second}`
  else if (minute !== '00') rest = `:${minute}`
  const hour = String(Math.floor(far / 3600))
  const width = Math.max(step.width - rest.length - 1, 2)
  if (step.pad === '-') return `${sign}${hour}${rest}`
  if (step.pad === ' ') return `${sign}${hour}${rest}`.padStart(width + rest.length + 1, ' ')
  return `${sign}${hour.padStart(width, '0')}${rest}`
}

function numberOf(field: NumberField, moment: Moment): number {
  const civil = moment.civil
  switch (field) {
    case '':
      return 0
    case 'hour12':
      return civil.hour % 12 === 0 ? 12 : civil.hour % 12
    case 'yearDay':
      return civil.yearDay + 1
    case 'century':
      return floorDiv(civil.year, 100)
    case 'yearOfCentury':
      return civil.year - floorDiv(civil.year, 100) * 100
    case 'weekFromSunday':
      return Math.floor((civil.yearDay + 7 - civil.weekDay) / 7)
    case 'weekFromMonday':
      return Math.floor((civil.yearDay + 7 - ((civil.weekDay + 6) % 7)) / 7)
    case 'isoWeek':
      return isoWeek(civil).week
    case 'isoYear':
      return isoWeek(civil).year
    case 'isoYearOfCentury':
      return isoWeek(civil).year - floorDiv(isoWeek(civil).year, 100) * 100
    case 'weekDayFromMonday':
      return civil.weekDay === 0 ? 7 : civil.weekDay
    case 'epoch':
      return moment.seconds
    default:
      return civil[field]
  }
}

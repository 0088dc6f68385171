import { array, bool, enumeration, string } from '../config/schema.ts'

/** The parameters that every formatter has, used or not: those of the times it may write. */
export const timeParams = {
  time_type: enumeration(['string', 'unixtime', 'float', 'mixed'], {
    description: 'How the time is written: by time_format, as seconds, as seconds with a fraction.',
    default: 'string',
  }),
  time_format: string({
    description: "The time's form, as strftime has it. Without it: ISO 8601 to the second.",
  }),
  time_format_fallbacks: array({
    description: 'Means something to parsers only; accepted here as in Fluentd.',
    default: [],
  }),
  localtime: bool({ description: 'Write local time; false: UTC.', default: true }),
  utc: bool({ description: 'Write times in UTC; the opposite of localtime.', default: false }),
  timezone: string({ description: 'Write the time of this zone: +09:00, Asia/Tokyo.' }),
} as const

export const newlineParams = {
  newline: enumeration(['lf', 'crlf'], {
    description: 'The line end.',
    default: 'lf',
  }),
} as const

export const addNewlineParams = {
  ...newlineParams,
  add_newline: bool({ description: 'Write a line end behind each event.', default: true }),
} as const

export function newlineOf(params: {
  readonly newline: 'lf' | 'crlf'
  readonly addNewline?: boolean
}): string {
  if (params.addNewline === false) return ''
  return params.newline === 'crlf' ? '\r\n' : '\n'
}

import { civilFromSeconds } from '../../time/civil.ts'
import { parseZone, utcZone } from '../../time/zones.ts'
import { integerArgument, methodTable, textArgument } from './method-table.ts'
import { ExpressionError, float, type RubyValue, TimeValue } from './values.ts'

const time = (value: RubyValue) => value as TimeValue

const civil = (value: RubyValue) => {
  const { seconds, zone } = time(value)
  return civilFromSeconds(seconds + zone(seconds).offsetSeconds)
}

function inZone(on: RubyValue, [name]: readonly RubyValue[]): RubyValue {
  if (name === undefined) return on
  const zone = parseZone(textArgument(name))
  if (zone === undefined) throw new ExpressionError('"+HH:MM" or "-HH:MM" expected for utc_offset')
  return new TimeValue(time(on).seconds, time(on).nanoseconds, zone)
}

/** Ruby's xmlschema: UTC as Z. */
function iso8601(on: RubyValue, [digits]: readonly RubyValue[]): string {
  const places = Math.min(integerArgument(digits, 0), 9)
  const moment = time(on)
  const fraction = places > 0 ? `.%${places}N` : ''
  return moment.format(`%Y-%m-%dT%H:%M:%S${fraction}${moment.isUtc ? 'Z' : '%:z'}`)
}

/** `%w` and the like, as a number. */
const numbered = (format: string) => (on: RubyValue) => Number(time(on).format(format))

export const timeMethods = methodTable({
  'strftime/1': (on, [format]) => time(on).format(textArgument(format)),
  'iso8601,xmlschema/0-1': iso8601,
  'utc,gmtime,getutc,getgm/0': (on) =>
    new TimeValue(time(on).seconds, time(on).nanoseconds, utcZone),
  'localtime,getlocal/0-1': inZone,
  'to_i,tv_sec/0': (on) => time(on).seconds,
  'to_f/0': (on) => float(time(on).seconds + time(on).nanoseconds / 1e9),
  'to_r/0': (on) => float(time(on).seconds + time(on).nanoseconds / 1e9),
  'nsec,tv_nsec/0': (on) => time(on).nanoseconds,
  'usec,tv_usec/0': (on) => Math.floor(time(on).nanoseconds / 1000),
  'year/0': (on) => civil(on).year,
  'month,mon/0': (on) => civil(on).month,
  'day,mday/0': (on) => civil(on).day,
  'hour/0': (on) => civil(on).hour,
  'min/0': (on) => civil(on).minute,
  'sec/0': (on) => civil(on).second,
  'wday/0': numbered('%w'),
  'yday/0': numbered('%-j'),
  'utc_offset,gmt_offset/0': (on) => time(on).zone(time(on).seconds).offsetSeconds,
  'utc?/0': (on) => time(on).isUtc,
  'zone/0': (on) => time(on).format('%Z'),
})

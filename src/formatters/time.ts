import { isWritten, positionOf } from '../config/schema.ts'
import { ConfigError } from '../core/errors.ts'
import type { Clock } from '../core/host.ts'
import type { TimeFormat, Zone } from '../kernel/types.ts'
import { localZone, parseZone, utcZone } from '../time/zones.ts'

/** What the time parameters of <format> or <inject> say. */
export interface TimeValues {
  readonly timeFormat: string | undefined
  readonly localtime: boolean
  readonly utc: boolean
  readonly timezone: string | undefined
}

/**
 * The time of a formatter that has one. Throws ConfigError, also for a formatter that writes no time: Fluentd checks these
 * parameters everywhere.
 */
export function timeFormatFrom(
  params: TimeValues & {
    readonly timeType: 'string' | 'unixtime' | 'float' | 'mixed'
    readonly timeFormatFallbacks: readonly string[]
  },
  clock: Pick<Clock, 'localOffsetSeconds'>,
): TimeFormat {
  const zone = zoneFrom(params, clock)
  if (params.timeType === 'unixtime') return { kind: 'unixtime' }
  if (params.timeType === 'float') return { kind: 'float' }
  if (params.timeType === 'mixed') {
    if (params.timeFormat === undefined && params.timeFormatFallbacks.length === 0) {
      throw new ConfigError(
        'time_type is :mixed but time_format and time_format_fallbacks is empty.',
        { position: positionOf(params, 'timeType') },
      )
    }
    return { kind: 'float' }
  }
  return strftimeIn(params.timeFormat, zone)
}

/** By a format, or ISO 8601 to the second: there UTC itself is `Z`, and every other zone its offset. */
export function strftimeIn(
  format: string | undefined,
  zone: Zone,
): Extract<TimeFormat, { kind: 'strftime' }> {
  const iso8601 = `%Y-%m-%dT%H:%M:%S${zone === utcZone ? 'Z' : '%:z'}`
  return { kind: 'strftime', format: format ?? iso8601, zone }
}

/** `timezone`, UTC or local time. Throws ConfigError. */
export function zoneFrom(params: TimeValues, clock: Pick<Clock, 'localOffsetSeconds'>): Zone {
  const { timezone } = params
  if (
    isWritten(params, 'localtime') &&
    isWritten(params, 'utc') &&
    params.localtime === params.utc
  ) {
    throw new ConfigError('both of utc and localtime are specified, use only one of them', {
      position: positionOf(params, 'utc'),
    })
  }
  if (timezone !== undefined) {
    const zone = parseZone(timezone)
    if (zone !== undefined) return zone
    throw new ConfigError(`Unsupported timezone '${timezone}'`, {
      position: positionOf(params, 'timezone'),
      hint: 'zones are written as +09:00, +0900, +09 or Asia/Tokyo',
    })
  }
  return params.localtime && !params.utc ? localZone(clock) : utcZone
}

import { isWritten } from '../config/schema.ts'

/**
 * Bound parameters with `time_type string` where only a time_format is written: what it has in the plugins whose time_type is
 * a number otherwise. The same object where nothing is to be changed.
 */
export function withTextTime<P extends object | undefined>(params: P): P {
  if (params === undefined) return params
  if (!isWritten(params, 'timeFormat') || isWritten(params, 'timeType')) return params
  return Object.create(params, { timeType: { value: 'string', enumerable: true } })
}

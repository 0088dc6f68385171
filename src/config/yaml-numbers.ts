import { MsgFloat } from '../core/value.ts'
import type { ScalarValue } from './element.ts'

/** A number's text for a parameter: as written where that is plain. */
export function numberText(value: number, text: string): string {
  return /^-?(0|[1-9]\d*)(\.\d+)?$/.test(text) ? text : String(value)
}

/** A number as a record holds it: large integers exact, `1.0` a float. */
export function typedNumber(value: number, text: string): ScalarValue {
  if (!Number.isInteger(value)) return value
  if (/^[-+]?\d+$/.test(text) && !Number.isSafeInteger(value)) return BigInt(text)
  return /[.eE]/.test(text) && !/^0x/i.test(text) ? new MsgFloat(value) : value
}

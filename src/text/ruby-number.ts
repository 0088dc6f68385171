import { MsgFloat, type MsgValue } from '../core/value.ts'
import { fieldText } from './field-text.ts'
import { jsonFloat } from './json.ts'

/** As Ruby's to_i: the digits a text begins with, 0 if there are none; a float loses its fraction. */
export function toInteger(value: MsgValue): MsgValue {
  if (typeof value === 'bigint') return value
  if (typeof value === 'number' || value instanceof MsgFloat) {
    const number = value instanceof MsgFloat ? value.value : value
    return Number.isFinite(number) ? exactInteger(BigInt(Math.trunc(number))) : 0
  }
  const digits = /^\s*([+-]?)(\d+(?:_\d+)*)/.exec(fieldText(value).slice(0, longestNumber))
  if (digits === null) return 0
  const magnitude = BigInt((digits[2] as string).replaceAll('_', ''))
  return exactInteger(digits[1] === '-' ? -magnitude : magnitude)
}

/** Characters of a text that are looked at for a number. */
const longestNumber = 400

function exactInteger(value: bigint): MsgValue {
  if (Number.isSafeInteger(Number(value))) return Number(value)
  if (value >= -(2n ** 63n) && value < 2n ** 64n) return value
  return jsonFloat(Number(value))
}

/** As Ruby's to_f: the number a text begins with, 0.0 if there is none. */
export function toFloat(value: MsgValue): number {
  if (typeof value === 'number') return value
  if (typeof value === 'bigint') return Number(value)
  if (value instanceof MsgFloat) return value.value
  const text = fieldText(value).slice(0, longestNumber)
  const number = /^\s*[+-]?(?:\d+(?:_\d+)*(?:\.\d+(?:_\d+)*)?|\.\d+)(?:[eE][+-]?\d+)?/.exec(text)
  return number === null ? 0 : Number(number[0].replaceAll('_', ''))
}

/**
 * MessagePack values as filters and slow formatters see them, exact both ways: encode(decode(bytes)) gives a value
 * with the same meaning, for hostile bytes too.
 *
 * Records are Maps: no prototype to poison, insertion order kept for keys like "1", keys of any type. A repeated key
 * keeps its first place and takes its last value, as in Ruby.
 */
export type MsgValue =
  | null
  | boolean
  /** An integer in the safe range, or a float with a fraction, NaN or infinite. A whole float is a MsgFloat. */
  | number
  /** An integer outside the safe range, -2^63 to 2^64-1. */
  | bigint
  | string
  | MsgFloat
  | RawString
  | Uint8Array
  | EventTime
  | MsgExt
  | MsgValue[]
  | MsgMap

export type MsgMap = Map<MsgValue, MsgValue>

/** A float whose value is a whole number (3.0, -0.0, 1e300): kept apart from the integer 3. */
export class MsgFloat {
  readonly value: number
  constructor(value: number) {
    this.value = value
  }
}

/** A str whose bytes are not UTF-8: kept as they are. */
export class RawString {
  readonly bytes: Uint8Array
  constructor(bytes: Uint8Array) {
    this.bytes = bytes
  }
}

/** An extension type other than EventTime. */
export class MsgExt {
  readonly type: number
  readonly bytes: Uint8Array
  constructor(type: number, bytes: Uint8Array) {
    this.type = type
    this.bytes = bytes
  }
}

/**
 * A time: an integer number of seconds (`nanoseconds` undefined: it came, and goes out, as an integer) or Fluentd's
 * EventTime. Seconds are safe integers.
 */
export class EventTime {
  readonly seconds: number
  readonly nanoseconds: number | undefined
  constructor(seconds: number, nanoseconds: number | undefined) {
    this.seconds = seconds
    this.nanoseconds = nanoseconds
  }
}

import { EventTime, MsgExt, MsgFloat, type MsgValue, RawString } from '../core/value.ts'
import { encode } from '../msgpack/encode.ts'

/**
 * Acks of the forward protocol: `{"ack": <the value of option.chunk as it was sent>}`. The kernel
 * writes those of MessagePack connections itself, by the same rule.
 */

/** Whether a chunk option asks for an ack: any value does, except nil and false. */
export function wantsAck(chunk: MsgValue | undefined): chunk is MsgValue {
  return chunk !== undefined && chunk !== null && chunk !== false
}

export function packedAck(chunk: MsgValue): Uint8Array {
  return encode(new Map<MsgValue, MsgValue>([['ack', chunk]]))
}

/** For a JSON connection: no newline behind it, as Fluentd has it. */
export function jsonAck(chunk: MsgValue): string {
  return `{"ack":${jsonText(chunk)}}`
}

/** Only what came from JSON goes out by this: its depth was checked on the way in. */
function jsonText(value: MsgValue): string {
  if (typeof value === 'bigint') return value.toString()
  if (value instanceof MsgFloat) {
    return Object.is(value.value, -0) ? '-0.0' : `${value.value}${value.value < 1e21 ? '.0' : ''}`
  }
  if (Array.isArray(value)) return `[${value.map(jsonText).join(',')}]`
  if (value instanceof Map) {
    const pairs = [...value].map(([key, item]) => `${jsonText(key)}:${jsonText(item)}`)
    return `{${pairs.join(',')}}`
  }
  if (value instanceof RawString) return jsonText(Buffer.from(value.bytes).toString('utf8'))
  if (value instanceof Uint8Array || value instanceof MsgExt || value instanceof EventTime) {
    return 'null'
  }
  return JSON.stringify(value)
}

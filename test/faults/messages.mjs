// The few forms of MessagePack that clients here speak, byte by byte: what is sent on purpose wrong must not be put right.

export const bytes = (...parts) =>
  Buffer.concat(parts.map((part) => (typeof part === 'string' ? Buffer.from(part, 'hex') : part)))

export function u32(value) {
  const buffer = Buffer.alloc(4)
  buffer.writeUInt32BE(value)
  return buffer
}

export function str(text) {
  const body = typeof text === 'string' ? Buffer.from(text) : text
  if (body.length < 32) return bytes(Buffer.of(0xa0 | body.length), body)
  return bytes('db', u32(body.length), body)
}

export const bin = (body) => bytes('c6', u32(body.length), body)
export const int = (value) => bytes('ce', u32(value))

export function array(...items) {
  return bytes(
    items.length < 16 ? Buffer.of(0x90 | items.length) : bytes('dd', u32(items.length)),
    ...items,
  )
}

/** Pairs of encoded keys and values. */
export function map(...pairs) {
  const head = pairs.length < 16 ? Buffer.of(0x80 | pairs.length) : bytes('df', u32(pairs.length))
  return Buffer.concat([head, ...pairs.flat()])
}

/** Seconds, as EventTime. */
export const eventTime = (seconds) => bytes('d700', u32(seconds), u32(0))

export const paddingChars = 60
const padding = str('x'.repeat(paddingChars))

/** [time, {id, pad}] */
export function entry(id) {
  return array(eventTime(1_700_000_000), map([str('id'), int(id)], [str('pad'), padding]))
}

export const ackBytes = 30
const ackHead = 6

/** 24 characters. */
export const chunkOf = (message) => `faults-${String(message).padStart(17, '0')}`
export const messageOf = (ack) => Number(ack.toString('latin1', ackHead + 7, ackBytes))

/** A PackedForward message of `events` events from `firstId` on, whose ack is asked for. */
export function packedMessage({ tag, message, firstId, events }) {
  const entries = Array.from({ length: events }, (_, i) => entry(firstId + i))
  return array(str(tag), bin(bytes(...entries)), map([str('chunk'), str(chunkOf(message))]))
}

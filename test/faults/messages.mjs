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

/** Messages by tag and number of events, made once: what is sent again and again must cost less than taking it. */
const patterns = new Map()

function pattern(tag, events) {
  const key = `${events} ${tag}`
  const known = patterns.get(key)
  if (known !== undefined) return known
  const one = entry(0)
  const entries = Buffer.concat(Array.from({ length: events }, () => one))
  const option = map([str('chunk'), str(chunkOf(0))])
  const all = array(str(tag), bin(entries), option)
  const firstEntry = all.length - option.length - entries.length
  const made = {
    all,
    // The number ends its own pair: what follows it is the pair of the padding.
    idAt: firstEntry + one.indexOf(int(0)) + 1,
    step: one.length,
    chunkAt: all.length - chunkOf(0).length,
  }
  patterns.set(key, made)
  return made
}

/** A PackedForward message of `events` events from `firstId` on, whose ack is asked for. */
export function packedMessage({ tag, message, firstId, events }) {
  const { all, idAt, step, chunkAt } = pattern(tag, events)
  const made = Buffer.from(all)
  for (let i = 0; i < events; i += 1) made.writeUInt32BE(firstId + i, idAt + i * step)
  made.latin1Write(chunkOf(message), chunkAt)
  return made
}

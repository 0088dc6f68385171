// Pre-encoded messages as a Docker host would send them, each event with an id of its own so that the sink
// can tell whether all of them arrived, once.
import zlib from 'node:zlib'

const header = (tag, extra) => Buffer.concat([extra, str(tag)])
const str = (text) => {
  const bytes = Buffer.from(text)
  if (bytes.length < 32) return Buffer.concat([Buffer.from([0xa0 | bytes.length]), bytes])
  if (bytes.length < 256) return Buffer.concat([Buffer.from([0xd9, bytes.length]), bytes])
  const head = Buffer.alloc(3)
  head[0] = 0xda
  head.writeUInt16BE(bytes.length, 1)
  return Buffer.concat([head, bytes])
}

/** A Docker-like record of about 250 bytes packed, with its time: EventTime, as with sub-second precision. */
function timeAndRecord(id) {
  const time = Buffer.alloc(10)
  time[0] = 0xd7
  time.writeUInt32BE(1_700_000_000 + (id >>> 12), 2)
  time.writeUInt32BE((id & 4095) * 244_140, 6)
  const log = `id=${String(id).padStart(8, '0')} GET /api/v1/items/${id % 977} 200 12ms "Mozilla/5.0 (X11; Linux x86_64)" request served from cache`
  return Buffer.concat([
    time,
    Buffer.from([0x84]),
    str('container_id'),
    str('7c4b9a2f81d3e6504f1a9b8c7d6e5f40312233445566778899aabbccddeeff00'),
    str('container_name'),
    str('/web-frontend-1'),
    str('source'),
    str('stdout'),
    str('log'),
    str(log),
  ])
}

const bin32 = (bytes) => {
  const head = Buffer.alloc(5)
  head[0] = 0xc6
  head.writeUInt32BE(bytes.length, 1)
  return Buffer.concat([head, bytes])
}
const array = (count) => {
  const head = Buffer.alloc(3)
  head[0] = 0xdc
  head.writeUInt16BE(count, 1)
  return head
}
const option = (fields) =>
  Buffer.concat([
    Buffer.from([0x80 | Object.keys(fields).length]),
    ...Object.entries(fields).flatMap(([k, v]) => [str(k), str(v)]),
  ])

/** The modes of the forward protocol that the cells are named after. */
export const modes = ['message', 'forward', 'packed', 'gzip']

/**
 * `messages` wire messages with `batch` events each (message mode: `batch` messages of one event are one piece),
 * ids from 0 on. With `ack`, every message carries a chunk id.
 * Returns {pieces: [{bytes, events, acks}], events}.
 */
export function pieces({ mode, messages, batch, ack, tag = 'docker.bench' }) {
  const out = []
  let id = 0
  for (let m = 0; m < messages; m++) {
    const entries = []
    for (let i = 0; i < batch; i++) entries.push(timeAndRecord(id++))
    const chunk = ack ? { chunk: `chunk-${String(m).padStart(18, '0')}` } : {}
    if (mode === 'message') {
      const each = entries.map((entry, i) =>
        Buffer.concat([
          header(tag, Buffer.from([0x94])),
          entry,
          option(ack ? { chunk: `chunk-${String(id - batch + i).padStart(18, '0')}` } : {}),
        ]),
      )
      if (ack) for (const bytes of each) out.push({ bytes, events: 1, acks: 1 })
      else out.push({ bytes: Buffer.concat(each), events: batch, acks: 0 })
      continue
    }
    const packed = entries.map((entry) => Buffer.concat([Buffer.from([0x92]), entry]))
    const body =
      mode === 'forward'
        ? Buffer.concat([array(batch), ...packed])
        : bin32(mode === 'gzip' ? zlib.gzipSync(Buffer.concat(packed)) : Buffer.concat(packed))
    const options = mode === 'gzip' ? { compressed: 'gzip', ...chunk } : chunk
    out.push({
      bytes: Buffer.concat([header(tag, Buffer.from([0x93])), body, option(options)]),
      events: batch,
      acks: ack ? 1 : 0,
    })
  }
  return { pieces: out, events: id }
}

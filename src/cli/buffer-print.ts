import { decodeExtent } from '../buffer/decode.ts'
import { readExtent } from '../buffer/file-store-verify.ts'
import { metaLimitBytes } from '../buffer/meta.ts'
import type { Disk, FileHandle } from '../core/host.ts'
import { EventTime, MsgExt, MsgFloat, type MsgValue, RawString } from '../core/value.ts'
import { Reader } from '../msgpack/decode.ts'
import { MsgpackError } from '../msgpack/walk.ts'
import type { FoundChunk } from './buffer-scan.ts'

/** How chunks look to people, and to programs. What is in them is anybody's: nothing of it reaches a terminal as it is. */

/** As much of a chunk as `inspect` reads for its first events. */
const shownBytes = 4 * metaLimitBytes
const columnLimit = 60

export function asJson(chunk: FoundChunk, events?: readonly string[]): string {
  const { timekey, tag, variables } = chunk.metadata ?? {}
  return JSON.stringify({
    state: chunk.state,
    output: chunk.output ?? null,
    id: chunk.id,
    path: chunk.path,
    events: chunk.events,
    bytes: chunk.bytes,
    since: new Date(chunk.createdMs).toISOString(),
    changed: new Date(chunk.modifiedMs).toISOString(),
    tag: tag ?? null,
    timekey: timekey ?? null,
    variables: variables ?? null,
    reason: chunk.reason ?? null,
    ...(events === undefined ? {} : { first: events }),
  })
}

/** A table, and below it what it comes to. */
export function asTable(chunks: readonly FoundChunk[]): string {
  const head = ['STATE', 'OUTPUT', 'ID', 'EVENTS', 'BYTES', 'SINCE', 'KEYS', 'REASON']
  const rows = chunks.map((chunk) => [
    chunk.state,
    chunk.output ?? '-',
    chunk.id,
    String(chunk.events),
    String(chunk.bytes),
    `${new Date(chunk.createdMs).toISOString().slice(0, 19)}Z`,
    keysOf(chunk),
    chunk.reason ?? '-',
  ])
  const lines = [head, ...rows.map((row) => row.map((text) => short(printable(text))))]
  const widths = head.map((_, i) => Math.max(...lines.map((line) => (line[i] as string).length)))
  const table = lines.map((line) =>
    line
      .map((text, i) => (i === line.length - 1 ? text : text.padEnd(widths[i] as number)))
      .join('  ')
      .trimEnd(),
  )
  const events = chunks.reduce((sum, chunk) => sum + chunk.events, 0)
  const bytes = chunks.reduce((sum, chunk) => sum + chunk.bytes, 0)
  return [...table, `${chunks.length} chunks, ${events} events, ${bytes} bytes`].join('\n')
}

/** All that is known of one chunk, a line each. */
export function asLines(chunk: FoundChunk, events: readonly string[]): string {
  const facts = [
    ['chunk', chunk.id],
    ['state', chunk.state],
    ['output', chunk.output ?? 'not known'],
    ['path', chunk.path],
    ['events', String(chunk.events)],
    ['bytes', String(chunk.bytes)],
    ['format', chunk.codec === undefined ? chunk.format : `${chunk.format}, ${chunk.codec}`],
    ['since', new Date(chunk.createdMs).toISOString()],
    ['keys', keysOf(chunk)],
    ['reason', chunk.reason ?? '-'],
  ]
  const lines = facts.map(([name, value]) => `${name}: ${printable(value as string)}`)
  return [...lines, ...events.map((event) => `  ${event}`)].join('\n')
}

function keysOf({ metadata }: FoundChunk): string {
  if (metadata === undefined) return 'not known'
  const { timekey, tag, variables } = metadata
  const parts = [
    ...(tag === undefined ? [] : [`tag=${tag}`]),
    ...(timekey === undefined ? [] : [`time=${new Date(timekey * 1000).toISOString()}`]),
    ...Object.entries(variables ?? {}).map(([key, value]) => `${key}=${String(value)}`),
  ]
  return parts.length === 0 ? '-' : parts.join(' ')
}

/** The first events, as text without control characters. */
export async function firstEvents(disk: Disk, chunk: FoundChunk, count: number): Promise<string[]> {
  if (count === 0) return []
  const file = await disk.open(chunk.path, { read: true, noFollow: true })
  const pieces: Uint8Array[] = []
  try {
    let bytes = 0
    for await (const piece of plainPieces(file, chunk)) {
      pieces.push(Buffer.from(piece))
      bytes += piece.byteLength
      if (bytes >= shownBytes) break
    }
  } finally {
    await file.close()
  }
  const bytes = Buffer.concat(pieces)
  const texts = chunk.format === 'msgpack' ? values(bytes, count) : lines(bytes, count)
  return texts.map(printable)
}

function plainPieces(file: FileHandle, { codec, bytes }: FoundChunk): AsyncIterable<Uint8Array> {
  const extent = { start: 0, end: bytes }
  return codec === undefined ? readExtent(file, extent) : decodeExtent(file, codec, extent)
}

function lines(bytes: Buffer, count: number): string[] {
  const found: string[] = []
  for (let at = 0; at < bytes.length && found.length < count; ) {
    const next = bytes.indexOf(10, at)
    const end = next < 0 ? bytes.length : next
    found.push(bytes.toString('utf8', at, end))
    at = end + 1
  }
  return found
}

function values(bytes: Buffer, count: number): string[] {
  const reader = new Reader(bytes)
  const found: string[] = []
  try {
    while (reader.at < bytes.length && found.length < count) {
      found.push(JSON.stringify(plain(reader.value())))
    }
  } catch (error) {
    // The last one goes on behind what was read.
    if (!(error instanceof MsgpackError)) throw error
  }
  return found
}

function plain(value: MsgValue): unknown {
  if (typeof value === 'bigint') return String(value)
  if (value instanceof MsgFloat) return value.value
  if (value instanceof RawString) return Buffer.from(value.bytes).toString('utf8')
  if (value instanceof Uint8Array) return Buffer.from(value).toString('base64')
  if (value instanceof EventTime) return value.seconds + (value.nanoseconds ?? 0) / 1e9
  if (value instanceof MsgExt) return `ext ${value.type}`
  if (Array.isArray(value)) return value.map(plain)
  if (!(value instanceof Map)) return value
  const entries = [...value].map(([key, item]) => [
    typeof key === 'string' ? key : JSON.stringify(plain(key)),
    plain(item),
  ])
  return Object.fromEntries(entries)
}

/** Control characters, and what turns the direction of text round, become visible. */
export function printable(text: string): string {
  return text.replace(
    /[\p{Cc}\u200e\u200f\u2028-\u202e\u2066-\u2069]/gu,
    (char) => `\\u${char.charCodeAt(0).toString(16).padStart(4, '0')}`,
  )
}

function short(text: string): string {
  return text.length <= columnLimit ? text : `${text.slice(0, columnLimit - 1)}…`
}

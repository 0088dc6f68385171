import { crc32 } from 'node:zlib'

/**
 * Sums: what we write behind the map of a chunk's .meta file. See file-store.ts for the format and what it is for.
 */
export interface SumsRecord {
  /** The range of the chunk file that one commit wrote: whole events. */
  readonly start: number
  readonly end: number
  readonly events: number
  /** Events in the chunk up to `end`. */
  readonly total: number
  readonly crc: number
}

export const sumsMark = Buffer.from('SLC1')
/** Mark and CRC-32 of the map without `s` and `m`. */
export const sumsHeadBytes = 8
export const recordBytes = 28
const ownAt = recordBytes - 4

/** Binds records to their chunk: those of another do not pass as its own. */
export function sumsSeed(id: string): number {
  return crc32(Buffer.from(id, 'hex'))
}

export function encodeRecord(record: SumsRecord, seed: number): Uint8Array {
  const bytes = Buffer.allocUnsafe(recordBytes)
  bytes.writeUIntBE(record.end, 0, 6)
  bytes.writeUIntBE(record.total, 6, 6)
  bytes.writeUInt32BE(record.end - record.start, 12)
  bytes.writeUInt32BE(record.events, 16)
  bytes.writeUInt32BE(record.crc, 20)
  bytes.writeUInt32BE(crc32(bytes.subarray(0, ownAt), seed), ownAt)
  return bytes
}

/** undefined where the bytes are not what we wrote. */
export function decodeRecord(bytes: Buffer, at: number, seed: number): SumsRecord | undefined {
  if (at + recordBytes > bytes.length) return undefined
  const own = crc32(bytes.subarray(at, at + ownAt), seed)
  if (own !== bytes.readUInt32BE(at + ownAt)) return undefined
  const end = bytes.readUIntBE(at, 6)
  const length = bytes.readUInt32BE(at + 12)
  if (length > end) return undefined
  return {
    start: end - length,
    end,
    total: bytes.readUIntBE(at + 6, 6),
    events: bytes.readUInt32BE(at + 16),
    crc: bytes.readUInt32BE(at + 20),
  }
}

/** A part of the chunk file. `crc` undefined: no record says what it should be. */
export interface SumsRange {
  readonly start: number
  readonly end: number
  readonly events: number
  readonly crc: number | undefined
}

export interface SumsScan {
  /** Side by side, from 0 to `bytes`. */
  readonly ranges: readonly SumsRange[]
  /** What was committed. */
  readonly bytes: number
  readonly events: number
  /** Places of records up to the last one that stands for something. */
  readonly records: number
}

/**
 * What the records from `from` on say of a chunk file of `sizeBytes`. A place whose record cannot be read, with others
 * behind it or with all its bytes there, was damaged later: then the range it stood for is one without a CRC. A record
 * that is cut off, or whose range the file does not hold, was being written when the process ended: not committed.
 */
export function scanSums(
  bytes: Buffer,
  of: { readonly from: number; readonly id: string; readonly sizeBytes: number },
): SumsScan {
  const seed = sumsSeed(of.id)
  const ranges: SumsRange[] = []
  let end = 0
  let total = 0
  let records = 0
  let damaged = false
  const places = Math.max(0, Math.floor((bytes.length - of.from) / recordBytes))
  for (let place = 0; place < places; place += 1) {
    const record = decodeRecord(bytes, of.from + place * recordBytes, seed)
    if (record === undefined || record.start < end) {
      damaged = true
      continue
    }
    if (record.end > of.sizeBytes) {
      damaged = false
      break
    }
    if (record.start > end) {
      const events = Math.max(0, record.total - record.events - total)
      ranges.push({ start: end, end: record.start, events, crc: undefined })
    }
    ranges.push({ start: record.start, end: record.end, events: record.events, crc: record.crc })
    end = record.end
    total = record.total
    records = place + 1
    damaged = false
  }
  if (damaged && of.sizeBytes > end) {
    ranges.push({ start: end, end: of.sizeBytes, events: 0, crc: undefined })
    end = of.sizeBytes
    records = places
  }
  return { ranges, bytes: end, events: total, records }
}

/** The head that follows the map `meta`, whose bytes at `changing` (4 each) may change without it. */
export function encodeSumsHead(meta: Uint8Array, changing: readonly number[]): Uint8Array {
  const head = Buffer.alloc(sumsHeadBytes)
  sumsMark.copy(head)
  head.writeUInt32BE(crcWithout(meta, changing), 4)
  return head
}

export function crcWithout(meta: Uint8Array, changing: readonly number[]): number {
  const bytes = Buffer.from(meta)
  for (const at of changing) bytes.fill(0, at, at + 4)
  return crc32(bytes)
}

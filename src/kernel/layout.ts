/**
 * Where things lie in the kernel's memory. Its size is fixed at creation: nothing moves, so views of it stay
 * valid, and sockets read straight into it. Pages that are never touched cost no memory, so regions are generous.
 */
export interface Region {
  /** Offset of the first byte. A multiple of 64 KiB, except for the read area (which ends the headroom). */
  readonly at: number
  readonly bytes: number
}

export interface Layout {
  /** Of the scanner: its result, its stack, its copy of the tag. */
  readonly scanTables: Region
  /** Of the inflater: its result, decoding tables, tables and workspace of the checksum. */
  readonly inflateTables: Region
  /** `{"ack": chunk}` maps of the messages of one run. Never longer than the messages that asked for them. */
  readonly acks: Region
  /** u32 for each ack of a run: where its message's entry ends, in the run. A message with an ack has 12 bytes at least. */
  readonly ackEnds: Region
  /** Room in front of the read area for the head of an unfinished message; it ends where the read area starts. */
  readonly headroom: Region
  /** What sockets read into. */
  readonly readArea: Region
  /** Entries that could not be handed on in place. */
  readonly normalised: Region
  /** What came out of a compressed payload. Handed on from here, in place. */
  readonly inflated: Region
  readonly formatTables: Region
  /** Entries to be formatted that do not lie in this memory already. */
  readonly formatInput: Region
  readonly formatOutput: Region
  /** Of finding fields: keys, and rows of what was found. */
  readonly fieldTables: Region
  /** Of packing JSON: the key and the value of the time, and the places of keys. */
  readonly jsonTables: Region
  readonly jsonInput: Region
  readonly jsonOutput: Region
  /** Of the whole memory. */
  readonly pages: number
}

export interface LayoutSizes {
  /** Bytes of the read area; default `readAreaBytes`. Larger for one message that does not fit. */
  readonly bodyBytes?: number | undefined
  readonly inflatedBytes?: number | undefined
  readonly formatInputBytes?: number | undefined
  readonly formatOutputBytes?: number | undefined
}

export const pageBytes = 65_536

/** What one read from a socket can bring. */
export const readAreaBytes = 256 * 1024

/** The longest head of an unfinished message that is put in front of the next read; a longer one is kept apart. */
export const headroomBytes = 512 * 1024

/** After each region: SIMD loads and stores may touch this much beyond the end of what they are given. */
export const guardBytes = 64

/** Payloads of which more comes out are inflated elsewhere, in pieces. About a millisecond's work. */
export const inflatedBytes = 1024 * 1024

/** JSON texts that the kernel packs at most. */
export const jsonInputBytes = 64 * 1024

/**
 * What rewriting may add to the entries of a slice: `92 00 80` becomes 12 bytes when a zero time means now, and a slice
 * has 256 KiB, and one entry more, which is as long as what lies in one region at most.
 */
const growthBytes = 1024 * 1024 + pageBytes

/** In front of it all: the module's own constants (AssemblyScript's static data). */
const staticBytes = pageBytes
const scanTablesBytes = pageBytes
const inflateTablesBytes = pageBytes
const formatTablesBytes = 256 * 1024
const fieldTablesBytes = 256 * 1024
const jsonTablesBytes = pageBytes - guardBytes
/** A byte of JSON packs to two and a quarter at most: `1.5,` is nine. */
const jsonOutputBytes = 192 * 1024
const defaultFormatInputBytes = 512 * 1024
const defaultFormatOutputBytes = 1024 * 1024

/** Lays the regions out, each followed by at least `guardBytes` of its own. */
export function createLayout(sizes: LayoutSizes = {}): Layout {
  const bodyBytes = sizes.bodyBytes ?? readAreaBytes
  let at = staticBytes
  const take = (bytes: number): Region => {
    const region = { at, bytes }
    at += Math.ceil((bytes + guardBytes) / pageBytes) * pageBytes
    return region
  }
  const scanTables = take(scanTablesBytes - guardBytes)
  const inflateTables = take(inflateTablesBytes - guardBytes)
  const input = take(headroomBytes + bodyBytes)
  const acks = take(headroomBytes + bodyBytes)
  const ackEnds = take((headroomBytes + bodyBytes) / 2)
  const normalised = take(headroomBytes + bodyBytes + growthBytes)
  const inflated = take(sizes.inflatedBytes ?? inflatedBytes)
  const formatTables = take(formatTablesBytes)
  const formatInput = take(sizes.formatInputBytes ?? defaultFormatInputBytes)
  const formatOutput = take(sizes.formatOutputBytes ?? defaultFormatOutputBytes)
  const fieldTables = take(fieldTablesBytes)
  const jsonTables = take(jsonTablesBytes)
  const jsonInput = take(jsonInputBytes)
  const jsonOutput = take(jsonOutputBytes)
  return {
    scanTables,
    inflateTables,
    acks,
    ackEnds,
    headroom: { at: input.at, bytes: headroomBytes },
    readArea: { at: input.at + headroomBytes, bytes: bodyBytes },
    normalised,
    inflated,
    formatTables,
    formatInput,
    formatOutput,
    fieldTables,
    jsonTables,
    jsonInput,
    jsonOutput,
    pages: at / pageBytes,
  }
}

import { MsgpackError, skipValue } from '../msgpack/walk.ts'

/** Counts the events in what a formatter made, which comes in pieces. */
export interface ContentCounter {
  readonly format: 'msgpack' | 'text'
  /** Pieces may be of any size, and are not kept. */
  push(piece: Uint8Array): void
  /** Of all pieces. Up to the end of the last whole value or line; text without a single newline is one event. */
  result(): { readonly bytes: number; readonly events: number }
}

export function createCounter(format: 'msgpack' | 'text'): ContentCounter {
  return format === 'msgpack' ? countValues() : countLines()
}

/**
 * Packed entries are arrays, records by themselves maps: heads that no UTF-8 text begins with, but for 0xdc to 0xdf, which
 * are rare there.
 */
export function guessFormat(first: number | undefined): 'msgpack' | 'text' {
  if (first === undefined) return 'text'
  return (first >= 0x80 && first < 0xa0) || (first >= 0xdc && first < 0xe0) ? 'msgpack' : 'text'
}

function countLines(): ContentCounter {
  let at = 0
  let lines = 0
  let end = 0
  return {
    format: 'text',
    push(piece) {
      for (let next = piece.indexOf(10); next >= 0; next = piece.indexOf(10, next + 1)) {
        lines += 1
        end = at + next + 1
      }
      at += piece.byteLength
    },
    result: () => (lines === 0 ? { bytes: at, events: 1 } : { bytes: end, events: lines }),
  }
}

/** Values may be of any size: what is cut off is tried again when there is twice as much of it. */
function countValues(): ContentCounter {
  let kept = Buffer.alloc(0)
  /** Of `kept`, what is used. */
  let used = 0
  let triedBytes = 0
  let bytes = 0
  let events = 0
  let broken = false

  function walkKept(): void {
    const walked = walk(kept.subarray(0, used))
    bytes += walked.bytes
    events += walked.events
    broken = walked.broken
    kept.copyWithin(0, walked.bytes, used)
    used -= walked.bytes
    triedBytes = used
  }

  return {
    format: 'msgpack',
    push(piece) {
      if (broken) return
      if (used + piece.byteLength > kept.length) {
        const larger = Buffer.allocUnsafeSlow(2 * (used + piece.byteLength))
        kept.copy(larger, 0, 0, used)
        kept = larger
      }
      kept.set(piece, used)
      used += piece.byteLength
      if (used >= 2 * triedBytes) walkKept()
    },
    result() {
      if (!broken && used > triedBytes) walkKept()
      return { bytes, events }
    },
  }
}

function walk(bytes: Uint8Array): { bytes: number; events: number; broken: boolean } {
  let at = 0
  let events = 0
  try {
    while (at < bytes.length) {
      at = skipValue(bytes, at)
      events += 1
    }
  } catch (error) {
    // A value that is cut off may go on; one that is none is where the whole ones end.
    if (!(error instanceof MsgpackError)) throw error
    return { bytes: at, events, broken: error.code !== 'truncated' }
  }
  return { bytes: at, events, broken: false }
}

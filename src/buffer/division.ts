import { createHash } from 'node:crypto'
import { PermanentError } from '../core/errors.ts'
import type { Chunk, EventEnd, Sink, WriteResult } from '../core/output.ts'
import { MsgpackError, skipValue } from '../msgpack/walk.ts'
import type { Held } from './held.ts'

/**
 * A chunk that a sink refused for some of its events, or for its size: it is written again in halves, and halves of those
 * that are refused, in order, until the events that are refused stand alone. What was found out is kept while the chunk
 * waits for a retry. Limits bound the requests that are spent on it.
 */

/** Requests that were refused, for one chunk; then what is left undivided is taken as refused. */
export const refusalsLimit = 256
/** The same without one that was taken in between: then it is not some events, it is all of them. */
export const refusalsInARowLimit = 32

/** Events, by number; `to` is the first one behind. */
interface Range {
  readonly from: number
  readonly to: number
}

/** Events that were refused together, `bytes` of them. */
export interface Refusal {
  readonly events: number
  readonly bytes: number
  readonly code: string
  readonly reason: string
}

type Refused = Range & { readonly error: PermanentError }

export class Division {
  readonly #chunk: Chunk
  /** Where each event ends. */
  readonly #ends: readonly number[]
  /** What nobody has decided on yet; the next one is the last. */
  readonly #left: Range[]
  readonly #refused: Refused[] = []
  #refusals = 0
  #inARow = 0
  #tooLargeBytes = Number.POSITIVE_INFINITY
  /** Events that the sink took. */
  delivered = 0
  /** Of those, events that it took and gave up (WriteResult.refused). */
  lost: WriteResult['refused']

  private constructor(chunk: Chunk, ends: readonly number[], error: PermanentError) {
    this.#chunk = chunk
    this.#ends = ends
    this.#left = [{ from: 0, to: ends.length }]
    this.#refuse(error)
  }

  /** undefined where the chunk cannot be divided, or that would not help. Rejects as the chunk's `read` does. */
  static async of(
    chunk: Chunk,
    eventEnd: EventEnd | undefined,
    error: unknown,
  ): Promise<Division | undefined> {
    if (eventEnd === undefined || chunk.count < 2) return undefined
    if (!(error instanceof PermanentError) || error.because === 'chunk') return undefined
    const ends = eventEnds(await chunk.read(), eventEnd)
    // Some event has its end mark inside as well: nobody knows where to cut.
    if (ends.length !== chunk.count || ends.at(-1) !== chunk.sizeBytes) return undefined
    return new Division(chunk, ends, error)
  }

  get refusedEvents(): number {
    return this.#refused.reduce((sum, range) => sum + range.to - range.from, 0)
  }

  /** Of the first events that were refused. */
  get error(): PermanentError | undefined {
    return this.#refused[0]?.error
  }

  refusals(): readonly Refusal[] {
    return this.#refused.map((range) => ({
      events: range.to - range.from,
      bytes: this.#bytesOf(range),
      code: range.error.code,
      reason: range.error.message,
    }))
  }

  /** Writes what is left. Resolves when all of it was taken or refused; rejects where it is to be tried again. */
  async run(write: (part: Chunk) => ReturnType<Sink['write']>): Promise<void> {
    const pieces = await this.#chunk.read()
    for (let part = this.#left.at(-1); part !== undefined; part = this.#left.at(-1)) {
      if (part.to - part.from > 1 && this.#bytesOf(part) >= this.#tooLargeBytes) {
        this.#halve()
        continue
      }
      try {
        const result = await write(this.#partOf([part], pieces))
        this.#left.pop()
        this.#inARow = 0
        this.delivered += part.to - part.from
        this.#lose(result?.refused)
      } catch (error) {
        if (!(error instanceof PermanentError)) throw error
        this.#refuse(error)
      }
    }
  }

  /** All that the sink did not take, in order. */
  async remainder(): Promise<Chunk> {
    const ranges = [...this.#refused, ...[...this.#left].reverse()]
    return this.#partOf(ranges, await this.#chunk.read(), this.#chunk.id)
  }

  #lose(refused: WriteResult['refused']): void {
    if (refused === undefined) return
    this.lost = { reason: refused.reason, events: (this.lost?.events ?? 0) + refused.events }
  }

  #refuse(error: PermanentError): void {
    this.#refusals += 1
    this.#inARow += 1
    const part = this.#left.at(-1) as Range
    if (error.because === 'size') {
      this.#tooLargeBytes = Math.min(this.#tooLargeBytes, this.#bytesOf(part))
    }
    const hopeless = this.#refusals >= refusalsLimit || this.#inARow >= refusalsInARowLimit
    if (error.because === 'chunk' || hopeless) {
      for (let one = this.#left.pop(); one !== undefined; one = this.#left.pop()) {
        this.#refused.push({ ...one, error })
      }
    } else if (part.to - part.from === 1) {
      this.#left.pop()
      this.#refused.push({ ...part, error })
    } else this.#halve()
  }

  #halve(): void {
    const { from, to } = this.#left.pop() as Range
    const middle = Math.floor((from + to) / 2)
    this.#left.push({ from: middle, to }, { from, to: middle })
  }

  #startOf(event: number): number {
    return event === 0 ? 0 : (this.#ends[event - 1] as number)
  }

  #bytesOf({ from, to }: Range): number {
    return this.#startOf(to) - this.#startOf(from)
  }

  #partOf(ranges: readonly Range[], pieces: readonly Uint8Array[], id?: string): Chunk {
    const extents = ranges.map((range) => ({
      start: this.#startOf(range.from),
      end: this.#startOf(range.to),
    }))
    const name = extents.map(({ start, end }) => `${start}-${end}`).join(' ')
    const { metadata, createdMs, modifiedMs } = this.#chunk
    return {
      // The same part has the same id at each attempt, as a chunk has.
      id: id ?? createHash('sha256').update(`${this.#chunk.id} ${name}`).digest('hex').slice(0, 32),
      metadata,
      createdMs,
      modifiedMs,
      sizeBytes: extents.reduce((sum, { start, end }) => sum + end - start, 0),
      count: ranges.reduce((sum, { from, to }) => sum + to - from, 0),
      read: async () => extents.flatMap((extent) => cut(pieces, extent)),
    }
  }
}

/**
 * Writes a chunk, in parts where its sink has refused some of its events. Rejects with PermanentError also where others were
 * delivered: `held.division` has which. `asked`: called for each part.
 */
export async function writeDivided(
  held: Held,
  sink: Sink,
  { signal, asked }: { signal: AbortSignal; asked: () => void },
): Promise<WriteResult | undefined> {
  if (held.division === undefined) {
    try {
      return (await sink.write(held.stored, signal)) ?? undefined
    } catch (error) {
      held.division = await Division.of(held.stored, sink.eventEnd, error)
      if (held.division === undefined) throw error
    }
  }
  await held.division.run((part) => {
    asked()
    return sink.write(part, signal)
  })
  if (held.division.error !== undefined) throw held.division.error
  return undefined
}

function cut(
  pieces: readonly Uint8Array[],
  { start, end }: { start: number; end: number },
): Uint8Array[] {
  const parts: Uint8Array[] = []
  let at = 0
  for (const piece of pieces) {
    if (at >= end) break
    const next = at + piece.byteLength
    if (next > start) parts.push(piece.subarray(Math.max(0, start - at), end - at))
    at = next
  }
  return parts
}

function eventEnds(pieces: readonly Uint8Array[], eventEnd: EventEnd): readonly number[] {
  return eventEnd === 'msgpack' ? valueEnds(pieces) : markEnds(pieces, eventEnd.length)
}

/** A mark is a newline and what follows it. */
function markEnds(pieces: readonly Uint8Array[], markBytes: number): readonly number[] {
  const ends: number[] = []
  let at = 0
  for (const piece of pieces) {
    for (let next = piece.indexOf(10); next >= 0; next = piece.indexOf(10, next + 1)) {
      ends.push(at + next + markBytes)
    }
    at += piece.byteLength
  }
  return ends
}

function valueEnds(pieces: readonly Uint8Array[]): readonly number[] {
  const bytes = pieces.length === 1 ? (pieces[0] as Uint8Array) : Buffer.concat(pieces)
  const ends: number[] = []
  try {
    for (let at = 0; at < bytes.length; ) {
      at = skipValue(bytes, at)
      ends.push(at)
    }
  } catch (error) {
    if (!(error instanceof MsgpackError)) throw error
    // Not what the sink said: it stays whole.
    return []
  }
  return ends
}

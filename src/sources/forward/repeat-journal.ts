import { crc32 } from 'node:zlib'
import type { Disk, FileHandle } from '../../core/host.ts'
import { rememberedKeyChars } from './limits.ts'
import type { Remembered } from './repeat-memory.ts'

/**
 * What RepeatMemory knows to be safe, in two files that take turns.
 *
 * LAYOUT, numbers big-endian:
 *   "SLR1" | u32 generation | any number of records, end to end:
 *   u32 crc | u16 key bytes | u32 bytes | u32 crc of the events | f64 wall milliseconds | key (UTF-8)
 *
 * INVARIANTS. `crc` is the CRC-32 of the record's rest, begun with that of the generation: what an
 * earlier generation left behind the last record is none. A file whose turn begins gets a generation
 * one higher than the other's, and is written from its start; it is full after `limit` records, so
 * that both together hold the last `limit` at least, and no more than twice as many.
 *
 * A record is written after its message is in the buffers, and before its ack leaves: a crash in
 * between makes one copy more, never one less. It goes to the operating system's memory, as what
 * file buffers hold: it survives the process.
 */
const headBytes = 8
const recordHeadBytes = 22
const magic = Buffer.from('SLR1')

export interface RestoredMessage extends Remembered {
  readonly atMs: number
}

interface Half {
  readonly handle: FileHandle
  generation: number
  records: number
  endBytes: number
}

export class RepeatJournal {
  readonly #limit: number
  readonly #failed: (error: unknown) => void
  readonly #halves: [Half, Half]
  #active: 0 | 1
  #pending: Buffer[] = []
  /** Writes that take their time. */
  #writing: Promise<void> = Promise.resolve()

  private constructor(
    halves: [Half, Half],
    options: { limit: number; failed: (error: unknown) => void },
  ) {
    this.#halves = halves
    this.#limit = options.limit
    this.#failed = options.failed
    this.#active = halves[1].generation > halves[0].generation ? 1 : 0
  }

  /** Opens it, and gives what is in it, oldest first. Rejects as the disk does. */
  static async open(
    disk: Disk,
    path: string,
    options: { limit: number; failed: (error: unknown) => void },
  ): Promise<{ journal: RepeatJournal; messages: RestoredMessage[] }> {
    await disk.mkdir(path)
    const first = await openHalf(disk, `${path}/0`)
    const second = await openHalf(disk, `${path}/1`).catch(async (error: unknown) => {
      await first.half.handle.close()
      throw error
    })
    const inOrder = [first, second].sort((a, b) => a.half.generation - b.half.generation)
    const journal = new RepeatJournal([first.half, second.half], options)
    return { journal, messages: inOrder.flatMap(({ messages }) => messages) }
  }

  /** Takes note; `flush` writes. */
  add(messages: readonly Remembered[], wallMs: number): void {
    for (const message of messages) {
      const half = this.#halves[this.#active]
      if (half.records >= this.#limit) this.#turn()
      this.#pending.push(recordOf(message, wallMs, this.#halves[this.#active].generation))
      this.#halves[this.#active].records += 1
    }
  }

  /** Done when it returns, where the disk can do that. What cannot be written is forgotten, and said. */
  flush(): void {
    if (this.#pending.length === 0) return
    const half = this.#halves[this.#active]
    const pieces = this.#pending
    this.#pending = []
    const position = half.endBytes
    half.endBytes += pieces.reduce((sum, piece) => sum + piece.byteLength, 0)
    try {
      if (half.handle.writevNow !== undefined) half.handle.writevNow(pieces, position)
      else {
        const written = half.handle.writev(pieces, position).catch(this.#failed)
        this.#writing = this.#writing.then(() => written)
      }
    } catch (error) {
      // The next records take the place of these: behind a hole none would be found.
      half.endBytes = position
      this.#failed(error)
    }
  }

  async close(): Promise<void> {
    this.flush()
    await this.#writing
    for (const { handle } of this.#halves) await handle.close().catch(this.#failed)
  }

  #turn(): void {
    this.flush()
    const { generation } = this.#halves[this.#active]
    this.#active = this.#active === 0 ? 1 : 0
    const half = this.#halves[this.#active]
    half.generation = generation + 1
    half.records = 0
    half.endBytes = 0
    this.#pending.push(headOf(half.generation))
  }
}

async function openHalf(
  disk: Disk,
  path: string,
): Promise<{ half: Half; messages: RestoredMessage[] }> {
  const handle = await disk.open(
    path,
    { read: true, write: true, create: true, noFollow: true },
    0o600,
  )
  try {
    const bytes = Buffer.from(await disk.readFile(path))
    const isOurs = bytes.byteLength >= headBytes && bytes.subarray(0, 4).equals(magic)
    const generation = isOurs ? bytes.readUInt32BE(4) : 0
    if (!isOurs) await handle.write(headOf(0), 0)
    const { messages, endBytes } = isOurs
      ? recordsIn(bytes, generation)
      : { messages: [], endBytes: headBytes }
    return { half: { handle, generation, records: messages.length, endBytes }, messages }
  } catch (error) {
    await handle.close()
    throw error
  }
}

function recordsIn(bytes: Buffer, generation: number) {
  const messages: RestoredMessage[] = []
  const seed = seedOf(generation)
  let at = headBytes
  while (at + recordHeadBytes <= bytes.byteLength) {
    const keyBytes = bytes.readUInt16BE(at + 4)
    const end = at + recordHeadBytes + keyBytes
    if (end > bytes.byteLength) break
    if (crc32(bytes.subarray(at + 4, end), seed) !== bytes.readUInt32BE(at)) break
    messages.push({
      key: bytes.toString('utf8', at + recordHeadBytes, end),
      bytes: bytes.readUInt32BE(at + 6),
      crc: bytes.readUInt32BE(at + 10),
      atMs: bytes.readDoubleBE(at + 14),
    })
    at = end
  }
  return { messages, endBytes: at }
}

function recordOf({ key, bytes, crc }: Remembered, wallMs: number, generation: number): Buffer {
  const record = Buffer.alloc(
    recordHeadBytes + Math.min(Buffer.byteLength(key), 2 * rememberedKeyChars),
  )
  record.writeUInt16BE(record.byteLength - recordHeadBytes, 4)
  record.writeUInt32BE(bytes, 6)
  record.writeUInt32BE(crc, 10)
  record.writeDoubleBE(wallMs, 14)
  record.write(key, recordHeadBytes)
  record.writeUInt32BE(crc32(record.subarray(4), seedOf(generation)), 0)
  return record
}

function headOf(generation: number): Buffer {
  const head = Buffer.from(magic.toString('latin1').padEnd(headBytes, '\0'), 'latin1')
  head.writeUInt32BE(generation, 4)
  return head
}

function seedOf(generation: number): number {
  return crc32(headOf(generation))
}

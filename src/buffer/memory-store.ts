import type { Clock, Random } from '../core/host.ts'
import type { ChunkMetadata } from '../core/output.ts'
import { createChunkIds } from './chunk-ids.ts'
import { atOnceBytes, type Codec, compressAtOnce, compressPieces } from './compress.ts'
import { decompress } from './decode.ts'
import { createSlabPool, type SlabPool } from './slab-pool.ts'
import type { ChunkChange, ChunkStore, StoredChunk } from './store.ts'

/**
 * Free blocks that are kept, by all stores of a process together: what one output at full speed has under way (see pacer.ts)
 * and in its staged chunk. Less, and blocks would be made and collected all the time.
 */
const keptSlabBytes = 24 * 1024 * 1024

/** One pool for all stores of a world. */
const pools = new WeakMap<object, SlabPool>()

export function poolOf(outside: object): SlabPool {
  const pool = pools.get(outside) ?? createSlabPool(keptSlabBytes)
  pools.set(outside, pool)
  return pool
}

/** Only small blocks are exchanged for exact ones: copying large ones costs more than their unused part. */
const compactedSlabBytes = 64 * 1024

/**
 * Chunks in memory: gone with the process. `outside`: the host, the same object for all outputs. `codec`: how chunks that
 * are queued are compressed.
 */
export function createMemoryStore(
  outside: { clock: Clock; random: Random },
  codec?: Codec,
): ChunkStore {
  const { clock } = outside
  const pool = poolOf(outside)
  const nextId = createChunkIds(outside.random)
  return {
    persistent: false,
    open: async () => [],
    create: (metadata, changed) =>
      new MemoryChunk({ id: nextId(), metadata, pool, clock, codec, changed }),
    close: async () => undefined,
  }
}

class MemoryChunk implements StoredChunk {
  readonly id: string
  readonly metadata: ChunkMetadata
  readonly createdMs: number
  sizeBytes = 0
  count = 0
  modifiedMs: number
  changed?: (change: ChunkChange) => void
  /** Of a chunk that is compressed. */
  stream?: () => AsyncIterable<Uint8Array>
  readonly #pool: SlabPool
  readonly #clock: Clock
  readonly #codec: Codec | undefined
  /** In place of the slabs, from when it is compressed. */
  #packed: Uint8Array | undefined
  #sealed: Promise<void> | undefined
  #removed = false
  #slabs: Uint8Array[] = []
  /** Bytes used in the last slab; those before it are full. */
  #used = 0

  constructor(of: {
    id: string
    metadata: ChunkMetadata
    pool: SlabPool
    clock: Clock
    codec: Codec | undefined
    changed: ((change: ChunkChange) => void) | undefined
  }) {
    this.id = of.id
    this.metadata = of.metadata
    this.#pool = of.pool
    this.#clock = of.clock
    this.#codec = of.codec
    if (of.changed !== undefined) this.changed = of.changed
    this.createdMs = of.clock.wallMs()
    this.modifiedMs = this.createdMs
  }

  append(bytes: Uint8Array, count: number): void {
    let done = 0
    while (done < bytes.byteLength) {
      const left = bytes.byteLength - done
      const slab = this.#slabWithRoom(left)
      const part = Math.min(slab.byteLength - this.#used, left)
      slab.set(part === bytes.byteLength ? bytes : bytes.subarray(done, done + part), this.#used)
      this.#used += part
      done += part
    }
    this.sizeBytes += bytes.byteLength
    this.count += count
    this.modifiedMs = this.#clock.wallMs()
  }

  #slabWithRoom(bytes: number): Uint8Array {
    const last = this.#slabs[this.#slabs.length - 1]
    if (last !== undefined && this.#used < last.byteLength) return last
    // The more a chunk holds already, the more it is likely to get.
    const slab = this.#pool.take(Math.max(bytes, this.sizeBytes))
    this.#slabs.push(slab)
    this.#used = 0
    return slab
  }

  commit(): void {}

  get heldBytes(): number {
    return this.#packed?.byteLength ?? this.sizeBytes
  }

  seal(): Promise<void> | undefined {
    if (this.#codec === undefined || this.sizeBytes === 0) {
      this.#compact()
      return undefined
    }
    this.#sealed ??= this.#compress(this.#codec)
    return this.#sealed
  }

  /** A chunk that waits keeps no more than it needs: many small ones would hold many times their bytes. */
  #compact(): void {
    const only = this.#slabs.length === 1 ? this.#slabs[0] : undefined
    if (only === undefined || only.byteLength > compactedSlabBytes) return
    if (this.#used * 2 > only.byteLength) return
    this.#slabs = [exactly([only.subarray(0, this.#used)])]
    this.#pool.give(only)
  }

  async #compress(codec: Codec): Promise<void> {
    const plain = this.#pieces()
    const small = this.sizeBytes <= atOnceBytes
    const made = small
      ? [compressAtOnce(Buffer.concat(plain), codec)]
      : compressPieces(plain, codec)
    // In any case later: whoever seals a chunk learns of its new size when it is queued.
    const packed = exactly(await made)
    const bytes = packed.byteLength - this.sizeBytes
    // It stays as it is where that is smaller.
    if (this.#removed || bytes >= 0) return
    this.#letGo()
    this.#packed = packed
    this.stream = () => decompress(packed, codec)
    this.changed?.({ bytes, events: 0, reason: 'compressed' })
  }

  async read(): Promise<readonly Uint8Array[]> {
    if (this.stream === undefined) return this.#pieces()
    const pieces: Uint8Array[] = []
    for await (const piece of this.stream()) pieces.push(piece)
    return pieces
  }

  #pieces(): readonly Uint8Array[] {
    const last = this.#slabs.length - 1
    return this.#slabs.map((slab, i) => (i < last ? slab : slab.subarray(0, this.#used)))
  }

  remove(): Promise<void> | undefined {
    this.#removed = true
    // The compressor still reads the slabs.
    if (this.#sealed !== undefined) return this.#sealed.then(() => this.#letGo())
    this.#letGo()
    return undefined
  }

  #letGo(): void {
    for (const slab of this.#slabs) this.#pool.give(slab)
    this.#slabs = []
    this.#used = 0
  }
}

/** In one block of just that size. */
function exactly(pieces: readonly Uint8Array[]): Uint8Array {
  const block = Buffer.allocUnsafeSlow(pieces.reduce((sum, piece) => sum + piece.byteLength, 0))
  let at = 0
  for (const piece of pieces) {
    block.set(piece, at)
    at += piece.byteLength
  }
  return block
}

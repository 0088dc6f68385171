import type { Clock, Random } from '../core/host.ts'
import type { ChunkMetadata } from '../core/output.ts'
import { createChunkIds } from './chunk-ids.ts'
import { createSlabPool, type SlabPool } from './slab-pool.ts'
import type { ChunkStore, StoredChunk } from './store.ts'

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

/** Chunks in memory: gone with the process. `outside`: the host, the same object for all outputs. */
export function createMemoryStore(outside: { clock: Clock; random: Random }): ChunkStore {
  const { clock } = outside
  const pool = poolOf(outside)
  const nextId = createChunkIds(outside.random)
  return {
    persistent: false,
    open: async () => [],
    create: (metadata) => new MemoryChunk({ id: nextId(), metadata, pool, clock }),
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
  readonly #pool: SlabPool
  readonly #clock: Clock
  #slabs: Uint8Array[] = []
  /** Bytes used in the last slab; those before it are full. */
  #used = 0

  constructor(of: { id: string; metadata: ChunkMetadata; pool: SlabPool; clock: Clock }) {
    this.id = of.id
    this.metadata = of.metadata
    this.#pool = of.pool
    this.#clock = of.clock
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

  seal(): void {
    // A chunk that waits keeps no more than it needs: many small ones would hold many times their bytes.
    const only = this.#slabs.length === 1 ? this.#slabs[0] : undefined
    if (only === undefined || only.byteLength > compactedSlabBytes) return
    if (this.#used * 2 > only.byteLength) return
    const exact = Buffer.allocUnsafeSlow(this.#used)
    exact.set(only.subarray(0, this.#used))
    this.#slabs = [exact]
    this.#pool.give(only)
  }

  async read(): Promise<readonly Uint8Array[]> {
    const last = this.#slabs.length - 1
    return this.#slabs.map((slab, i) => (i < last ? slab : slab.subarray(0, this.#used)))
  }

  remove(): void {
    for (const slab of this.#slabs) this.#pool.give(slab)
    this.#slabs = []
    this.#used = 0
  }
}

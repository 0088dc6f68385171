import type { Clock, Random } from '../core/host.ts'
import type { ChunkMetadata } from '../core/output.ts'
import { createSlabPool, type SlabPool } from './slab-pool.ts'
import type { ChunkStore, StoredChunk } from './store.ts'

/** Free blocks a store keeps: two full chunks of the default size. */
const keptSlabBytes = 16 * 1024 * 1024

/** Only small blocks are exchanged for exact ones: copying large ones costs more than their unused part. */
const compactedSlabBytes = 64 * 1024

/** Chunks in memory: gone with the process. */
export function createMemoryStore(outside: { clock: Clock; random: Random }): ChunkStore {
  const pool = createSlabPool(keptSlabBytes)
  return {
    persistent: false,
    open: async () => [],
    create: (metadata) => createMemoryChunk(metadata, pool, outside),
    close: async () => undefined,
  }
}

function createMemoryChunk(
  metadata: ChunkMetadata,
  pool: SlabPool,
  { clock, random }: { clock: Clock; random: Random },
): StoredChunk {
  const createdMs = clock.wallMs()
  const id = Buffer.from(random.bytes(16)).toString('hex')
  let slabs: Uint8Array[] = []
  /** Bytes used in the last slab; those before it are full. */
  let used = 0
  let sizeBytes = 0
  let count = 0
  let modifiedMs = createdMs

  return {
    id,
    metadata,
    createdMs,
    get sizeBytes() {
      return sizeBytes
    },
    get count() {
      return count
    },
    get modifiedMs() {
      return modifiedMs
    },
    append(bytes, events) {
      let done = 0
      while (done < bytes.byteLength) {
        let slab = slabs[slabs.length - 1]
        if (slab === undefined || used === slab.byteLength) {
          // The more a chunk holds already, the more it is likely to get.
          slab = pool.take(Math.max(bytes.byteLength - done, sizeBytes))
          slabs.push(slab)
          used = 0
        }
        const part = Math.min(slab.byteLength - used, bytes.byteLength - done)
        slab.set(bytes.subarray(done, done + part), used)
        used += part
        done += part
      }
      sizeBytes += bytes.byteLength
      count += events
      modifiedMs = clock.wallMs()
    },
    commit: () => undefined,
    seal() {
      // A chunk that waits keeps no more than it needs: many small ones would hold many times their bytes.
      const only = slabs.length === 1 ? slabs[0] : undefined
      if (only === undefined || only.byteLength > compactedSlabBytes) return
      if (used * 2 > only.byteLength) return
      const exact = Buffer.allocUnsafeSlow(used)
      exact.set(only.subarray(0, used))
      slabs = [exact]
      pool.give(only)
    },
    async read() {
      return slabs.map((slab, i) => (i < slabs.length - 1 ? slab : slab.subarray(0, used)))
    },
    remove() {
      for (const slab of slabs) pool.give(slab)
      slabs = []
      used = 0
    },
  }
}

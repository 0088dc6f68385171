import type { Chunk, ChunkMetadata } from '../core/output.ts'

/**
 * Where chunks' bytes are: memory now, files next. Storage only: when a chunk is staged, queued, delivered is decided by
 * its callers (chunk.ts), and the store is told.
 */
export interface ChunkStore {
  /** Whether chunks outlive the process: then they need not be flushed at shutdown. */
  readonly persistent: boolean
  /** Opens the store and hands over what an earlier run left, oldest first. Rejects if it cannot be used. */
  open(): Promise<readonly RecoveredChunk[]>
  /** A new, empty, staged chunk. */
  create(metadata: ChunkMetadata): StoredChunk
  /** Releases everything. Chunks that were not removed stay where they are if the store is persistent. */
  close(): Promise<void>
}

export interface RecoveredChunk {
  readonly chunk: StoredChunk
  readonly state: 'staged' | 'queued'
}

/** A chunk as its owner sees it. `sizeBytes`, `count` and `modifiedMs` grow while it is staged. */
export interface StoredChunk extends Chunk {
  /** Takes a copy. `bytes` hold `count` events, whole. Not yet safe: see `commit`. */
  append(bytes: Uint8Array, count: number): void
  /** Everything appended so far is as safe as this store makes it once this settles (undefined: already). */
  commit(): void | Promise<void>
  /** Nothing is appended any more: staged → queued. */
  seal(): void | Promise<void>
  /** Delivered or dropped: takes the bytes away. `read`'s pieces are not used any more. */
  remove(): void | Promise<void>
}

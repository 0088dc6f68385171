import type { Chunk, ChunkMetadata } from '../core/output.ts'

/**
 * Where chunks' bytes are: memory now, files next. Storage only: when a chunk is staged, queued, delivered is decided by
 * its callers (chunk.ts), and the store is told.
 */
export interface ChunkStore {
  /** Whether chunks outlive the process: then they need not be flushed at shutdown. */
  readonly persistent: boolean
  /** What it will hold ('buffer:/path'): two outputs cannot have the same. */
  readonly claims?: readonly string[]
  /**
   * Opens the store and hands over what an earlier run left, oldest first. Rejects if it cannot be used. `damaged` is
   * told of chunks that an earlier run left and that cannot be read.
   */
  open(damaged?: (events: number) => void): Promise<readonly RecoveredChunk[]>
  /** Queued chunks that somebody put there since (`sluice buffer replay`). Rejects as the disk does. */
  arrivals?(): Promise<readonly RecoveredChunk[]>
  /** A new, empty, staged chunk. `changed`: as StoredChunk's. */
  create(metadata: ChunkMetadata, changed?: (change: ChunkChange) => void): StoredChunk
  /** Releases everything. Chunks that were not removed stay where they are if the store is persistent. */
  close(): Promise<void>
}

/** What a chunk turned out not to have, or not to need. Numbers are negative; bytes are `heldBytes`. */
export interface ChunkChange {
  readonly bytes: number
  readonly events: number
  /**
   * `not_stored`: their `commit` rejects; `damaged`: an earlier run's, not as they were written; `compressed`: they are all
   * there, and take less room.
   */
  readonly reason: 'not_stored' | 'damaged' | 'compressed'
}

export interface RecoveredChunk {
  readonly chunk: StoredChunk
  readonly state: 'staged' | 'queued'
}

/** A chunk as its owner sees it. `sizeBytes`, `count` and `modifiedMs` grow while it is staged. */
export interface StoredChunk extends Chunk {
  /** The file its events are in, for stores that have such. */
  readonly path?: string
  /** What it takes of the buffer's room; absent: `sizeBytes`. */
  readonly heldBytes?: number
  /** Called after `heldBytes`, or `sizeBytes` and `count`, have become less. To be set by whoever owns a recovered chunk. */
  changed?: (change: ChunkChange) => void
  /** Takes a copy. `bytes` hold `count` events, whole. Not yet safe: see `commit`. */
  append(bytes: Uint8Array, count: number): void
  /**
   * Everything appended so far is as safe as this store makes it once this settles (undefined: already). May be called
   * after `seal`. Rejects: what was appended since the last commit is not in the chunk any more.
   */
  commit(): void | Promise<void>
  /** Nothing is appended any more: staged → queued. Settles when it can be read. Does not reject. */
  seal(): void | Promise<void>
  /**
   * Before each delivery of a queued chunk: makes sure that what an earlier run left can be read. `sizeBytes` and `count`
   * may become less. Rejects as the disk does.
   */
  prepare?(): Promise<void>
  /** Delivered or dropped: takes the bytes away. `read`'s pieces are not used any more. */
  remove(): void | Promise<void>
}

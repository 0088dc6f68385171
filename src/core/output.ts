import type { Component } from './component.ts'
import type { Consumer } from './consumer.ts'
import type { Formatter } from './formatter.ts'

/** Where events leave the graph: takes batches, and has a life. */
export interface Output extends Component, Consumer {
  /** What it will hold ('file:/path', …): conflicts are found before start. */
  readonly claims?: readonly string[]
  /** Delivers what it holds now, without waiting for its interval (signal USR1, API). */
  flush?(): Promise<void>
  /**
   * Looks for what would keep `start` from working (a directory that cannot be written, a missing certificate), and
   * changes nothing. Rejects with ConfigError. For --dry-run, and the first thing `start` does.
   */
  check?(): Promise<void>
  /** Whether what it holds outlives the process (a buffer in files, or in memory). undefined: it holds nothing itself. */
  readonly persistent?: boolean | undefined
  /** For monitor_agent and metrics; see there. */
  statistics?(): OutputStatistics
}

/** Fluentd's monitor_agent fields, and what closes the books: emitted = delivered + buffered + dropped. */
export interface OutputStatistics {
  readonly emittedEvents: number
  readonly deliveredEvents: number
  readonly bufferedEvents: number
  /** By reason. */
  readonly droppedEvents: Readonly<Record<string, number>>
  readonly emitCount: number
  readonly writeCount: number
  readonly retryCount: number
  readonly rollbackCount: number
  readonly slowFlushCount: number
  readonly errorCount: number
  readonly stagedBytes: number
  readonly queuedBytes: number
  readonly queueLength: number
  readonly stagedLength: number
  readonly totalLimitBytes: number
  readonly flushTimeMs: number
  /** Wall time of the oldest event's arrival in the buffer, if there is one. */
  readonly oldestMs: number | undefined
  readonly newestTimekey: number | undefined
  readonly oldestTimekey: number | undefined
  /** undefined while nothing is being retried. */
  readonly retry:
    | { readonly steps: number; readonly startMs: number; readonly nextMs: number }
    | undefined
}

/**
 * What a buffered output's plugin is: how its chunks' bytes are made, and how one chunk is delivered. Buffering,
 * retries, secondaries, metrics wrap it (src/buffer).
 */
export interface Sink extends Component {
  /** What a chunk holds, made when an event is appended (docs/decisions: format at append). */
  readonly formatter: Formatter
  /**
   * Delivers one chunk. Resolves: delivered, whole. Rejects with PermanentError: the same bytes will never be
   * taken. Rejects otherwise: to be retried, not before RetryableError's `retryAfterMs` if it is one. Called for
   * at most `flush_thread_count` chunks at once.
   */
  write(chunk: Chunk, signal: AbortSignal): Promise<WriteResult | void>
  readonly claims?: readonly string[]
  /**
   * What each event of a chunk ends with, where that is so without exception: then a chunk that is refused for some of its
   * events is written again in parts (`Chunk`s with ids of their own), until those stand alone. Absent: chunks are whole.
   */
  readonly eventEnd?: EventEnd | undefined
  /** A chunk begins to take events. `path`: the file they go to, where there is one (out_file's symlink_path). */
  onStaged?(chunk: Pick<Chunk, 'id' | 'metadata'> & { readonly path?: string }): void
  /** As Output.check. */
  check?(): Promise<void>
}

/** A newline; a newline and a comma; or the end of a MessagePack value. */
export type EventEnd = '\n' | '\n,' | 'msgpack'

export interface WriteResult {
  /** Events of the chunk that the destination did not take, and that are not to be sent again: counted as dropped. */
  readonly refused?: { readonly reason: string; readonly events: number }
}

/** What chunk keys say about a chunk. `variables` are the record fields among the keys, as text would show them. */
export interface ChunkMetadata {
  /** Seconds since 1970, the slice's start. */
  readonly timekey: number | undefined
  readonly tag: string | undefined
  readonly variables: Readonly<Record<string, unknown>> | undefined
}

/** A sealed chunk, as a sink sees it: nothing in it changes any more, so a retry sends the same bytes. */
export interface Chunk {
  /** 32 hex digits, unique. */
  readonly id: string
  readonly metadata: ChunkMetadata
  readonly sizeBytes: number
  readonly count: number
  readonly createdMs: number
  readonly modifiedMs: number
  /** All of its bytes, in pieces. May be called again. */
  read(): Promise<readonly Uint8Array[]>
  /** The same, of chunks too large for memory: each piece is valid until the next is asked for. May be called again. */
  stream?(): AsyncIterable<Uint8Array>
}

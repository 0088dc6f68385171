import type { Component } from './component.ts'

/** Where events come in: made with a Consumer in its context, to which it emits. */
export interface Source extends Component {
  /** What it will hold, as text: 'tcp:0.0.0.0:24224', 'udp:…', 'unix:/path'. Conflicts are found before start. */
  readonly claims: readonly string[]
  /** It tells clients that they may forget what they sent once that is in the buffers of the outputs. */
  readonly acknowledgesBuffered?: boolean
  /** For --dry-run: what only a start would find, besides claims (certificates). Opens nothing. Rejects with ConfigError. */
  check?(): Promise<void>
  /** The files it follows, for monitoring. */
  files?(): readonly FollowedFile[] | undefined
  /** More counts for monitor_agent, by Fluentd's names. */
  counts?(): Readonly<Record<string, number>> | undefined
}

export interface FollowedFile {
  readonly path: string
  readonly inode: bigint
  /** Up to where it was read and taken, in bytes. */
  readonly position: number
}

import type { Position } from '../core/errors.ts'
import type { MsgFloat } from '../core/value.ts'

/**
 * The configuration as a tree, before any meaning: what both the v1 parser and the YAML reader give, and what
 * binding reads. Order is the file's.
 */
export interface Element {
  /** 'source', 'match', 'filter', 'label', 'system', 'worker', 'buffer' …; 'ROOT' for the whole. */
  readonly name: string
  /** What stands behind the name: the pattern, the label, the chunk keys. '' if nothing. */
  readonly argument: string
  readonly params: readonly Setting[]
  readonly children: readonly Element[]
  readonly position: Position
  /** Where the argument stands; undefined if there is none. */
  readonly argumentPosition: Position | undefined
}

export interface Setting {
  readonly name: string
  /** The value's text, with quotes, escapes and "#{…}" already dealt with. undefined: use_nil. `useDefault`: use_default. */
  readonly value: string | undefined
  readonly useDefault?: boolean
  /** The YAML form's number, boolean or null where it is one: open sections hand it on with its type. */
  readonly typed?: ScalarValue
  readonly namePosition: Position
  readonly valuePosition: Position
}

/** A value that is no text: as a record would hold it. */
export type ScalarValue = number | bigint | MsgFloat | boolean | null

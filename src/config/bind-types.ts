import type { ConfigError, Position } from '../core/errors.ts'
import type { ConfigWarning } from './diagnostics.ts'
import type { BoundPlugin } from './schema.ts'
import type { SystemConfig } from './system.ts'

/**
 * One pipeline: the top level, or a <label>. Filters and outputs in the file's order, <worker>
 * sections behind.
 */
export interface BoundPipeline {
  /** 'ROOT', or the label's name with its @. */
  readonly label: string
  readonly position: Position | undefined
  /**
   * <filter> and <match>: `kind` is 'filter' or 'output', `argument` the patterns ('**' where none
   * is written).
   */
  readonly stages: readonly BoundPlugin[]
}

/** The configuration with meaning: every plugin's values checked and typed. */
export interface BoundConfig {
  readonly system: SystemConfig
  readonly sources: readonly BoundPlugin[]
  readonly root: BoundPipeline
  /** By name ('@NAME'). */
  readonly labels: ReadonlyMap<string, BoundPipeline>
}

export interface BindResult<T> {
  /** undefined exactly if there are errors. */
  readonly bound: T | undefined
  readonly errors: readonly ConfigError[]
  readonly warnings: readonly ConfigWarning[]
}

import type { ConfigError } from '../core/errors.ts'
import type { ConfigWarning } from './diagnostics.ts'
import type { Element } from './element.ts'

/**
 * What a configuration may ask of the world while it is read: other files, the environment, the
 * host's name.
 */
export interface ConfigWorld {
  /**
   * Text of a file; undefined if there is none. May throw for other reasons: then it is an error of
   * the @include.
   */
  readFile(path: string): string | undefined
  /** Names in a directory; undefined if it is none. */
  listDir(path: string): readonly string[] | undefined
  readonly env: Readonly<Record<string, string | undefined>>
  readonly hostname: string
  /** `worker_id` in "#{…}"; '' where there are no workers, as in Fluentd. */
  readonly workerId?: string | undefined
}

export interface ConfigInput extends ConfigWorld {
  /** As errors should name it; includes are relative to its directory. */
  readonly path: string
  readonly text: string
  /** More text, behind the file's (command line option -i). */
  readonly inlineConfig?: string | undefined
}

/** 'auto': YAML by the file's name (.yaml, .yml), v1 otherwise. */
export type ConfigType = 'auto' | 'v1' | 'yaml'

export interface ParsedConfig {
  /** As far as it could be read where there are errors. */
  readonly root: Element
  readonly errors: readonly ConfigError[]
  readonly warnings: readonly ConfigWarning[]
  /** All files read, the first one included. */
  readonly files: readonly string[]
}

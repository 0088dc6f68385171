/** A place in a configuration file. Lines and columns count from 1, columns in UTF-16 units. */
export interface Position {
  readonly file: string
  readonly line: number
  readonly column: number
  /** Characters to underline, at least 1. */
  readonly length: number
  /** The source line itself, for the caret display. */
  readonly text: string
}

/**
 * The configuration is wrong: said with its place, what was expected, and a way out where one is known.
 * `message` has neither place nor caret; config/diagnostics prints them.
 */
export class ConfigError extends Error {
  override readonly name = 'ConfigError'
  readonly position: Position | undefined
  /** What to write instead, a sentence ("did you mean `port`?"). */
  readonly hint: string | undefined

  constructor(message: string, details: { position?: Position | undefined; hint?: string } = {}) {
    super(message)
    this.position = details.position
    this.hint = details.hint
  }
}

/** Several configuration errors at once: all that one look at the file can find. */
export class ConfigErrors extends Error {
  override readonly name = 'ConfigErrors'
  readonly errors: readonly ConfigError[]

  constructor(errors: readonly ConfigError[]) {
    super(errors.map((error) => error.message).join('\n'))
    this.errors = errors
  }
}

/**
 * A sink refused the chunk for good: retrying the same bytes cannot help. Any other rejection of
 * `Sink.write` is retryable.
 */
export class PermanentError extends Error {
  override readonly name = 'PermanentError'
  readonly code: string
  readonly because: RefusedBecause

  constructor(
    code: string,
    message: string,
    options: { cause?: unknown; because?: RefusedBecause } = {},
  ) {
    super(message, { cause: options.cause })
    this.code = code
    this.because = options.because ?? 'chunk'
  }
}

/**
 * Why a chunk is refused: whatever is in it (a wrong address, no permission); for some of its events; or for its size. In
 * the last two cases parts of it may be taken.
 */
export type RefusedBecause = 'chunk' | 'events' | 'size'

/** A sink could not take the chunk now, and may have said when to ask again. */
export class RetryableError extends Error {
  override readonly name = 'RetryableError'
  readonly code: string
  /** Not before so many milliseconds from now; undefined: as the retry policy has it. */
  readonly retryAfterMs: number | undefined

  constructor(
    code: string,
    message: string,
    options: { cause?: unknown; retryAfterMs?: number | undefined } = {},
  ) {
    super(message, { cause: options.cause })
    this.code = code
    this.retryAfterMs = options.retryAfterMs
  }
}

/** A buffer has no room and its overflow_action says to refuse: the source must not acknowledge. */
export class BufferOverflowError extends Error {
  override readonly name = 'BufferOverflowError'
  readonly code = 'buffer_overflow'
}

/** A bug in Sluice, not in its input. Throws when the condition does not hold. */
export function assert(condition: unknown, message: string): asserts condition {
  if (!condition) throw new Error(`bug: ${message}`)
}

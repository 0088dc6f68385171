import type { Connection } from '../../core/host.ts'
import type { NoteStep, RunStep } from '../../kernel/types.ts'
import type { ForwardReports, MessageLoss } from './losses.ts'

/**
 * What a session counts and says of what it could not take. Words in the log are Fluentd's where it
 * has any.
 */
export class Complaints {
  readonly #reports: ForwardReports
  readonly #limits: { messageLimitBytes: number; messageWarnBytes: number }
  readonly #link: Pick<Connection, 'remoteAddress'>

  constructor(
    context: {
      reports: ForwardReports
      settings: { framer: { messageLimitBytes: number; messageWarnBytes: number } }
    },
    link: Pick<Connection, 'remoteAddress'>,
  ) {
    this.#reports = context.reports
    this.#limits = context.settings.framer
    this.#link = link
  }

  #host(): { host: string | undefined } {
    return { host: this.#link.remoteAddress }
  }

  rejected(tag: string, count: number, error: unknown): void {
    this.#reports.rejectedEvents += count
    this.#reports.warn('events could not be taken and are not acknowledged', {
      ...this.#host(),
      tag,
      events: count,
      error,
    })
  }

  /** With `ack_when delivered`: some of its events were dropped. */
  undelivered(): void {
    this.#reports.warn('a message was not delivered and is not acknowledged', { ...this.#host() })
  }

  invalidEntries(step: RunStep): void {
    this.#reports.invalidEvents('invalid_entry', step.invalid)
    const message = step.count === 0 ? 'got invalid event and drop it:' : 'skip invalid event:'
    this.#reports.warn(message, { ...this.#host(), tag: shown(step.tag), events: step.invalid })
  }

  /** The rest of a compressed message is not looked at any more; it is acknowledged as its invalid events are. */
  barren(tag: Uint8Array): void {
    this.#reports.lostMessage('invalid_rest')
    const message = 'a compressed message holds no events, its rest is dropped'
    this.#reports.warn(message, { ...this.#host(), tag: shown(tag) })
  }

  /**
   * Dropped, and acknowledged all the same: a client that gets no ack sends the same bytes again
   * for ever, and everything behind them waits. Fluentd treats its other invalid events so.
   */
  invalidTag(step: RunStep): void {
    if (step.count === 0) return
    this.#reports.invalidEvents('invalid_tag', step.count)
    this.#reports.warn('got events with an invalid tag and drop them', {
      ...this.#host(),
      tag: shown(step.tag),
      events: step.count,
    })
  }

  note(step: NoteStep): void {
    const fields = { ...this.#host(), tag: shown(step.tag), size: step.bytes }
    if (step.code === 'broken') {
      this.#reports.lostMessage('broken')
      this.#reports.warn('incoming chunk is broken:', { ...this.#host(), size: step.bytes })
    } else if (step.code === 'too_large') {
      this.#reports.lostMessage('chunk_size_limit')
      this.#reports.warn("Input chunk size is larger than 'chunk_size_limit', dropped:", {
        ...fields,
        limit: this.#limits.messageLimitBytes,
      })
    } else if (step.code === 'large') {
      this.#reports.warn("Input chunk size is larger than 'chunk_size_warn_limit':", {
        ...fields,
        limit: this.#limits.messageWarnBytes,
      })
    }
  }

  /** The connection is closed by what came in. */
  fatal(reason: MessageLoss, message: string, code: string): void {
    this.#reports.lostMessage(reason)
    this.#reports.warn('closed a connection', { ...this.#host(), reason: message, code }, code)
  }

  /** The connection is closed by one of our limits. */
  refused(reason: string, message: string): void {
    this.#reports.refused(reason)
    this.#reports.warn('closed a connection', { ...this.#host(), reason: message }, reason)
  }
}

/** A tag from outside, fit to be printed. */
function shown(tag: Uint8Array): string {
  return Buffer.from(tag.subarray(0, 128)).toString('utf8')
}

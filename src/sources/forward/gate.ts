import type { Clock, Connection } from '../../core/host.ts'
import type { HandshakeRefusal, ServerHandshake } from '../../forward/handshake-server.ts'
import type { ForwardReports } from './losses.ts'

/** Fluentd's words for the log, where it has any. */
const words: Readonly<Record<HandshakeRefusal, string>> = {
  invalid_ping: 'Invalid ping message',
  anonymous_source: 'Anonymous client disallowed',
  shared_key: 'Shared key mismatch',
  user: 'Authentication failed',
}

/** The labels of sluice_connections_refused_total. */
const reasons: Readonly<Record<HandshakeRefusal, string>> = {
  invalid_ping: 'invalid_ping',
  anonymous_source: 'anonymous_source',
  shared_key: 'shared_key_mismatch',
  user: 'user_mismatch',
}

/** Characters of a client's own word for itself that are printed. */
const shownHostname = 128

/**
 * Stands before a session until the client has proved who it is (SECURITY): nothing but one PING is
 * read, and what comes behind it goes on only if that was right.
 */
export class Gate {
  readonly sinceMs: number
  /** Who was let in. */
  client = ''
  #state: 'waiting' | 'open' | 'refused' = 'waiting'
  readonly #handshake: ServerHandshake
  readonly #link: Pick<Connection, 'write' | 'remoteAddress'>
  readonly #reports: ForwardReports

  /** Sends HELO. */
  constructor(
    handshake: ServerHandshake,
    link: Pick<Connection, 'write' | 'remoteAddress'>,
    context: { reports: ForwardReports; clock: Clock },
  ) {
    this.#handshake = handshake
    this.#link = link
    this.#reports = context.reports
    this.sinceMs = context.clock.monotonicMs()
    link.write(handshake.helo)
  }

  /** PING has not come yet. */
  get waiting(): boolean {
    return this.#state === 'waiting'
  }

  /**
   * While it is waiting: takes bytes (borrowed) and answers. What is for the session, which may be
   * empty; `more`: PING is not whole; `refused`: PONG says so, and the connection must end.
   */
  take(bytes: Uint8Array): Uint8Array | 'more' | 'refused' {
    const outcome = this.#handshake.data(bytes)
    if (outcome.kind === 'more') {
      this.#reports.bytes += bytes.byteLength
      return 'more'
    }
    this.#link.write(outcome.pong)
    if (outcome.kind === 'accepted') {
      this.#state = 'open'
      this.client = outcome.client
      this.#reports.bytes += bytes.byteLength - outcome.rest.byteLength
      return outcome.rest
    }
    this.#state = 'refused'
    this.#reports.bytes += bytes.byteLength
    this.#reports.refused(reasons[outcome.refusal])
    this.#reports.warn(words[outcome.refusal], {
      address: this.#link.remoteAddress,
      hostname: outcome.hostname?.slice(0, shownHostname),
    })
    return 'refused'
  }
}

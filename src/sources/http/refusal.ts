import type { HttpResponse } from '../../core/host.ts'

/** A request that gets no further: what the client is told. */
export class Refusal extends Error {
  override readonly name = 'Refusal'
  readonly status: 400 | 413 | 415 | 503
  /** Counted as sluice_input_dropped_messages_total{reason}. */
  readonly reason: string

  constructor(status: Refusal['status'], reason: string, message: string) {
    super(message)
    this.status = status
    this.reason = reason
  }
}

const words: Readonly<Record<number, string>> = {
  400: 'Bad Request',
  413: 'Payload Too Large',
  415: 'Unsupported Media Type',
  500: 'Internal Server Error',
  503: 'Service Unavailable',
}

/** Seconds after which a client may ask again: buffers are flushed in seconds, not in minutes. */
const retryAfterSeconds = 1

/** An answer in Fluentd's form: the status line again, then the reason. */
export function failure(status: number, message: string): HttpResponse {
  return {
    status,
    headers: {
      'content-type': 'text/plain',
      ...(status === 503 ? { 'retry-after': String(retryAfterSeconds) } : {}),
    },
    body: `${status} ${words[status] ?? ''}\n${message}\n`,
  }
}

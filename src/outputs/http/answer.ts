import { PermanentError, type RefusedBecause, RetryableError } from '../../core/errors.ts'
import type { HttpClientResponse } from '../../core/host.ts'

/** What Retry-After may ask for at most. */
export const retryAfterLimitMs = 10 * 60 * 1000

/** How much of an answer's body stands in the log. */
const saidCharacters = 200

export interface AnswerRules {
  readonly retryable: readonly number[]
  /** error_response_as_unrecoverable */
  readonly unrecoverable: boolean
}

/**
 * What an answer means. Returns undefined for success, and the error's words where the chunk is to be given up without
 * being an error (error_response_as_unrecoverable false). Throws RetryableError, PermanentError.
 */
export function judge(
  answer: HttpClientResponse,
  rules: AnswerRules,
  now: { wallMs: number; unit: number },
): string | undefined {
  const { status } = answer
  if (status >= 200 && status < 300) return undefined
  const words = `${status} ${wordsOf(answer.body)}`.trimEnd()
  if (rules.retryable.includes(status)) {
    throw new RetryableError(`http_${status}`, words, {
      retryAfterMs: retryAfterOf(answer.headers['retry-after'], now),
    })
  }
  if (rules.unrecoverable) {
    throw new PermanentError(`http_${status}`, words, { because: becauseOf(status) })
  }
  return words
}

/**
 * Bad Request, Unprocessable Content: for an event in it (RFC 9110, 15.5.1, 15.5.21). Content Too Large (15.5.14): in
 * smaller parts, perhaps. All else (no permission, no such place, a method or type that is not taken) is said to any content.
 */
function becauseOf(status: number): RefusedBecause {
  if (status === 413) return 'size'
  return status === 400 || status === 422 ? 'events' : 'chunk'
}

/** Retry-After (RFC 9110, 10.2.3): seconds or a date. Some time is added by chance, so that not all come back at once. */
function retryAfterOf(
  value: string | undefined,
  { wallMs, unit }: { wallMs: number; unit: number },
): number | undefined {
  if (value === undefined) return undefined
  const waitMs = /^\d+$/.test(value.trim()) ? Number(value) * 1000 : Date.parse(value) - wallMs
  if (Number.isNaN(waitMs) || waitMs <= 0) return undefined
  return Math.min(waitMs, retryAfterLimitMs) * (1 + unit / 10)
}

function wordsOf(body: Uint8Array): string {
  return Buffer.from(body.subarray(0, saidCharacters * 4))
    .toString('utf8')
    .replace(/[\p{Cc}\s]+/gu, ' ')
    .trim()
    .slice(0, saidCharacters)
}

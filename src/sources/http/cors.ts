import { positionOf } from '../../config/schema.ts'
import { ConfigError } from '../../core/errors.ts'
import type { HttpRequest } from '../../core/host.ts'
import type { HttpSourceParams } from './shape.ts'

type Headers = Readonly<Record<string, string>>

/** Cross-Origin Resource Sharing: whose pages may post, and what their browsers are told. */
export interface Cors {
  /** Headers for the answer to OPTIONS; undefined: it is refused. */
  preflight(request: HttpRequest): Headers | undefined
  /** Headers for the answer to a request with events; undefined: it is refused. */
  admit(request: HttpRequest): Headers | undefined
}

const none: Headers = {}

/** Throws ConfigError. */
export function createCors(
  params: Pick<HttpSourceParams, 'corsAllowOrigins' | 'corsAllowCredentials'>,
): Cors {
  const { corsAllowOrigins: origins, corsAllowCredentials: credentials } = params
  if (credentials && (origins === undefined || origins.includes('*'))) {
    throw new ConfigError('Cannot enable cors_allow_credentials without specific origins', {
      position: positionOf(params, 'corsAllowCredentials'),
      hint: 'name them in cors_allow_origins',
    })
  }
  if (origins === undefined) return { preflight: () => undefined, admit: () => none }
  const any = origins.includes('*')
  const named = (origin: string): Headers => ({
    'access-control-allow-origin': origin,
    ...(credentials ? { 'access-control-allow-credentials': 'true' } : {}),
    // What one origin is told must not be given to another by a cache.
    vary: 'origin',
  })
  const headersFor = (origin: string | undefined): Headers | undefined => {
    if (any) return { 'access-control-allow-origin': '*' }
    return origin !== undefined && isAllowed(origin, origins) ? named(origin) : undefined
  }
  return {
    preflight({ headers }) {
      if (headers['access-control-request-method'] !== 'POST') return undefined
      const allowed = headersFor(headers.origin)
      return allowed === undefined
        ? undefined
        : {
            ...allowed,
            'access-control-allow-methods': 'POST',
            'access-control-allow-headers': headers['access-control-request-headers'] ?? '',
          }
    },
    admit({ headers }) {
      return headersFor(headers.origin) ?? (headers.origin === undefined ? none : undefined)
    },
  }
}

/** An origin is written whole, or with one `*` for any text. */
function isAllowed(origin: string, patterns: readonly string[]): boolean {
  return patterns.some((pattern) => {
    const star = pattern.indexOf('*')
    if (star < 0) return pattern !== '' && pattern === origin
    const [head, tail] = [pattern.slice(0, star), pattern.slice(star + 1)]
    return (
      origin.length >= head.length + tail.length && origin.startsWith(head) && origin.endsWith(tail)
    )
  })
}

import { type Chunking, compileTemplate, type Template } from '../../buffer/index.ts'
import { type HashValue, positionOf } from '../../config/schema.ts'
import { ConfigError } from '../../core/errors.ts'
import type { Chunk } from '../../core/output.ts'
import { contentTypeOf } from './content-type.ts'
import type { HttpParams } from './shape.ts'

/** Headers that say how the message is sent: the client's, not the configuration's. */
const reserved = new Set([
  'connection',
  'content-length',
  'expect',
  'keep-alive',
  'proxy-connection',
  'te',
  'transfer-encoding',
  'upgrade',
])

const headerName = /^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/

/** The headers of a chunk's request, names in lower case. Throws ConfigError for what cannot be a header. */
export function compileHeaders(
  params: HttpParams,
  chunking: Chunking,
  credentials: string | undefined,
): (chunk: Pick<Chunk, 'id' | 'metadata'>) => Record<string, string> {
  const fixed: Record<string, string> = { 'user-agent': 'sluice', accept: '*/*' }
  for (const [name, value] of entriesOf(params, 'headers')) fixed[name] = headerValue(value)
  const filled = new Map<string, Template>()
  for (const [name, value] of entriesOf(params, 'headersFromPlaceholders')) {
    filled.set(name, compileTemplate(value, chunking))
  }
  const last: Record<string, string> = { 'content-type': contentTypeOf(params) }
  if (params.compress === 'gzip') last['content-encoding'] = 'gzip'
  const authorization = authorizationOf(params, credentials)
  if (authorization !== undefined) last.authorization = authorization
  return (chunk) => {
    const headers = { ...fixed }
    for (const [name, template] of filled) headers[name] = headerValue(template.expand(chunk))
    return Object.assign(headers, last)
  }
}

function entriesOf(
  params: HttpParams,
  name: 'headers' | 'headersFromPlaceholders',
): [string, string][] {
  const written: HashValue = params[name] ?? {}
  return Object.entries(written).map(([key, value]) => {
    const lower = key.toLowerCase()
    if (headerName.test(key) && !reserved.has(lower)) return [lower, String(value)]
    throw new ConfigError(`'${key}' cannot be set as a header`, {
      position: positionOf(params, name),
    })
  })
}

/** UTF-8 bytes as they are; control characters, which could begin another header, become `_`. */
function headerValue(value: string): string {
  return Buffer.from(value.replace(/\p{Cc}/gu, '_').trim(), 'utf8').toString('latin1')
}

function authorizationOf(params: HttpParams, credentials: string | undefined): string | undefined {
  const { auth } = params
  const plain = auth === undefined ? credentials : `${auth.username ?? ''}:${auth.password ?? ''}`
  return plain === undefined ? undefined : `Basic ${Buffer.from(plain).toString('base64')}`
}

import { type Chunking, compileTemplate, placeholdersIn } from '../../buffer/index.ts'
import { ConfigError, PermanentError, type Position } from '../../core/errors.ts'
import type { Chunk } from '../../core/output.ts'

/**
 * The URL of a chunk's request. Tags and fields come from whoever sends events: in the path and query they are
 * percent-encoded; in scheme, host and port (CVE-2026-44161: requests to any server) they are an error unless allowed_hosts
 * lists the hosts that may come out.
 */
export interface Endpoint {
  /** Whether connections may be TLS. */
  readonly secure: boolean
  /** user:password, where the URL has them. */
  readonly credentials: string | undefined
  /** Throws PermanentError where the chunk's values make a URL that is not allowed. */
  urlOf(chunk: Pick<Chunk, 'id' | 'metadata'>): string
}

export interface EndpointOptions {
  readonly endpoint: string
  readonly allowedHosts: readonly string[]
  readonly chunking: Chunking
  readonly position: Position | undefined
}

const placeholder = /\$\{[^}]*\}/g

export function compileEndpoint(options: EndpointOptions): Endpoint {
  const { endpoint, chunking, position } = options
  checkSyntax(endpoint, position)
  checkKeys(options)
  const { start, userinfo, host, rest } = partsOf(endpoint)
  const allowed = new Set(options.allowedHosts.map((name) => name.toLowerCase()))
  const hostVaries = (start + host).includes(`\${`)
  if (hostVaries && allowed.size === 0) {
    throw new ConfigError(
      'allowed_hosts is strictly required when using placeholders in the endpoint host',
      { position, hint: 'list the hosts: `allowed_hosts ["a.example.com", "b.example.com"]`' },
    )
  }
  const origin = compileTemplate(start + host, chunking, { time: false })
  const path = compileTemplate(rest, chunking, { time: false })
  return {
    secure: !/^http:/i.test(start),
    credentials: userinfo,
    urlOf(chunk) {
      const at = hostVaries ? checkedOrigin(origin.expand(chunk), allowed) : start + host
      const behind = path.expand(chunk, { harmless: encode })
      if (path.hasValues && hasDotSegment(behind)) {
        throw new PermanentError('unsafe_url', 'a tag or field would change the path of the URL')
      }
      return at + (behind.startsWith('?') || behind === '' ? `/${behind}` : behind)
    },
  }
}

function checkSyntax(endpoint: string, position: Position | undefined): void {
  const without = endpoint.replace(placeholder, '0')
  const problem = /%(?![0-9a-f]{2})/i.test(without)
    ? 'a percent sign must be followed by two hex digits; strftime formats have no place in it'
    : /[\s<>"{}|\\^`\p{Cc}]/u.test(without)
      ? 'it has characters that no URL has'
      : !/^https?:\/\/[^/?#]/i.test(without) && !/^\$\{[^}]*\}:\/\//.test(endpoint)
        ? 'expected http:// or https:// and a host'
        : !URL.canParse(without.replace(/^0:/, 'http:'))
          ? 'it cannot be read as a URL'
          : undefined
  if (problem === undefined) return
  throw new ConfigError(`Invalid endpoint URI: ${endpoint}`, { position, hint: problem })
}

function checkKeys({ endpoint, chunking, position }: EndpointOptions): void {
  const { tag, fields } = placeholdersIn(endpoint)
  const keys = new Set(chunking.fields.map((field) => field.name))
  const missing = [
    ...(tag && !chunking.byTag ? ['tag'] : []),
    ...fields.filter((name) => !keys.has(name)),
  ]
  if (missing.length === 0) return
  throw new ConfigError(
    `Parameter 'endpoint: ${endpoint}' has placeholders, but chunk keys doesn't have keys ${missing.join(',')}`,
    { position, hint: `write \`<buffer ${missing.join(',')}>\`` },
  )
}

function partsOf(endpoint: string) {
  const schemeEnd = endpoint.indexOf('://') + 3
  const behind = endpoint.slice(schemeEnd)
  const end = behind.search(/[/?#]/)
  const authority = end < 0 ? behind : behind.slice(0, end)
  const at = authority.lastIndexOf('@')
  return {
    start: endpoint.slice(0, schemeEnd),
    userinfo: at < 0 ? undefined : decodeURIComponent(authority.slice(0, at)),
    host: authority.slice(at + 1),
    rest: (end < 0 ? '' : behind.slice(end)).replace(/#.*$/, ''),
  }
}

/** Nothing but a scheme, a listed host and a port. */
function checkedOrigin(origin: string, allowed: ReadonlySet<string>): string {
  const match = /^https?:\/\/([A-Za-z0-9._-]+|\[[0-9a-fA-F:.]+\])(:\d{1,5})?$/.exec(origin)
  const host = match?.[1]?.toLowerCase()
  if (host !== undefined && allowed.has(host)) return origin
  throw new PermanentError(
    'host_not_allowed',
    `Not allowed host: ${(host ?? origin).slice(0, 100)}`,
  )
}

function encode(value: string): string {
  // Half of a surrogate pair is no character, and encodeURIComponent throws at it.
  return encodeURIComponent(value.replace(/\p{Surrogate}/gu, '\ufffd'))
}

/** `.` and `..`, plain or encoded: whoever reads the URL resolves them. */
function hasDotSegment(url: string): boolean {
  const path = url.split('?')[0] as string
  return path.split('/').some((part) => /^(\.|%2e){1,2}$/i.test(part))
}

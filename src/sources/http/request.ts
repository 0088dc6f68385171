import type { HttpRequest } from '../../core/host.ts'
import type { MsgValue } from '../../core/value.ts'
import { textFrom } from '../../transport/line-events.ts'
import { boundaryOf, formPairs, multipartPairs } from './forms.ts'
import { Refusal } from './refusal.ts'
import type { HttpSourceParams } from './shape.ts'

/** What a request's URL says. */
export interface Target {
  readonly tag: string
  readonly query: ReadonlyMap<string, Uint8Array>
}

/** A body's events, by the form they stand in. */
export type Payload = {
  readonly kind: 'json' | 'ndjson' | 'msgpack' | 'text'
  readonly bytes: Uint8Array
}

/** Of `/a/b?x=1`, or the absolute form that proxies send. The tag is `a.b`. Throws Refusal. */
export function targetOf(
  url: string,
  params: Pick<HttpSourceParams, 'addTagPrefix' | 'tagLengthLimit'>,
): Target {
  const relative = url.replace(/^https?:\/\/[^/?#]*/i, '').replace(/#.*$/s, '')
  const mark = relative.indexOf('?')
  const path = mark < 0 ? relative : relative.slice(0, mark)
  const query = mark < 0 ? '' : relative.slice(mark + 1)
  return { tag: tagOf(path, params), query: new Map(formPairs(Buffer.from(query, 'latin1'))) }
}

function tagOf(
  path: string,
  { addTagPrefix, tagLengthLimit }: Pick<HttpSourceParams, 'addTagPrefix' | 'tagLengthLimit'>,
): string {
  if (!path.startsWith('/')) throw new Refusal(400, 'tag', 'the URL has no path, which is the tag')
  const own = path.slice(1).replace(/\/+$/, '').replaceAll('/', '.')
  if (own.length > tagLengthLimit) throw new Refusal(400, 'tag', 'the tag is too long')
  // A URL is ASCII; other bytes could forge lines of a log, or lead a path astray.
  if (!/^[!-~]*$/.test(own)) throw new Refusal(400, 'tag', 'the tag is not ASCII')
  return addTagPrefix === undefined ? own : `${addTagPrefix}.${own}`
}

/** The forms in the order in which they are looked for. */
const fields = ['msgpack', 'json', 'ndjson'] as const
const wanted: ReadonlySet<string> = new Set([...fields, 'time'])

const byContentType: readonly (readonly [string, (typeof fields)[number]])[] = [
  ['application/json', 'json'],
  ['application/csp-report', 'json'],
  ['application/msgpack', 'msgpack'],
  ['application/x-ndjson', 'ndjson'],
]

/** The request's events, and its `time` parameter. Throws Refusal where there are none. */
export function payloadOf(
  request: HttpRequest,
  body: Uint8Array,
  query: Target['query'],
): { payload: Payload; time: Uint8Array | undefined } {
  const given = new Map(query)
  const contentType = request.headers['content-type'] ?? ''
  const type = contentType.toLowerCase()
  if (type.startsWith('application/x-www-form-urlencoded')) {
    for (const [name, value] of formPairs(body, wanted)) given.set(name, value)
  } else if (type.startsWith('multipart/form-data')) {
    const boundary = boundaryOf(contentType)
    if (boundary === undefined) throw new Refusal(400, 'form', 'the form names no boundary')
    for (const [name, value] of multipartPairs(body, boundary)) {
      if (wanted.has(name)) given.set(name, value)
    }
  } else {
    const kind = byContentType.find(([prefix]) => type.startsWith(prefix))?.[1]
    if (kind !== undefined) given.set(kind, body)
  }
  for (const kind of fields) {
    const bytes = given.get(kind)
    if (bytes !== undefined) return { payload: { kind, bytes }, time: given.get('time') }
  }
  throw new Refusal(400, 'content_type', "'json', 'ndjson' or 'msgpack' parameter is required")
}

/** Fields that each record of the request gets. */
export function addedFields(
  request: HttpRequest,
  query: Target['query'],
  params: Pick<HttpSourceParams, 'addHttpHeaders' | 'addQueryParams' | 'addRemoteAddr'>,
): ReadonlyMap<string, MsgValue> {
  const added = new Map<string, MsgValue>()
  if (params.addHttpHeaders) addHeaders(request, added)
  if (params.addQueryParams) {
    for (const [name, value] of query) added.set(`QUERY_${fieldName(name)}`, textFrom(value))
  }
  if (params.addRemoteAddr) added.set('REMOTE_ADDR', clientAddress(request))
  return added
}

/** A header that is sent more than once has all its values. */
function addHeaders(request: HttpRequest, added: Map<string, MsgValue>): void {
  const raw = request.rawHeaders ?? Object.entries(request.headers).flat()
  for (let at = 0; at + 1 < raw.length; at += 2) {
    const name = `HTTP_${fieldName(raw[at] ?? '')}`
    const value = textFrom(Buffer.from(raw[at + 1] ?? '', 'latin1'))
    const before = added.get(name)
    if (before === undefined) added.set(name, value)
    else if (Array.isArray(before)) before.push(value)
    else added.set(name, [before, value])
  }
}

const fieldName = (name: string) => name.replaceAll('-', '_').toUpperCase()

function clientAddress(request: HttpRequest): MsgValue {
  const first = request.headers['x-forwarded-for']?.split(',')[0]?.trim()
  return first === undefined || first === ''
    ? (request.remoteAddress ?? null)
    : textFrom(Buffer.from(first, 'latin1'))
}

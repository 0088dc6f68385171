import { Agent, type Dispatcher, ProxyAgent, request } from 'undici'
import type {
  HttpClient,
  HttpClientOptions,
  HttpClientRequest,
  HttpClientResponse,
  StreamedBody,
} from '../core/host.ts'

/**
 * Bodies up to this size are joined: one write to the socket costs less than several small ones.
 */
const joinLimitBytes = 256 * 1024

/** undici's own defaults are 300 s; these hold where the caller says nothing. */
const defaultConnectTimeoutMs = 60_000
const defaultAnswerTimeoutMs = 60_000
const keepAliveTimeoutMs = 30_000

export function createHttpClient(options: HttpClientOptions): HttpClient {
  const dispatcher = createDispatcher(options)
  return {
    request: (message) => send(message, dispatcher, options),
    // Requests on their way are the callers', who have signals for them: closing cuts off what is
    // left.
    close: () => dispatcher.destroy(),
  }
}

function createDispatcher(options: HttpClientOptions): Dispatcher {
  const connect = {
    timeout: options.connectTimeoutMs ?? defaultConnectTimeoutMs,
    ...definedOf(options.tls ?? {}),
  }
  const pool = {
    connections: options.connections,
    pipelining: options.keepAlive ? 1 : 0,
    keepAliveTimeout: keepAliveTimeoutMs,
    headersTimeout: options.headersTimeoutMs ?? defaultAnswerTimeoutMs,
    bodyTimeout: options.bodyTimeoutMs ?? defaultAnswerTimeoutMs,
    maxHeaderSize: 16 * 1024,
  }
  if (options.proxy === undefined) return new Agent({ ...pool, connect })
  // Plain http goes to the proxy with an absolute URL, as most proxies demand; https through a
  // tunnel.
  return new ProxyAgent({
    ...pool,
    uri: options.proxy,
    proxyTunnel: false,
    requestTls: connect,
    proxyTls: { timeout: connect.timeout },
  })
}

/** undici takes a key that is there with `undefined` for a value in places. */
function definedOf(values: object): Record<string, unknown> {
  return Object.fromEntries(Object.entries(values).filter(([, value]) => value !== undefined))
}

async function send(
  message: HttpClientRequest,
  dispatcher: Dispatcher,
  options: HttpClientOptions,
): Promise<HttpClientResponse> {
  const body = message.body ?? []
  const sizeBytes =
    'pieces' in body ? body.bytes : body.reduce((sum, piece) => sum + piece.byteLength, 0)
  const answer = await request(message.url, {
    dispatcher,
    method: message.method,
    headers:
      message.body === undefined
        ? { ...message.headers }
        : { ...message.headers, 'content-length': String(sizeBytes) },
    body: message.body === undefined ? null : bodyOf(body, sizeBytes),
    signal: message.signal ?? null,
  })
  return {
    status: answer.statusCode,
    headers: plainHeaders(answer.headers),
    body: await readCapped(answer.body, options.maxResponseBytes),
  }
}

function bodyOf(
  body: readonly Uint8Array[] | StreamedBody,
  sizeBytes: number,
): Dispatcher.DispatchOptions['body'] {
  if ('pieces' in body) return body.pieces as unknown as Dispatcher.DispatchOptions['body']
  if (body.length === 1) return body[0] as Uint8Array
  if (sizeBytes <= joinLimitBytes) return Buffer.concat(body)
  // undici takes any iterable; its types name only a part of what it takes.
  return body.values() as unknown as Dispatcher.DispatchOptions['body']
}

function plainHeaders(
  headers: Record<string, string | string[] | undefined>,
): Record<string, string | undefined> {
  const plain: Record<string, string | undefined> = Object.create(null)
  for (const [name, value] of Object.entries(headers)) {
    plain[name] = Array.isArray(value) ? value.join(', ') : value
  }
  return plain
}

/** The first `limitBytes` of the body. What follows is not waited for: its connection is closed. */
async function readCapped(
  body: AsyncIterable<Uint8Array>,
  limitBytes: number,
): Promise<Uint8Array> {
  const pieces: Uint8Array[] = []
  let left = limitBytes
  for await (const piece of body) {
    pieces.push(piece.byteLength > left ? piece.subarray(0, left) : piece)
    left -= piece.byteLength
    if (left < 0) break
  }
  return pieces.length === 1 ? (pieces[0] as Uint8Array) : Buffer.concat(pieces)
}

import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { HttpRequest, HttpResponse, Listener, TlsServerOptions } from '../core/host.ts'
import type { Logger } from '../core/log.ts'
import { plainAddress } from './node-connection.ts'
import { superviseTls, tlsServerOptions } from './node-tls-server.ts'

/**
 * Limits of the small servers (metrics, health, monitoring): their clients are scrapers, not
 * browsers.
 */
const limits = {
  headerBytes: 16 * 1024,
  headersTimeoutMs: 10_000,
  requestTimeoutMs: 30_000,
  keepAliveTimeoutMs: 65_000,
  connections: 256,
}

interface ServeOptions {
  readonly host: string
  readonly port: number
  readonly maxBodyBytes: number
  readonly tls?: TlsServerOptions | undefined
  readonly log: Logger
  handle(request: HttpRequest): Promise<HttpResponse> | HttpResponse
}

export async function serveHttp(options: ServeOptions): Promise<Listener> {
  const server = await createFor(options, (incoming, outgoing) => {
    serveOne(incoming, outgoing, options).catch((error: unknown) => {
      options.log.debug('HTTP client went away', { error })
      outgoing.destroy()
    })
  })
  server.maxConnections = limits.connections
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject)
    server.listen({ host: options.host, port: options.port }, () => {
      server.removeListener('error', reject)
      resolve()
    })
  })
  server.on('error', (error) => options.log.warn('cannot accept a connection', { error }))
  const bound = server.address()
  const port = bound !== null && typeof bound === 'object' ? bound.port : options.port
  let closed: Promise<void> | undefined
  return {
    address: { kind: 'tcp', host: options.host, port },
    close() {
      closed ??= new Promise((resolve) => {
        server.close(() => resolve())
        server.closeIdleConnections()
        // A scraper that keeps its request open must not hold up the end.
        server.closeAllConnections()
      })
      return closed
    },
  }
}

async function createFor(
  { tls }: ServeOptions,
  serve: (incoming: IncomingMessage, outgoing: ServerResponse) => void,
): Promise<Server> {
  const common = {
    maxHeaderSize: limits.headerBytes,
    headersTimeout: limits.headersTimeoutMs,
    requestTimeout: limits.requestTimeoutMs,
    keepAliveTimeout: limits.keepAliveTimeoutMs,
  }
  if (tls === undefined) return createServer(common, serve)
  const https = await import('node:https')
  const server = https.createServer({ ...common, ...tlsServerOptions(tls) }, serve)
  superviseTls(server, tls)
  return server
}

async function serveOne(
  incoming: IncomingMessage,
  outgoing: ServerResponse,
  options: ServeOptions,
): Promise<void> {
  const body = await readBody(incoming, options.maxBodyBytes)
  if (body === undefined) {
    answer(outgoing, { status: 413, headers: { connection: 'close' }, body: 'body too large\n' })
    return
  }
  let response: HttpResponse
  try {
    response = await options.handle({
      method: incoming.method ?? 'GET',
      url: incoming.url ?? '/',
      headers: plainHeaders(incoming.headers),
      remoteAddress: plainAddress(incoming.socket.remoteAddress),
      body,
    })
  } catch (error) {
    options.log.error('HTTP request failed', { url: incoming.url, error })
    response = { status: 500, body: 'internal error\n' }
  }
  answer(outgoing, response)
}

/** undefined: longer than `limitBytes`. Rejects if the client goes away. */
async function readBody(
  incoming: IncomingMessage,
  limitBytes: number,
): Promise<Uint8Array | undefined> {
  const pieces: Uint8Array[] = []
  let sizeBytes = 0
  if (Number(incoming.headers['content-length'] ?? 0) > limitBytes) return undefined
  for await (const piece of incoming as AsyncIterable<Uint8Array>) {
    sizeBytes += piece.byteLength
    if (sizeBytes > limitBytes) return undefined
    pieces.push(piece)
  }
  return Buffer.concat(pieces)
}

function plainHeaders(headers: IncomingMessage['headers']): Record<string, string | undefined> {
  const plain: Record<string, string | undefined> = Object.create(null)
  for (const [name, value] of Object.entries(headers)) {
    plain[name] = Array.isArray(value) ? value.join(', ') : value
  }
  return plain
}

function answer(outgoing: ServerResponse, response: HttpResponse): void {
  const body = typeof response.body === 'string' ? Buffer.from(response.body) : response.body
  outgoing.writeHead(response.status, {
    ...response.headers,
    'content-length': String(body?.byteLength ?? 0),
  })
  outgoing.end(body)
}

import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { Socket } from 'node:net'
import type {
  HttpListener,
  HttpRefusal,
  HttpRequest,
  HttpResponse,
  HttpServeOptions,
} from '../core/host.ts'
import type { Logger } from '../core/log.ts'
import { heapGrowth } from './heap-growth.ts'
import { plainAddress } from './node-connection.ts'
import { readHttpBody } from './node-http-body.ts'
import { superviseTls, tlsServerOptions } from './node-tls-server.ts'

/** Limits of all servers, and those that hold where the caller says nothing. */
const limits = {
  headerBytes: 16 * 1024,
  headersTimeoutMs: 10_000,
  requestTimeoutMs: 30_000,
  keepAliveTimeoutMs: 65_000,
  connections: 256,
  /** Requests of one connection whose answers it has not got: pipelining is rare, and not paced by Node. */
  unanswered: 16,
  /** How late a timeout may be noticed. */
  timeoutCheckMs: 1_000,
}

type Options = HttpServeOptions & { readonly log: Logger; readonly exclusive: boolean }

export async function serveHttp(options: Options): Promise<HttpListener> {
  const server = new HttpServer(options)
  await server.listen()
  return server
}

class HttpServer implements HttpListener {
  readonly #options: Options
  readonly #unanswered = new WeakMap<Socket, number>()
  #server: Server | undefined
  #closed: Promise<void> | undefined
  #draining = false
  #port: number

  constructor(options: Options) {
    this.#options = options
    this.#port = options.port
  }

  get address(): HttpListener['address'] {
    return { kind: 'tcp', host: this.#options.host, port: this.#port }
  }

  async listen(): Promise<void> {
    const { host, port, log, backlog, exclusive } = this.#options
    const server = await this.#create()
    this.#server = server
    if (this.#options.connections === undefined) {
      server.maxConnections = limits.connections
      server.on('drop', (from) => {
        this.#options.refused?.('max_connections', plainAddress(from?.remoteAddress))
      })
    } else server.prependListener('connection', (socket: Socket) => this.#opened(socket))
    server.on('checkContinue', (incoming, outgoing) => this.#expectant(incoming, outgoing))
    server.on('clientError', (error: NodeJS.ErrnoException, socket) =>
      this.#clientError(error, socket as Socket),
    )
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject)
      server.listen(
        { host, port, exclusive, ...(backlog === undefined ? {} : { backlog }) },
        () => {
          server.removeListener('error', reject)
          resolve()
        },
      )
    })
    server.on('error', (error) => log.warn('cannot accept a connection', { error }))
    const bound = server.address()
    if (bound !== null && typeof bound === 'object') this.#port = bound.port
  }

  drain(): void {
    this.#draining = true
    this.#end()
    this.#server?.closeIdleConnections()
  }

  async close(): Promise<void> {
    const closed = this.#end()
    // A client that keeps its request open must not hold up the end.
    this.#server?.closeAllConnections()
    await closed
  }

  #end(): Promise<void> {
    this.#closed ??= new Promise((resolve) => {
      if (this.#server === undefined) resolve()
      else this.#server.close(() => resolve())
    })
    return this.#closed
  }

  async #create(): Promise<Server> {
    const { tls, requestTimeoutMs = limits.requestTimeoutMs } = this.#options
    const common = {
      maxHeaderSize: limits.headerBytes,
      headersTimeout: Math.min(limits.headersTimeoutMs, requestTimeoutMs),
      requestTimeout: requestTimeoutMs,
      keepAliveTimeout: this.#options.keepAliveTimeoutMs ?? limits.keepAliveTimeoutMs,
      connectionsCheckingInterval: limits.timeoutCheckMs,
    }
    const serve = (incoming: IncomingMessage, outgoing: ServerResponse) =>
      this.#serve(incoming, outgoing)
    if (tls === undefined) return createServer(common, serve)
    const https = process.getBuiltinModule('node:https')
    const server = https.createServer({ ...common, ...tlsServerOptions(tls) }, serve)
    superviseTls(server, tls)
    return server
  }

  #opened(socket: Socket): void {
    const { connections } = this.#options
    const address = plainAddress(socket.remoteAddress)
    if (connections === undefined) return
    if (!connections.opened(address)) {
      socket.resetAndDestroy()
      return
    }
    heapGrowth.opened()
    socket.once('close', () => {
      heapGrowth.closed()
      connections.closed(address)
    })
  }

  /** `Expect: 100-continue`: whose body would be refused is told before it is sent. */
  #expectant(incoming: IncomingMessage, outgoing: ServerResponse): void {
    const { maxBodyBytes } = this.#options
    if (Number(incoming.headers['content-length'] ?? 0) <= maxBodyBytes) outgoing.writeContinue()
    this.#serve(incoming, outgoing)
  }

  #clientError(error: NodeJS.ErrnoException, socket: Socket): void {
    const [reason, status] = clientErrors[error.code ?? ''] ?? ['malformed', '400 Bad Request']
    // A connection that just ends or breaks is no request that was refused.
    if (error.code !== 'ECONNRESET' && error.code !== 'HPE_INVALID_EOF_STATE') {
      this.#options.refused?.(reason, plainAddress(socket.remoteAddress))
    }
    if (socket.writable) socket.end(`HTTP/1.1 ${status}\r\nConnection: close\r\n\r\n`)
    else socket.destroy()
  }

  #serve(incoming: IncomingMessage, outgoing: ServerResponse): void {
    const { socket } = incoming
    const unanswered = (this.#unanswered.get(socket) ?? 0) + 1
    if (unanswered > limits.unanswered) {
      this.#options.refused?.('pipelining', plainAddress(socket.remoteAddress))
      socket.destroy()
      return
    }
    this.#unanswered.set(socket, unanswered)
    outgoing.once('close', () => {
      this.#unanswered.set(socket, (this.#unanswered.get(socket) ?? 1) - 1)
    })
    this.#serveOne(incoming, outgoing).catch((error: unknown) => {
      this.#options.log.debug('HTTP client went away', { error })
      outgoing.destroy()
    })
  }

  async #serveOne(incoming: IncomingMessage, outgoing: ServerResponse): Promise<void> {
    const { budget, maxBodyBytes } = this.#options
    const body = await readHttpBody(incoming, maxBodyBytes, budget)
    if (body === 'body_size' || body === 'budget') {
      this.#options.refused?.(body, plainAddress(incoming.socket.remoteAddress))
      this.#answer(outgoing, refusals[body])
      return
    }
    try {
      this.#answer(outgoing, await this.#handle(incoming, body))
    } finally {
      budget?.give(body.byteLength)
    }
  }

  async #handle(incoming: IncomingMessage, body: Uint8Array): Promise<HttpResponse> {
    const request: HttpRequest = {
      method: incoming.method ?? 'GET',
      url: incoming.url ?? '/',
      headers: plainHeaders(incoming.headers),
      rawHeaders: incoming.rawHeaders,
      remoteAddress: plainAddress(incoming.socket.remoteAddress),
      body,
    }
    try {
      return await this.#options.handle(request)
    } catch (error) {
      this.#options.log.error('HTTP request failed', { url: incoming.url, error })
      return { status: 500, body: 'internal error\n' }
    }
  }

  #answer(outgoing: ServerResponse, response: HttpResponse): void {
    const body = typeof response.body === 'string' ? Buffer.from(response.body) : response.body
    if (response.onSent !== undefined) outgoing.once('close', response.onSent)
    outgoing.writeHead(response.status, {
      ...response.headers,
      ...(this.#draining ? { connection: 'close' } : {}),
      // 204 has no body, and by RFC 9110 (8.6) no length either.
      ...(response.status === 204 ? {} : { 'content-length': String(body?.byteLength ?? 0) }),
    })
    outgoing.end(body)
  }
}

const refusals: Readonly<Record<'body_size' | 'budget', HttpResponse>> = {
  body_size: {
    status: 413,
    headers: { 'content-type': 'text/plain', connection: 'close' },
    body: 'Too large',
  },
  budget: {
    status: 503,
    headers: { 'content-type': 'text/plain', connection: 'close', 'retry-after': '1' },
    body: 'too many bodies at once\n',
  },
}

const clientErrors: Readonly<Record<string, [HttpRefusal, string] | undefined>> = {
  HPE_HEADER_OVERFLOW: ['header_size', '431 Request Header Fields Too Large'],
  ERR_HTTP_REQUEST_TIMEOUT: ['request_timeout', '408 Request Timeout'],
}

function plainHeaders(headers: IncomingMessage['headers']): Record<string, string | undefined> {
  const plain: Record<string, string | undefined> = Object.create(null)
  for (const [name, value] of Object.entries(headers)) {
    plain[name] = Array.isArray(value) ? value.join(', ') : value
  }
  return plain
}

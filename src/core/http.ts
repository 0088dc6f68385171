import type { Listener } from './host.ts'
import type { TlsServerOptions } from './tls.ts'

export interface HttpRequest {
  readonly method: string
  /** Path and query, as received. */
  readonly url: string
  /** Lower-case names. Repeated ones are joined by commas. */
  readonly headers: Readonly<Record<string, string | undefined>>
  /** Names and values by turns, as received: one character is one byte. */
  readonly rawHeaders?: readonly string[]
  readonly remoteAddress: string | undefined
  readonly body: Uint8Array
}

export interface HttpResponse {
  readonly status: number
  readonly headers?: Readonly<Record<string, string>>
  readonly body?: Uint8Array | string
  /** Called once the answer has been handed over, or its client is gone. */
  readonly onSent?: () => void
}

export interface HttpClientRequest {
  readonly method: 'GET' | 'POST' | 'PUT'
  readonly url: string
  readonly headers: Readonly<Record<string, string>>
  readonly body?: readonly Uint8Array[] | StreamedBody | undefined
  readonly signal?: AbortSignal
}

/** A body that comes piece by piece. Pieces are the client's: nobody changes them. */
export interface StreamedBody {
  /** Of all pieces. */
  readonly bytes: number
  readonly pieces: AsyncIterable<Uint8Array>
}

export interface HttpClientResponse {
  readonly status: number
  readonly headers: Readonly<Record<string, string | undefined>>
  /** At most `maxResponseBytes` of it. */
  readonly body: Uint8Array
}

export interface HttpClientOptions {
  /** Connections kept alive to one origin. */
  readonly connections: number
  readonly keepAlive: boolean
  readonly connectTimeoutMs?: number | undefined
  readonly headersTimeoutMs?: number | undefined
  readonly bodyTimeoutMs?: number | undefined
  readonly maxResponseBytes: number
  /** http://[user:password@]host:port of a forward proxy. */
  readonly proxy?: string | undefined
  readonly tls?: {
    readonly ca?: Uint8Array | undefined
    readonly cert?: Uint8Array | undefined
    readonly key?: Uint8Array | undefined
    readonly passphrase?: string | undefined
    readonly rejectUnauthorized: boolean
    readonly minVersion?: 'TLSv1.1' | 'TLSv1.2' | 'TLSv1.3' | undefined
    readonly maxVersion?: 'TLSv1.1' | 'TLSv1.2' | 'TLSv1.3' | undefined
    readonly ciphers?: string | undefined
  }
}

/** Never follows a redirect. */
export interface HttpClient {
  request(request: HttpClientRequest): Promise<HttpClientResponse>
  close(): Promise<void>
}

/** Room that requests share: `take` says whether there was so much left, and takes it; `give` gives it back. */
export interface ByteBudget {
  take(bytes: number): boolean
  give(bytes: number): void
}

/**
 * Why the server itself refused a request or a connection: a body longer than `maxBodyBytes`, or for which the budget had no
 * room; headers longer than `headerBytes`; a request that did not come in time; no HTTP; more requests than
 * answers on one connection; more connections than a server without `connections` has room for.
 */
export type HttpRefusal =
  | 'body_size'
  | 'budget'
  | 'header_size'
  | 'request_timeout'
  | 'malformed'
  | 'pipelining'
  | 'max_connections'

export interface HttpServeOptions {
  readonly host: string
  readonly port: number
  readonly maxBodyBytes: number
  readonly backlog?: number | undefined
  readonly tls?: TlsServerOptions | undefined
  /** How long a connection is kept between requests, and how long a request may take to come. */
  readonly keepAliveTimeoutMs?: number | undefined
  readonly requestTimeoutMs?: number | undefined
  /** Bodies are taken from it as they come, and given back when their requests are answered. */
  readonly budget?: ByteBudget | undefined
  /**
   * Asked for each connection before anything is read, also before TLS: false closes it at once. `closed` is called
   * for each one that was let in. Without it the server has a limit of its own.
   */
  readonly connections?: {
    opened(remoteAddress: string | undefined): boolean
    closed(remoteAddress: string | undefined): void
  }
  /** Told of what `handle` does not see. */
  refused?(reason: HttpRefusal, remoteAddress: string | undefined): void
  /** May reject: then the answer is 500, and the error is logged. */
  handle(request: HttpRequest): Promise<HttpResponse> | HttpResponse
}

export interface HttpListener extends Listener {
  /** Takes no further connections; requests that are there are answered, and their connections closed then. */
  drain(): void
  /** Closes what is open, whatever it is doing. */
  close(): Promise<void>
}

export interface Http {
  client(options: HttpClientOptions): HttpClient
  /** Bodies come whole, before `handle` is called. */
  serve(options: HttpServeOptions): Promise<HttpListener>
}

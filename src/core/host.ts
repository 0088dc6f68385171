import type { Disk } from './disk.ts'
import type { Logger } from './log.ts'
import type { Metrics } from './metrics.ts'
import type { TlsClientOptions, TlsIdentity, TlsServerOptions } from './tls.ts'

export type {
  Disk,
  FileHandle,
  FileStat,
  FileTarget,
  FileWatch,
  OpenFlags,
} from './disk.ts'
export type {
  TlsClientOptions,
  TlsFailure,
  TlsFailureReason,
  TlsIdentity,
  TlsServerOptions,
  TlsVersion,
} from './tls.ts'

/**
 * All of the outside world, handed in: with a virtual clock, a faulty disk and in-memory sockets a
 * run is repeatable from one seed. Only src/host implements this with Node's own modules.
 */
export interface Host {
  readonly clock: Clock
  readonly disk: Disk
  readonly net: Net
  readonly http: Http
  readonly random: Random
  readonly log: Logger
  readonly metrics: Metrics
  /** The process's environment variables, its host name and process id. */
  readonly env: Readonly<Record<string, string | undefined>>
  readonly hostname: string
  readonly pid: number
  /** The process's standard output: events of stdout outputs and filters, and nothing else. */
  readonly stdout: StdoutWriter
}

/**
 * The one writer of standard output, shared by everything that prints events. Bytes go out in the
 * order of the calls, whole: one asynchronous write to file descriptor 1 is in flight at a time,
 * what comes meanwhile is queued and goes with the next one. EAGAIN (a full pipe whose descriptor
 * is non-blocking) is retried; after EPIPE nothing more is written, and it is logged once.
 */
export interface StdoutWriter {
  /**
   * Copies `bytes` (they may be a view of something borrowed). Undefined: queued, and there is room
   * for more. A pending promise: queued too, but `stdoutQueueLimitBytes` are waiting; it settles
   * once there is room again, and a caller that can push back waits for it. Rejects if standard
   * output is gone (EPIPE): these bytes were not written.
   */
  write(bytes: Uint8Array): void | Promise<void>
  /**
   * Settles when all that was queued has been written, or standard output is gone. For shutdown.
   */
  drain(): Promise<void>
}

/** Bytes that may wait for standard output before `StdoutWriter.write` pushes back. */
export const stdoutQueueLimitBytes = 8 * 1024 * 1024

export interface Random {
  /** As Math.random: at least 0, less than 1. */
  unit(): number
  bytes(count: number): Uint8Array
}

export interface Timer {
  cancel(): void
}

export interface Clock {
  /** Milliseconds since 1970, with fractions where the platform has them. */
  wallMs(): number
  /** Milliseconds that never go back; only differences mean something. */
  monotonicMs(): number
  /** Runs `run` once, `delayMs` from now. Does not keep the process alive by itself. */
  after(delayMs: number, run: () => void): Timer
  /** Runs `run` after I/O that is ready now has been served: for cutting long work into slices. */
  soon(run: () => void): void
  /** Seconds east of UTC that local time (the TZ variable) has at that moment. */
  localOffsetSeconds(epochSeconds: number): number
}

// ---- sockets

export type ListenAddress =
  | { readonly kind: 'tcp'; readonly host: string; readonly port: number }
  | {
      readonly kind: 'unix'
      readonly path: string
      readonly mode?: number
      /** Numbers of the user and group that the socket shall belong to; left out: as it is made. */
      readonly uid?: number
      readonly gid?: number
    }

export interface ListenOptions {
  readonly address: ListenAddress
  readonly backlog?: number | undefined
  /**
   * Where connections read into, all of them in turn: a view of kernel memory. What `onData` gets
   * is then a view of its start. Without it each read brings a buffer of its own.
   */
  readonly readArea?: Uint8Array | undefined
  /** Connections are TLS: `accept` gets them when the handshake is done. `readArea` is not used then. */
  readonly tls?: TlsServerOptions | undefined
  /** Asked first of all, before TLS: false closes the connection at once. */
  admits?(remoteAddress: string | undefined): boolean
  /** Called for each connection before anything is read; returns who gets its bytes. */
  accept(connection: Connection): ConnectionHandler
}

export interface Listener {
  /** The real address: with the port that was chosen for port 0. */
  readonly address: ListenAddress
  /** Stops accepting; connections stay. */
  close(): Promise<void>
}

/** Callbacks run on the event loop's thread, never inside a call made by the handler itself. */
export interface ConnectionHandler {
  /** `bytes` are borrowed: valid until the call returns. */
  onData(bytes: Uint8Array): void
  /** The peer ended its side. Ours stays open until `end` or `destroy`. */
  onEnd(): void
  /**
   * All that `write` took has gone to the kernel. Only after a write that left `unsentBytes` above
   * 0.
   */
  onDrain(): void
  /** Nothing follows. Called exactly once. */
  onClose(error: Error | undefined): void
}

export interface Connection {
  readonly remoteAddress: string | undefined
  readonly remotePort: number | undefined
  /** Bytes given to `write` that the kernel has not taken yet: to be kept bounded by the caller. */
  readonly unsentBytes: number
  /** Copies or keeps `bytes`: the caller must not change them afterwards. */
  write(bytes: Uint8Array): void
  pause(): void
  resume(): void
  /** Sends what is written, then FIN. */
  end(): void
  /** Closes at once; with a TCP reset where `reset` is set. */
  destroy(options?: { reset?: boolean }): void
  setKeepAlive(on: boolean): void
}

export interface UdpSocket {
  readonly port: number
  send(bytes: Uint8Array, port: number, address: string): void
  close(): Promise<void>
}

export interface Net {
  /** Rejects with Node's error (EADDRINUSE, EACCES ...). */
  listen(options: ListenOptions): Promise<Listener>
  /**
   * Connects as a client (the forward output, `sluice cat`). Rejects with ECONNREFUSED and the
   * like. With `tls` the connection is one once the peer has proved who it is; `timeoutMs` is for
   * all of it.
   */
  connect(
    options: {
      address: ListenAddress
      timeoutMs: number
      signal?: AbortSignal
      tls?: TlsClientOptions | undefined
    },
    handler: (connection: Connection) => ConnectionHandler,
  ): Promise<Connection>
  listenUdp(options: {
    host: string
    port: number
    onMessage(bytes: Uint8Array, from: { address: string; port: number }): void
  }): Promise<UdpSocket>
  /** Throws what OpenSSL has against the certificate, the key or the ciphers. */
  checkTls?(identity: TlsIdentity, options: Omit<TlsServerOptions, 'identity'>): void
  /** Name of an address by the resolver (getnameinfo); the address itself if it has none. */
  reverseLookup(address: string): Promise<string>
  /**
   * Addresses of a host name, in the resolver's order, one at least. Rejects with ENOTFOUND and the
   * like.
   */
  lookup?(host: string): Promise<readonly string[]>
  /**
   * SRV records of a name, and with `addresses` their targets' addresses, asked of `server` (`host`
   * or `host:port`) if given.
   */
  resolveSrv?(
    name: string,
    options: { server?: string | undefined; addresses: boolean },
  ): Promise<readonly SrvRecord[]>
}

export interface SrvRecord {
  readonly priority: number
  readonly weight: number
  readonly port: number
  readonly target: string
  /** The target's first address, where it was asked for. */
  readonly address: string | undefined
}

// ---- HTTP

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
}

export interface HttpClientRequest {
  readonly method: 'GET' | 'POST' | 'PUT'
  readonly url: string
  readonly headers: Readonly<Record<string, string>>
  readonly body?: readonly Uint8Array[] | undefined
  readonly signal?: AbortSignal
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
 * answers on one connection.
 */
export type HttpRefusal =
  | 'body_size'
  | 'budget'
  | 'header_size'
  | 'request_timeout'
  | 'malformed'
  | 'pipelining'

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

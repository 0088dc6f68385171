import type { Disk } from './disk.ts'
import type { Http } from './http.ts'
import type { Logger } from './log.ts'
import type { Metrics } from './metrics.ts'
import type { MemoryWatch, Processes } from './process.ts'
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
  ByteBudget,
  Http,
  HttpClient,
  HttpClientOptions,
  HttpClientRequest,
  HttpClientResponse,
  HttpListener,
  HttpRefusal,
  HttpRequest,
  HttpResponse,
  HttpServeOptions,
  StreamedBody,
} from './http.ts'
export type {
  ChildProcess,
  MemoryFigures,
  MemoryWatch,
  ProcessExit,
  Processes,
  ProcessHandler,
  ProcessOptions,
} from './process.ts'
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
  readonly processes: Processes
  readonly random: Random
  readonly log: Logger
  readonly metrics: Metrics
  /** The process's environment variables, its host name and process id. */
  readonly env: Readonly<Record<string, string | undefined>>
  readonly hostname: string
  readonly pid: number
  /** The process's standard output: events of stdout outputs and filters, and nothing else. */
  readonly stdout: StdoutWriter
  /** Observes the garbage collector, which costs a little, until it is stopped. */
  watchMemory(): MemoryWatch
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
   * Settles when all that was queued up to now has been written (true), or standard output is gone and it was not.
   */
  drain(): Promise<boolean>
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

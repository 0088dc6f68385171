/**
 * How a client takes part in TLS. One object for many connections: what is made from it is kept
 * with it.
 */
export interface TlsClientOptions {
  /** Certificates to trust beside the public ones, in PEM. */
  readonly ca?: readonly Uint8Array[] | undefined
  /** Our own certificate, those it was signed by behind it, and its key, in PEM. */
  readonly cert?: Uint8Array | undefined
  readonly key?: Uint8Array | undefined
  readonly passphrase?: string | undefined
  readonly minVersion?: 'TLSv1.1' | 'TLSv1.2' | 'TLSv1.3' | undefined
  readonly maxVersion?: 'TLSv1.1' | 'TLSv1.2' | 'TLSv1.3' | undefined
  readonly ciphers?: string | undefined
  /** Whether the peer's certificate must be signed by someone trusted. */
  readonly verify: boolean
  /** Whether it must be for `servername` (or the address where there is none). */
  readonly verifyHostname: boolean
  /** The name that the peer is asked for (SNI). */
  readonly servername?: string | undefined
}

/** How a server takes part in TLS. */
export interface TlsServerOptions {
  /**
   * What it proves itself with: asked at `listen` and at each new connection, so it must be quick,
   * and not throw. Another object than the last time takes the place of the old one; connections
   * that are open stay as they are.
   */
  identity(): TlsIdentity
  readonly minVersion: TlsVersion
  readonly maxVersion: TlsVersion
  readonly ciphers?: string | undefined
  /** Whether clients must show a certificate signed by one of the identity's `ca`. */
  readonly clientCertificates: boolean
  /** What a client may take for its handshake. */
  readonly handshakeTimeoutMs: number
  /** A connection that did not become one, and was closed. */
  onFailure(failure: TlsFailure): void
}

export type TlsVersion = 'TLSv1.1' | 'TLSv1.2' | 'TLSv1.3'

/** In PEM. */
export interface TlsIdentity {
  /** Our certificate, and behind it those it was signed by. */
  readonly cert: string
  readonly key: string
  readonly passphrase?: string | undefined
  /** Who may sign certificates of clients. */
  readonly ca?: string | undefined
}

export interface TlsFailure {
  readonly reason: TlsFailureReason
  readonly remoteAddress: string | undefined
  readonly error: Error
}

/**
 * plaintext: what came is no TLS. version, cipher: nothing in common. client_certificate: none, or
 * one that we do not trust. refused: the client does not trust ours. timeout: too slow. too_many:
 * the oldest of too many unfinished ones made room. closed: the client went away. protocol: anything
 * else.
 */
export type TlsFailureReason =
  | 'plaintext'
  | 'version'
  | 'cipher'
  | 'client_certificate'
  | 'refused'
  | 'timeout'
  | 'too_many'
  | 'closed'
  | 'protocol'

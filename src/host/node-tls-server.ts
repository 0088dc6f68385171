import type { Socket } from 'node:net'
import type tls from 'node:tls'
import type { TlsFailureReason, TlsIdentity, TlsServerOptions, TlsVersion } from '../core/host.ts'
import { tlsModule } from './tls-module.ts'

/**
 * Handshakes under way at once. Beyond, the oldest is cut off: an honest one takes milliseconds, so
 * the oldest are those of clients that connect and say nothing.
 */
const handshakesLimit = 1024

type Settings = Omit<TlsServerOptions, 'identity'>

/** What OpenSSL is told for the identity. */
function secureOptions(identity: TlsIdentity, options: Settings): tls.SecureContextOptions {
  const { minVersion, maxVersion, ciphers } = options
  return {
    cert: identity.cert,
    key: identity.key,
    minVersion,
    maxVersion,
    ...(identity.passphrase === undefined ? {} : { passphrase: identity.passphrase }),
    ...(identity.ca === undefined ? {} : { ca: identity.ca }),
    ...ciphersOf(minVersion, ciphers),
  }
}

/** OpenSSL 3 has TLS 1.1 only at its lowest level of security. */
function ciphersOf(minVersion: TlsVersion, ciphers: string | undefined): { ciphers?: string } {
  if (ciphers !== undefined) return { ciphers }
  return minVersion === 'TLSv1.1' ? { ciphers: `${tlsModule().DEFAULT_CIPHERS}:@SECLEVEL=0` } : {}
}

/** See Net.checkTls. */
export function checkTls(identity: TlsIdentity, options: Settings): void {
  tlsModule().createSecureContext(secureOptions(identity, options))
}

/** For tls.createServer and https.createServer. */
export function tlsServerOptions(options: TlsServerOptions): tls.TlsOptions {
  return {
    ...secureOptions(options.identity(), options),
    requestCert: options.clientCertificates,
    rejectUnauthorized: options.clientCertificates,
    handshakeTimeout: options.handshakeTimeoutMs,
  }
}

/**
 * Has the server (of TLS or HTTPS) ask for its identity at each connection, and tell of handshakes
 * that fail. To be called before it listens; `server` must see raw connections as 'connection'.
 */
export function superviseTls(server: tls.Server, options: TlsServerOptions): void {
  let identity = options.identity()
  const pending = new Set<Socket>()
  server.prependListener('connection', (socket: Socket) => {
    const now = options.identity()
    if (now !== identity) {
      identity = now
      server.setSecureContext(secureOptions(now, options))
    }
    if (pending.size >= handshakesLimit) dropOldest(pending, options)
    pending.add(socket)
    socket.once('close', () => pending.delete(socket))
  })
  server.on('secureConnection', (secure) => pending.delete(rawOf(secure)))
  server.on('tlsClientError', (error: NodeJS.ErrnoException, secure) => {
    const raw = rawOf(secure)
    const known = pending.delete(raw)
    const remoteAddress = raw.remoteAddress ?? secure.remoteAddress
    const reason = reasonOf(error, secure)
    // Node leaves closing to us.
    secure.destroy()
    raw.destroy()
    if (known) options.onFailure({ reason, remoteAddress: plain(remoteAddress), error })
  })
}

/** The socket below; Node has it as `_parent`. */
function rawOf(secure: tls.TLSSocket): Socket {
  return (secure as unknown as { _parent?: Socket })._parent ?? secure
}

function dropOldest(pending: Set<Socket>, options: TlsServerOptions): void {
  for (const socket of pending) {
    pending.delete(socket)
    const error = new Error(`${handshakesLimit} handshakes are under way`)
    options.onFailure({ reason: 'too_many', remoteAddress: plain(socket.remoteAddress), error })
    socket.destroy()
    return
  }
}

function plain(address: string | undefined): string | undefined {
  return address?.replace(/^::ffff:(?=[\d.]+$)/, '')
}

const reasons: Readonly<Record<string, TlsFailureReason>> = {
  ERR_SSL_WRONG_VERSION_NUMBER: 'plaintext',
  ERR_SSL_HTTP_REQUEST: 'plaintext',
  ERR_SSL_HTTPS_PROXY_REQUEST: 'plaintext',
  ERR_SSL_UNSUPPORTED_PROTOCOL: 'version',
  ERR_SSL_VERSION_TOO_LOW: 'version',
  ERR_SSL_NO_PROTOCOLS_AVAILABLE: 'version',
  ERR_SSL_NO_SHARED_CIPHER: 'cipher',
  ERR_SSL_NO_SUITABLE_SIGNATURE_ALGORITHM: 'cipher',
  ERR_SSL_PEER_DID_NOT_RETURN_A_CERTIFICATE: 'client_certificate',
  ERR_SSL_CERTIFICATE_VERIFY_FAILED: 'client_certificate',
  ERR_TLS_HANDSHAKE_TIMEOUT: 'timeout',
  ECONNRESET: 'closed',
  EPIPE: 'closed',
}

function reasonOf(error: NodeJS.ErrnoException, secure: tls.TLSSocket): TlsFailureReason {
  if (secure.authorizationError != null) return 'client_certificate'
  const code = error.code ?? ''
  // The client's own complaint, about our certificate as a rule.
  if (/_ALERT_/.test(code)) return 'refused'
  return reasons[code] ?? 'protocol'
}

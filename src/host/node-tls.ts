import type { Socket } from 'node:net'
import type tls from 'node:tls'
import type { TlsClientOptions } from '../core/host.ts'
import { tlsModule } from './tls-module.ts'

/** Reading certificates costs milliseconds: it is done once for the options of many connections. */
const contexts = new WeakMap<TlsClientOptions, tls.SecureContext>()

function contextOf(options: TlsClientOptions): tls.SecureContext {
  let context = contexts.get(options)
  if (context === undefined) {
    const { ca = [], cert, key, passphrase, minVersion, maxVersion, ciphers } = options
    context = tlsModule().createSecureContext({
      // What stands in `ca` takes the place of the public ones, hence both.
      ...(ca.length > 0 ? { ca: [...tlsModule().rootCertificates, ...ca.map(textOf)] } : {}),
      ...(cert === undefined ? {} : { cert: textOf(cert) }),
      ...(key === undefined ? {} : { key: textOf(key) }),
      ...(passphrase === undefined ? {} : { passphrase }),
      ...(minVersion === undefined ? {} : { minVersion }),
      ...(maxVersion === undefined ? {} : { maxVersion }),
      ...(ciphers === undefined ? {} : { ciphers }),
    })
    contexts.set(options, context)
  }
  return context
}

function textOf(pem: Uint8Array): string {
  return Buffer.from(pem.buffer, pem.byteOffset, pem.byteLength).toString('utf8')
}

/**
 * Begins to connect; `secureConnect` follows, and `tlsProblem` is to be asked then. Throws what is
 * wrong with the certificates.
 */
export function openTls(
  place: { host: string; port: number } | { path: string },
  options: TlsClientOptions,
): tls.TLSSocket {
  const { servername } = options
  // The types of Node 20 do not know that `allowHalfOpen` is taken here as well.
  const connecting: tls.ConnectionOptions & { allowHalfOpen: boolean } = {
    ...place,
    allowHalfOpen: true,
    secureContext: contextOf(options),
    ...(servername === undefined ? {} : { servername }),
    // Looked at in tlsProblem, where it can be said in words.
    rejectUnauthorized: false,
    checkServerIdentity: () => undefined,
  }
  return tlsModule().connect(connecting)
}

/** Why the peer is not whom we want to talk to; undefined: it is, or there is no TLS. */
export function tlsProblem(
  socket: Socket | tls.TLSSocket,
  options: TlsClientOptions | undefined,
): Error | undefined {
  if (options === undefined || !(socket instanceof tlsModule().TLSSocket)) return undefined
  if (!options.verify) return undefined
  if (!socket.authorized) {
    const code = String(socket.authorizationError)
    return Object.assign(new Error(`the server's certificate is not trusted: ${code}`), { code })
  }
  if (!options.verifyHostname) return undefined
  const name = options.servername ?? socket.remoteAddress ?? ''
  return tlsModule().checkServerIdentity(name, socket.getPeerCertificate())
}

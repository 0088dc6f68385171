import { isWritten, positionOf } from '../../config/schema.ts'
import { ConfigError } from '../../core/errors.ts'
import type { Host, HttpClientOptions } from '../../core/host.ts'
import type { HttpParams } from './shape.ts'

/** Ruby's defaults for opening a connection and for reading. */
const defaultTimeoutSeconds = 60

/** Bytes of an answer's body that are read. */
const answerLimitBytes = 64 * 1024

/** Reads the certificates: at start. Throws ConfigError where they cannot be read. */
export function clientOptions(
  params: HttpParams,
  host: Host,
  of: { connections: number; secure: boolean },
): HttpClientOptions {
  const openSeconds = (params.openTimeout ?? defaultTimeoutSeconds) + (params.sslTimeout ?? 0)
  const readMs = (params.readTimeout ?? defaultTimeoutSeconds) * 1000
  return {
    connections: of.connections,
    keepAlive: params.reuseConnections || !isWritten(params, 'reuseConnections'),
    connectTimeoutMs: openSeconds * 1000,
    headersTimeoutMs: readMs,
    bodyTimeoutMs: readMs,
    maxResponseBytes: answerLimitBytes,
    proxy: proxyOf(params, host),
    ...(of.secure ? { tls: tlsOf(params, host) } : {}),
  }
}

/** The value may hold a password: errors do not repeat it. */
export function proxyOf(params: HttpParams, { env }: Pick<Host, 'env'>): string | undefined {
  const proxy = params.proxy ?? env.HTTP_PROXY ?? env.http_proxy
  if (proxy === undefined || proxy === '') return undefined
  if (/^https?:\/\/./i.test(proxy) && URL.canParse(proxy)) return proxy
  throw new ConfigError("'proxy' is not the URL of a proxy", {
    position: positionOf(params, 'proxy'),
    hint: 'write http://host:port, in `proxy` or the variable HTTP_PROXY',
  })
}

function tlsOf(params: HttpParams, host: Host): NonNullable<HttpClientOptions['tls']> {
  const version = /1_(\d)$/.exec(params.tlsVersion)?.[1]
  const exact = `TLSv1.${version}` as 'TLSv1.1' | 'TLSv1.2' | 'TLSv1.3'
  return {
    ca: fileOf(params, 'tlsCaCertPath', host),
    cert: fileOf(params, 'tlsClientCertPath', host),
    key: fileOf(params, 'tlsPrivateKeyPath', host),
    passphrase: params.tlsPrivateKeyPassphrase,
    rejectUnauthorized: params.tlsVerifyMode === 'peer',
    minVersion: exact,
    maxVersion: isWritten(params, 'tlsVersion') ? exact : undefined,
    ciphers: isWritten(params, 'tlsCiphers') ? params.tlsCiphers : undefined,
  }
}

function fileOf(
  params: HttpParams,
  name: 'tlsCaCertPath' | 'tlsClientCertPath' | 'tlsPrivateKeyPath',
  host: Host,
): Uint8Array | undefined {
  const path = params[name]
  if (path === undefined) return undefined
  try {
    return host.disk.readFileSync(path)
  } catch (error) {
    const fluentdName = name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`)
    throw new ConfigError(`${fluentdName} is wrong: ${path}`, {
      position: positionOf(params, name),
      hint: `the file cannot be read: ${(error as Error).message}`,
    })
  }
}

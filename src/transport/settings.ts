import { getFips } from 'node:crypto'
import { isWritten, ORIGIN, positionOf } from '../config/schema.ts'
import { ConfigError } from '../core/errors.ts'
import type { TlsVersion } from '../core/host.ts'
import { type TransportParams, transportSection } from './section.ts'

/** `<transport tls>`, checked as far as that goes without its files. */
export interface TlsSettings {
  readonly minVersion: TlsVersion
  readonly maxVersion: TlsVersion
  readonly ciphers: string | undefined
  readonly clientCertificates: boolean
  readonly handshakeTimeoutMs: number
  /** Where the certificate comes from. */
  readonly certificate: 'files' | 'authority' | 'self-signed'
}

/** undefined: no TLS. Throws ConfigError. */
export function tlsSettingsOf(params: TransportParams | undefined): TlsSettings | undefined {
  if (params === undefined || params.protocol !== 'tls') return undefined
  if (params.ensureFips && getFips() !== 1) {
    throw new ConfigError('ensure_fips: OpenSSL does not run in FIPS mode here', {
      position: positionOf(params, 'ensureFips'),
      hint: 'start Node.js with --enable-fips and an OpenSSL that has the FIPS provider',
    })
  }
  if (params.clientCertAuth && params.caPath === undefined) {
    throw new ConfigError('client_cert_auth needs ca_path: who signs the certificates of clients', {
      position: positionOf(params, 'clientCertAuth'),
    })
  }
  return {
    ...versionsOf(params),
    ciphers: params.ciphers,
    clientCertificates: params.clientCertAuth,
    handshakeTimeoutMs: params.handshakeTimeout * 1000,
    certificate: certificateOf(params),
  }
}

function versionsOf(params: TransportParams): { minVersion: TlsVersion; maxVersion: TlsVersion } {
  const { version, minVersion, maxVersion } = params
  if ((minVersion === undefined) !== (maxVersion === undefined)) {
    const [set, other] = minVersion === undefined ? ['max', 'min'] : ['min', 'max']
    throw new ConfigError(`when you set ${set}_version, you must set ${other}_version together`, {
      position: positionOf(params, `${set}Version`),
    })
  }
  const minimum = tlsVersion(minVersion ?? version ?? 'TLSv1_2')
  const maximum = tlsVersion(maxVersion ?? version ?? 'TLSv1_3')
  if (minimum > maximum) {
    throw new ConfigError('min_version is newer than max_version', {
      position: positionOf(params, 'minVersion'),
    })
  }
  return { minVersion: minimum, maxVersion: maximum }
}

/** `TLSv1_2` and `TLS1_2` are `TLSv1.2`. */
function tlsVersion(written: string): TlsVersion {
  return `TLSv1.${written.at(-1)}` as TlsVersion
}

function certificateOf(params: TransportParams): TlsSettings['certificate'] {
  if (params.certPath !== undefined) {
    if (params.privateKeyPath !== undefined) return 'files'
    throw new ConfigError('private_key_path is required when cert_path is specified', {
      position: positionOf(params, 'certPath'),
    })
  }
  if (params.caCertPath !== undefined) {
    if (params.caPrivateKeyPath !== undefined) return 'authority'
    throw new ConfigError('ca_private_key_path is required when ca_cert_path is specified', {
      position: positionOf(params, 'caCertPath'),
    })
  }
  if (params.insecure) return 'self-signed'
  throw new ConfigError(
    "no valid cert options configured. specify either 'cert_path', 'ca_cert_path' or 'insecure'",
    { position: positionOf(params) },
  )
}

/** What is written and has no effect; sentences for the log. */
export function transportWarnings(params: TransportParams | undefined): readonly string[] {
  if (params === undefined) return []
  if (params.protocol !== 'tls') {
    const certificate = ['certPath', 'caCertPath', 'clientCertAuth'].some((name) =>
      isWritten(params, name),
    )
    return certificate
      ? ['<transport> names certificates and is not TLS: write <transport tls>']
      : []
  }
  return [
    ...(params.caPath !== undefined && !params.clientCertAuth
      ? ['ca_path has no effect without client_cert_auth: clients need no certificate']
      : []),
    ...(params.insecure
      ? ["insecure TLS communication server is configured (using 'insecure' mode)"]
      : []),
  ]
}

/** prometheus' old `<ssl>` as `<transport tls>`. `values` are camelCase, `from` has their places. */
export function transportLike(
  values: Partial<TransportParams>,
  from: { bound: object; names: Readonly<Record<string, string>> },
): TransportParams {
  const defaults: Record<string, unknown> = {}
  for (const [name, param] of Object.entries(transportSection.shape.params)) {
    const key = name.replace(/_([a-z])/g, (_, letter: string) => letter.toUpperCase())
    defaults[key] = param.options.default
  }
  const places = Object.entries(from.names).map(([name, there]) => [
    name,
    positionOf(from.bound, there),
  ])
  const origin = { section: positionOf(from.bound), values: Object.fromEntries(places) }
  return { ...defaults, ...values, [ORIGIN]: origin } as unknown as TransportParams
}

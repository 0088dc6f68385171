import { createPrivateKey, generateKeyPair, type KeyObject, X509Certificate } from 'node:crypto'
import { promisify } from 'node:util'
import { positionOf } from '../config/schema.ts'
import { ConfigError } from '../core/errors.ts'
import type { Host, TlsIdentity } from '../core/host.ts'
import { createCertificate } from './certificate.ts'
import type { TransportParams } from './section.ts'

/**
 * Files of `<transport tls>` to what TLS needs. Errors are ConfigErrors at the parameter that names
 * the file, never at a passphrase, since an error shows the line that it is about.
 */

type PathName = 'certPath' | 'privateKeyPath' | 'caPath' | 'caCertPath' | 'caPrivateKeyPath'

export type FileTexts = Readonly<Partial<Record<PathName, string>>>

/** Reads what is named. Throws ConfigError. */
export function readFiles(
  params: TransportParams,
  names: readonly PathName[],
  disk: Pick<Host['disk'], 'readFileSync'>,
): FileTexts {
  const texts: Partial<Record<PathName, string>> = {}
  for (const name of names) {
    const path = params[name]
    if (path === undefined) continue
    try {
      texts[name] = Buffer.from(disk.readFileSync(path)).toString('utf8')
    } catch (error) {
      const { code, message } = error as NodeJS.ErrnoException
      const hint =
        code === 'EACCES'
          ? 'files of TLS are read by the user that the process runs as (--user), at start and when they change'
          : undefined
      throw new ConfigError(`the file cannot be read: ${message}`, {
        position: positionOf(params, name),
        ...(hint === undefined ? {} : { hint }),
      })
    }
  }
  return texts
}

/** Of cert_path and private_key_path. Throws ConfigError. */
export function identityFromFiles(params: TransportParams, texts: FileTexts): TlsIdentity {
  const certificate = firstCertificate(params, 'certPath', texts)
  const key = keyIn(params, 'privateKeyPath', texts)
  if (!certificate.checkPrivateKey(key)) {
    throw new ConfigError('the private key does not belong to the certificate', {
      position: positionOf(params, 'privateKeyPath'),
      hint: 'the certificate that it belongs to must be the first one of cert_path',
    })
  }
  return {
    cert: texts.certPath ?? '',
    key: texts.privateKeyPath ?? '',
    passphrase: params.privateKeyPassphrase,
    ca: clientAuthorities(params, texts),
  }
}

/** A new key, and a certificate for it that the authority has signed, or nobody. Throws ConfigError. */
export async function generateIdentity(
  params: TransportParams,
  texts: FileTexts,
  host: Pick<Host, 'clock' | 'random' | 'hostname'>,
): Promise<TlsIdentity> {
  const authority = params.certPath === undefined ? authorityOf(params, texts) : undefined
  const { privateKey } = await promisify(generateKeyPair)('rsa', {
    modulusLength: params.generatePrivateKeyLength,
  })
  const nowMs = host.clock.wallMs()
  const cert = createCertificate({
    subject: {
      country: params.generateCertCountry,
      state: params.generateCertState,
      locality: params.generateCertLocality,
      commonName: params.generateCertCommonName ?? host.hostname,
    },
    key: privateKey,
    issuer: authority,
    digest: params.generateCertDigest,
    // Clients' clocks are not all right.
    notBeforeMs: nowMs - 86_400_000,
    notAfterMs: nowMs + params.generateCertExpiration * 1000,
    serial: host.random.bytes(16),
  })
  return {
    cert: authority === undefined ? cert : `${cert}${texts.caCertPath}`,
    key: privateKey.export({ type: 'pkcs8', format: 'pem' }).toString(),
    ca: clientAuthorities(params, texts),
  }
}

function authorityOf(
  params: TransportParams,
  texts: FileTexts,
): { certificate: X509Certificate; key: KeyObject } | undefined {
  if (params.caCertPath === undefined) return undefined
  const certificate = firstCertificate(params, 'caCertPath', texts)
  const key = keyIn(params, 'caPrivateKeyPath', texts)
  const wrong = (message: string) =>
    new ConfigError(message, { position: positionOf(params, 'caPrivateKeyPath') })
  if (!certificate.checkPrivateKey(key)) {
    throw wrong("the private key does not belong to the authority's certificate")
  }
  if (key.asymmetricKeyType !== 'rsa' && key.asymmetricKeyType !== 'ec') {
    throw wrong(`an authority's key must be RSA or EC, not ${key.asymmetricKeyType}`)
  }
  return { certificate, key }
}

function clientAuthorities(params: TransportParams, texts: FileTexts): string | undefined {
  if (!params.clientCertAuth) return undefined
  firstCertificate(params, 'caPath', texts)
  return texts.caPath
}

const pemCertificate = /-----BEGIN CERTIFICATE-----[^-]*-----END CERTIFICATE-----/

function firstCertificate(
  params: TransportParams,
  name: PathName,
  texts: FileTexts,
): X509Certificate {
  const wrong = (message: string) =>
    new ConfigError(message, { position: positionOf(params, name) })
  const pem = pemCertificate.exec(texts[name] ?? '')?.[0]
  if (pem === undefined) throw wrong('there is no certificate in the file (PEM is expected)')
  try {
    return new X509Certificate(pem)
  } catch (error) {
    throw wrong(`the certificate cannot be read: ${(error as Error).message}`)
  }
}

function keyIn(
  params: TransportParams,
  name: 'privateKeyPath' | 'caPrivateKeyPath',
  texts: FileTexts,
): KeyObject {
  const passphrase =
    name === 'privateKeyPath' ? params.privateKeyPassphrase : params.caPrivateKeyPassphrase
  try {
    return createPrivateKey({
      key: texts[name] ?? '',
      ...(passphrase === undefined ? {} : { passphrase }),
    })
  } catch (error) {
    const { code = '', message } = error as NodeJS.ErrnoException
    const locked = /PASSPHRASE|DECRYPT|INTERRUPTED|CANCELLED|PASSWORD/i.test(`${code} ${message}`)
    const why = locked ? 'its passphrase is missing or wrong' : message
    throw new ConfigError(`the private key cannot be read: ${why}`, {
      position: positionOf(params, name),
    })
  }
}

/** When the first certificate ends, in milliseconds since 1970. */
export function endOf(identity: TlsIdentity): number {
  const pem = pemCertificate.exec(identity.cert)?.[0]
  return pem === undefined ? Number.NaN : Date.parse(new X509Certificate(pem).validTo)
}

export type { PathName }

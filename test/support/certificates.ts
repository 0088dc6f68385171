import { generateKeyPairSync, type KeyObject, X509Certificate } from 'node:crypto'
import { createCertificate } from '../../src/transport/certificate.ts'

export interface Pair {
  readonly cert: string
  readonly key: string
  readonly privateKey: KeyObject
}

let serial = 0

/** A certificate for `name` (127.0.0.1 by default), signed by `issuer` or by itself, valid for a day around now. */
export function makePair(
  options: {
    name?: string
    issuer?: Pair | undefined
    kind?: 'rsa' | 'ec'
    digest?: 'sha1' | 'sha256' | 'sha384' | 'sha512'
    fromMs?: number
    untilMs?: number
  } = {},
): Pair {
  const { issuer, kind = 'ec' } = options
  const { privateKey } =
    kind === 'ec'
      ? generateKeyPairSync('ec', { namedCurve: 'P-256' })
      : generateKeyPairSync('rsa', { modulusLength: 2048 })
  serial += 1
  const cert = createCertificate({
    subject: {
      country: 'US',
      state: 'CA',
      locality: 'Mountain View',
      commonName: options.name ?? '127.0.0.1',
    },
    key: privateKey,
    issuer:
      issuer === undefined
        ? undefined
        : { certificate: new X509Certificate(issuer.cert), key: issuer.privateKey },
    digest: options.digest ?? 'sha256',
    notBeforeMs: options.fromMs ?? Date.now() - 3_600_000,
    notAfterMs: options.untilMs ?? Date.now() + 86_400_000,
    serial: Uint8Array.from({ length: 16 }, (_, i) => (i === 15 ? serial : i)),
  })
  return {
    cert,
    key: privateKey.export({ type: 'pkcs8', format: 'pem' }).toString(),
    privateKey,
  }
}

/** The key again, under a passphrase. */
export function locked(pair: Pair, passphrase: string): string {
  return pair.privateKey
    .export({ type: 'pkcs8', format: 'pem', cipher: 'aes-256-cbc', passphrase })
    .toString()
}

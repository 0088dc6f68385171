import {
  createHash,
  createPublicKey,
  type KeyObject,
  sign,
  type X509Certificate,
} from 'node:crypto'
import { parseAddress } from '../forward/ip-network.ts'
import * as der from './der.ts'

/** Who a certificate is for, in the parts that Fluentd's parameters name. */
export interface Subject {
  readonly country: string
  readonly state: string
  readonly locality: string
  /** Also the name, or address, that clients check (subjectAltName). */
  readonly commonName: string
}

export type Digest = 'sha1' | 'sha256' | 'sha384' | 'sha512'

export interface CertificateRequest {
  readonly subject: Subject
  /** The key pair of the one it is for. */
  readonly key: KeyObject
  /** Who signs; undefined: the certificate signs itself. */
  readonly issuer?: { readonly certificate: X509Certificate; readonly key: KeyObject } | undefined
  readonly digest: Digest
  readonly notBeforeMs: number
  readonly notAfterMs: number
  /** 16 random bytes. */
  readonly serial: Uint8Array
}

const ids = {
  commonName: '2.5.4.3',
  country: '2.5.4.6',
  locality: '2.5.4.7',
  state: '2.5.4.8',
  subjectKeyId: '2.5.29.14',
  keyUsage: '2.5.29.15',
  altName: '2.5.29.17',
  basicConstraints: '2.5.29.19',
  authorityKeyId: '2.5.29.35',
  extKeyUsage: '2.5.29.37',
  serverAuth: '1.3.6.1.5.5.7.3.1',
}

/** Algorithm identifiers (RFC 4055, RFC 5758). */
const signatures: Readonly<Record<string, Readonly<Record<Digest, string>>>> = {
  rsa: {
    sha1: '1.2.840.113549.1.1.5',
    sha256: '1.2.840.113549.1.1.11',
    sha384: '1.2.840.113549.1.1.12',
    sha512: '1.2.840.113549.1.1.13',
  },
  ec: {
    sha1: '1.2.840.10045.4.1',
    sha256: '1.2.840.10045.4.3.2',
    sha384: '1.2.840.10045.4.3.3',
    sha512: '1.2.840.10045.4.3.4',
  },
}

/**
 * A server's certificate (X.509 v3, RFC 5280) in PEM: Node can read certificates, not make them.
 * Throws where the issuer's key is neither RSA nor EC.
 */
export function createCertificate(request: CertificateRequest): string {
  const { subject, key, issuer, digest } = request
  const signingKey = issuer?.key ?? key
  const algorithm = signatureOf(signingKey, digest)
  const name = nameOf(subject)
  const publicKey = createPublicKey(key).export({ type: 'spki', format: 'der' })
  const keyId = keyIdOf(publicKey)
  const toSign = der.sequence(
    der.explicit(0, der.integer(Uint8Array.of(2))),
    der.integer(serialOf(request.serial)),
    algorithm,
    issuer === undefined ? name : partsOf(issuer.certificate).subject,
    der.sequence(der.moment(request.notBeforeMs), der.moment(request.notAfterMs)),
    name,
    publicKey,
    der.explicit(3, extensionsOf(subject, keyId, authorityIdOf(issuer?.certificate, keyId))),
  )
  const signature = sign(digest, toSign, signingKey)
  return pemOf(der.sequence(toSign, algorithm, der.bits(signature)))
}

function signatureOf(key: KeyObject, digest: Digest): Uint8Array {
  const type = key.asymmetricKeyType ?? ''
  const id = signatures[type]?.[digest]
  if (id === undefined) throw new Error(`cannot sign with a key of type ${type}: use RSA or EC`)
  return type === 'rsa' ? der.sequence(der.oid(id), der.nothing()) : der.sequence(der.oid(id))
}

/** Positive, not zero, and at most 20 bytes (RFC 5280, 4.1.2.2). */
function serialOf(random: Uint8Array): Uint8Array {
  const serial = Uint8Array.from(random)
  serial[0] = ((serial[0] ?? 0) & 0x7f) | 0x40
  return serial
}

/** In Fluentd's order. A part that is empty is left out. */
function nameOf(subject: Subject): Uint8Array {
  const part = (id: string, text: string, kind: (text: string) => Uint8Array) =>
    text === '' ? [] : [der.set(der.sequence(der.oid(id), kind(text)))]
  return der.sequence(
    ...part(ids.country, subject.country, der.printable),
    ...part(ids.state, subject.state, der.utf8),
    ...part(ids.locality, subject.locality, der.utf8),
    ...part(ids.commonName, subject.commonName, der.utf8),
  )
}

function extensionsOf(
  subject: Subject,
  keyId: Uint8Array,
  authorityId: Uint8Array | undefined,
): Uint8Array {
  const extension = (id: string, value: Uint8Array, critical = false) =>
    der.sequence(der.oid(id), ...(critical ? [der.boolean(true)] : []), der.octets(value))
  return der.sequence(
    extension(ids.basicConstraints, der.sequence(), true),
    // digitalSignature, keyEncipherment
    extension(ids.keyUsage, der.bits(Uint8Array.of(0xa0), 5), true),
    extension(ids.extKeyUsage, der.sequence(der.oid(ids.serverAuth))),
    extension(ids.subjectKeyId, der.octets(keyId)),
    ...(authorityId === undefined
      ? []
      : [extension(ids.authorityKeyId, der.sequence(der.implicit(0, authorityId)))]),
    extension(ids.altName, altNameOf(subject.commonName)),
  )
}

function altNameOf(name: string): Uint8Array {
  const address = parseAddress(name)
  if (address !== undefined) return der.sequence(der.implicit(7, Uint8Array.from(address)))
  return der.sequence(der.implicit(2, Buffer.from(name, 'latin1')))
}

/** SHA-1 of the key's bits (RFC 5280, 4.2.1.2, method 1): a name for the key, not a defence. */
function keyIdOf(publicKey: Uint8Array): Uint8Array {
  const [whole] = der.valuesIn(publicKey)
  const [, keyBits] = der.valuesIn(whole?.contents ?? new Uint8Array(0))
  const contents = keyBits?.contents.subarray(1) ?? new Uint8Array(0)
  return createHash('sha1').update(contents).digest()
}

/** The issuer's own name for its key; undefined: it has none, so nothing is said of it. */
function authorityIdOf(
  issuer: X509Certificate | undefined,
  own: Uint8Array,
): Uint8Array | undefined {
  return issuer === undefined ? own : partsOf(issuer).keyId
}

/** What a certificate signed by this one has to repeat, byte for byte. */
function partsOf(certificate: X509Certificate): {
  subject: Uint8Array
  keyId: Uint8Array | undefined
} {
  const [whole] = der.valuesIn(certificate.raw)
  const [toSign] = der.valuesIn(whole?.contents ?? new Uint8Array(0))
  const fields = der.valuesIn(toSign?.contents ?? new Uint8Array(0))
  // version [0], serial, algorithm, issuer, validity, subject; a certificate of version 1 has no version.
  const subject = fields[fields[0]?.tag === 0xa0 ? 5 : 4]
  if (subject === undefined) throw new Error('the certificate has no subject')
  return { subject: subject.whole, keyId: keyIdIn(fields.at(-1)) }
}

function keyIdIn(extensions: der.Value | undefined): Uint8Array | undefined {
  if (extensions?.tag !== 0xa3) return undefined
  const wanted = Buffer.from(der.oid(ids.subjectKeyId))
  const [list] = der.valuesIn(extensions.contents)
  for (const extension of der.valuesIn(list?.contents ?? new Uint8Array(0))) {
    const [id, ...rest] = der.valuesIn(extension.contents)
    const value = rest.at(-1)
    if (id === undefined || value === undefined || !wanted.equals(id.whole)) continue
    return der.valuesIn(value.contents)[0]?.contents
  }
  return undefined
}

function pemOf(bytes: Uint8Array): string {
  const lines =
    Buffer.from(bytes)
      .toString('base64')
      .match(/.{1,64}/g) ?? []
  return `-----BEGIN CERTIFICATE-----\n${lines.join('\n')}\n-----END CERTIFICATE-----\n`
}

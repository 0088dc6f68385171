import { execFileSync, spawnSync } from 'node:child_process'
import { createPrivateKey, generateKeyPairSync, X509Certificate } from 'node:crypto'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { createCertificate } from '../../../src/transport/certificate.ts'
import { makePair } from '../../support/certificates.ts'

const dir = mkdtempSync(join(tmpdir(), 'sluice-certificate-'))
const openssl = spawnSync('openssl', ['version']).status === 0
afterAll(() => rmSync(dir, { recursive: true }))

describe('a certificate that signs itself', () => {
  it.each([
    ['rsa', 'sha256'],
    ['rsa', 'sha512'],
    ['ec', 'sha256'],
    ['ec', 'sha384'],
  ] as const)('%s, %s', (kind, digest) => {
    const pair = makePair({ name: 'logs.example.org', kind, digest })
    const certificate = new X509Certificate(pair.cert)
    expect(certificate.verify(certificate.publicKey)).toBe(true)
    expect(certificate.checkPrivateKey(pair.privateKey)).toBe(true)
    expect(certificate.checkHost('logs.example.org')).toBe('logs.example.org')
    expect(certificate.checkHost('other.example.org')).toBeUndefined()
    expect(certificate.subject).toBe('C=US\nST=CA\nL=Mountain View\nCN=logs.example.org')
    expect(certificate.issuer).toBe(certificate.subject)
    expect(certificate.ca).toBe(false)
    expect(certificate.keyUsage).toEqual(['1.3.6.1.5.5.7.3.1'])
  })

  it('is for an address where the name is one', () => {
    expect(new X509Certificate(makePair({ name: '127.0.0.1' }).cert).subjectAltName).toBe(
      'IP Address:127.0.0.1',
    )
    expect(new X509Certificate(makePair({ name: '::1' }).cert).checkIP('::1')).toBe('::1')
  })

  it('has the times that were asked for, over the change of 2050 too', () => {
    const fromMs = Date.UTC(2026, 10, 21, 1, 2, 3)
    const untilMs = Date.UTC(2051, 0, 2, 3, 4, 5)
    const certificate = new X509Certificate(makePair({ fromMs, untilMs }).cert)
    expect(Date.parse(certificate.validFrom)).toBe(fromMs)
    expect(Date.parse(certificate.validTo)).toBe(untilMs)
  })

  it('refuses keys that it cannot sign with', () => {
    const { privateKey } = generateKeyPairSync('ed25519')
    const subject = { country: 'US', state: '', locality: '', commonName: 'a' }
    expect(() =>
      createCertificate({
        subject,
        key: privateKey,
        digest: 'sha256',
        notBeforeMs: 0,
        notAfterMs: 1,
        serial: new Uint8Array(16),
      }),
    ).toThrow('ed25519')
  })
})

describe.skipIf(!openssl).each(['rsa', 'ec'])('a certificate signed by an %s authority', (kind) => {
  const path = (name: string) => join(dir, `${kind}-${name}`)
  beforeAll(() => {
    const key = kind === 'rsa' ? ['rsa:2048'] : ['ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1']
    execFileSync(
      'openssl',
      `req -x509 -nodes -days 2 -subj /O=Müller/CN=authority -utf8 -addext keyUsage=critical,keyCertSign -keyout ${path('ca.key')} -out ${path('ca.crt')} -newkey`
        .split(' ')
        .concat(key),
      { stdio: 'ignore' },
    )
  })

  it('is verified by OpenSSL, strictly', () => {
    const key = readFileSync(path('ca.key'), 'utf8')
    const cert = readFileSync(path('ca.crt'), 'utf8')
    const authority = new X509Certificate(cert)
    const pair = makePair({
      name: 'logs.example.org',
      kind: 'rsa',
      issuer: { cert, key, privateKey: createPrivateKey(key) },
    })
    writeFileSync(path('leaf.crt'), pair.cert)
    const said = execFileSync(
      'openssl',
      `verify -x509_strict -purpose sslserver -verify_hostname logs.example.org -CAfile ${path('ca.crt')} ${path('leaf.crt')}`.split(
        ' ',
      ),
      { encoding: 'utf8' },
    )
    expect(said).toContain('OK')
    const certificate = new X509Certificate(pair.cert)
    expect(certificate.checkIssued(authority)).toBe(true)
    expect(certificate.verify(authority.publicKey)).toBe(true)
  })
})

import { describe, expect, it } from 'vitest'
import { bufferTypes } from '../../../../src/buffer/types.ts'
import { forwardOutput } from '../../../../src/outputs/forward/index.ts'
import { settingsOf, warningsOf } from '../../../../src/outputs/forward/read-settings.ts'
import type { ForwardParams } from '../../../../src/outputs/forward/shape.ts'
import { tlsOptionsOf } from '../../../../src/outputs/forward/tls-options.ts'
import { createFakeHost } from '../../../support/fake-host.ts'
import { bindText } from '../../../support/plugin-context.ts'

const { disk } = createFakeHost()
for (const name of ['ca', 'own', 'cert', 'key']) disk.put(`/${name}.pem`, name)

const server = '<server>\nhost 127.0.0.1\n</server>'

function bound(lines: string): ForwardParams {
  return bindText(forwardOutput, `${server}\n${lines}`, '**', bufferTypes).params as never
}

describe('TLS', () => {
  const plain = {
    ca: [],
    cert: undefined,
    key: undefined,
    passphrase: undefined,
    minVersion: 'TLSv1.2',
    maxVersion: undefined,
    ciphers: undefined,
    verify: true,
    verifyHostname: true,
  }
  const bytes = (name: string) => Uint8Array.from(Buffer.from(name))

  it.each<[string, object]>([
    ['', {}],
    ['tls_version TLSv1_3', { minVersion: 'TLSv1.3', maxVersion: 'TLSv1.3' }],
    ['tls_version TLSv1_2', { minVersion: 'TLSv1.2', maxVersion: 'TLSv1.2' }],
    ['tls_ciphers AES256-SHA', { ciphers: 'AES256-SHA' }],
    ['tls_insecure_mode true', { verify: false, verifyHostname: false }],
    ['tls_verify_hostname false', { verifyHostname: false }],
    ['tls_ca_cert_path /ca.pem,/own.pem', { ca: [bytes('ca'), bytes('own')] }],
    ['tls_cert_path /own.pem\ntls_ca_cert_path /ca.pem', { ca: [bytes('own')] }],
    [
      'tls_client_cert_path /cert.pem\ntls_client_private_key_path /key.pem',
      { cert: bytes('cert'), key: bytes('key') },
    ],
    ['tls_allow_self_signed_cert true\ntls_cert_path /own.pem', { ca: [bytes('own')] }],
    ['tls_allow_self_signed_cert true', {}],
    ['tls_cert_use_enterprise_store false', {}],
  ])('%j', (lines, more) => {
    const made = tlsOptionsOf(bound(`transport tls\n${lines}`), disk)
    const copied = Object.fromEntries(
      Object.entries(made!).map(([name, value]) => [name, copyOf(value)]),
    )
    expect(copied).toEqual({ ...plain, ...more })
  })

  function copyOf(value: unknown): unknown {
    if (value instanceof Uint8Array) return Uint8Array.from(value)
    return Array.isArray(value) ? value.map(copyOf) : value
  }

  it('says that tls_insecure_mode is insecure, and nothing without TLS', () => {
    const lines = 'tls_insecure_mode true'
    const said = 'TLS transport is configured in insecure way'
    expect(warningsOf(bound(`transport tls\n${lines}`))).toEqual([said])
    expect(warningsOf(bound(lines))).toEqual([])
    expect(tlsOptionsOf(bound(lines), disk)).toBeUndefined()
  })
})

describe('how servers are looked after', () => {
  const settings = (lines: string) => {
    const params = bound(lines)
    return settingsOf(params, params.buffer)
  }

  it.each<[string, object]>([
    ['connect_timeout 5', { connectTimeoutMs: 5_000 }],
    ['phi_threshold 3', { phiThreshold: 3 }],
    ['phi_failure_detector false', { phiThreshold: Number.POSITIVE_INFINITY }],
    ['phi_failure_detector false\nphi_threshold 3', { phiThreshold: Number.POSITIVE_INFINITY }],
    ['read_interval_msec 1\nread_length 1', {}],
  ])('%j', (lines, more) => {
    expect(settings(lines)).toEqual({ ...settings(''), ...more })
  })
})

import { execFileSync, spawnSync } from 'node:child_process'
import { mkdtempSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import tls from 'node:tls'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { locked, makePair, type Pair } from '../support/certificates.ts'
import { freePort, listening, type Running, run, until } from './support.ts'

/** `<transport tls>` of the listeners, as clients see it. */

const hasOpenssl = spawnSync('openssl', ['version']).status === 0
const first = makePair({ name: 'first.example' })
const second = makePair({ name: 'second.example' })
const stored = (name: string) => readFileSync(`test/support/certificates/${name}.pem`, 'utf8')
const files = 'cert_path @DIR@/cert.pem\nprivate_key_path @DIR@/key.pem'

/** An authority as an administrator makes one. */
function authority(): { cert: string; key: string } {
  const dir = mkdtempSync(join(tmpdir(), 'sluice-ca-'))
  const names = ['-keyout', join(dir, 'key'), '-out', join(dir, 'cert')]
  const made =
    'req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 -subj /CN=authority'
  execFileSync('openssl', [...made.split(' '), ...names], { stdio: 'ignore' })
  const [cert, key] = [join(dir, 'cert'), join(dir, 'key')].map((path) =>
    readFileSync(path, 'utf8'),
  ) as [string, string]
  rmSync(dir, { recursive: true })
  return { cert, key }
}

const ca = hasOpenssl ? authority() : { ...first }

/** Listeners by name: type, what it needs beside, and the lines of its <transport tls>. */
const listeners: Readonly<Record<string, readonly [type: string, lines: string, tls: string]>> = {
  forward: ['forward', '', files],
  http: ['http', '', files],
  tcp: ['tcp', 'tag t\n<parse>\n@type none\n</parse>', files],
  syslog: ['syslog', 'tag s', files],
  metrics: ['prometheus', '', files],
  ssl: [
    'prometheus',
    '',
    '<ssl>\nenable true\ncertificate_path @DIR@/cert3.pem\nprivate_key_path @DIR@/key3.pem\n</ssl>',
  ],
  clients: ['forward', '', `${files}\nclient_cert_auth true\nca_path @DIR@/ca.pem`],
  passphrase: [
    'forward',
    '',
    'cert_path @DIR@/cert2.pem\nprivate_key_path @DIR@/locked.pem\nprivate_key_passphrase open sesame',
  ],
  insecure: ['forward', '', 'insecure true\ngenerate_cert_common_name made.example'],
  newest: ['forward', '', `${files}\nversion TLSv1_3`],
  old: ['forward', '', `${files}\nmin_version TLSv1_1\nmax_version TLSv1_2`],
  cipher: ['forward', '', `${files}\nversion TLSv1_2\nciphers ECDHE-ECDSA-AES256-GCM-SHA384`],
  signed: [
    'forward',
    '',
    'ca_cert_path @DIR@/authority.pem\nca_private_key_path @DIR@/authority-key.pem\ngenerate_cert_common_name logs.example',
  ],
}

const ports: Record<string, number> = {}
let sluice: Running

beforeAll(async () => {
  for (const name of Object.keys(listeners)) ports[name] = await freePort()
  const sources = Object.entries(listeners).map(
    ([name, [type, lines, transport]]) =>
      `<source>\n@type ${type}\n@id ${name}\nbind 127.0.0.1\nport ${ports[name]}\n${lines}\n${name === 'ssl' ? transport : `<transport tls>\n${transport}\n</transport>`}\n</source>\n`,
  )
  sluice = run({
    config: `${sources.join('')}<match **>\n@type stdout\n</match>\n`,
    files: {
      'cert.pem': first.cert,
      'key.pem': first.key,
      'cert3.pem': first.cert,
      'key3.pem': first.key,
      'cert2.pem': second.cert,
      'locked.pem': locked(second, 'open sesame'),
      'ca.pem': stored('ca'),
      'authority.pem': ca.cert,
      'authority-key.pem': ca.key,
    },
  })
  for (const port of Object.values(ports)) await listening(port, sluice)
})

afterAll(async () => {
  expect(await sluice.stop()).toBe(0)
})

interface Shaken {
  readonly name: string
  readonly version: string | null
  readonly cipher: string
  readonly alpn: string | false | null
}

/** What a handshake agreed on; rejects as the client's OpenSSL says. */
function shake(listener: string, options: tls.ConnectionOptions = {}): Promise<Shaken> {
  return new Promise((resolve, reject) => {
    const socket = open(listener, options, () => {
      resolve({
        name: String(socket.getPeerCertificate().subject.CN),
        version: socket.getProtocol(),
        cipher: socket.getCipher().name,
        alpn: socket.alpnProtocol,
      })
      socket.destroy()
    })
    socket.once('error', reject)
  })
}

function open(listener: string, options: tls.ConnectionOptions, ready?: () => void): tls.TLSSocket {
  const place = { port: ports[listener] as number, host: '127.0.0.1', rejectUnauthorized: false }
  return tls.connect({ ...place, ...options }, ready)
}

/** Whether a message sent that way is acknowledged, or the connection refused. */
function acknowledged(listener: string, options: tls.ConnectionOptions): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = open(listener, options)
    socket.write('["t",1700000000,{"n":1},{"chunk":"x"}]')
    socket.once('data', (bytes) => {
      resolve(bytes.toString().includes('"ack":"x"'))
      socket.destroy()
    })
    socket.once('error', () => resolve(false))
    socket.once('close', () => resolve(false))
  })
}

describe('every listener', () => {
  const all = ['forward', 'http', 'tcp', 'syslog', 'metrics', 'ssl']

  it.each(all)('%s speaks TLS 1.2 and 1.3, and nothing older', async (name) => {
    const at = (version: 'TLSv1.1' | 'TLSv1.2' | 'TLSv1.3') =>
      shake(name, {
        minVersion: version,
        maxVersion: version,
        ...(version === 'TLSv1.1' ? { ciphers: 'DEFAULT:@SECLEVEL=0' } : {}),
      })
    expect(await at('TLSv1.2')).toMatchObject({ version: 'TLSv1.2', name: 'first.example' })
    expect(await at('TLSv1.3')).toMatchObject({ version: 'TLSv1.3', name: 'first.example' })
    await expect(at('TLSv1.1')).rejects.toThrow(/version/)
  })

  it.each(all)('%s serves clients that send a name (SNI) or protocols (ALPN)', async (name) => {
    const options = { servername: 'whatever.example', ALPNProtocols: ['h2', 'http/1.1'] }
    const shaken = await shake(name, options)
    expect(shaken.name).toBe('first.example')
    // Nobody is told that HTTP/2 is spoken.
    expect([false, 'http/1.1']).toContain(shaken.alpn)
  })
})

describe('certificates', () => {
  it('with a key under a passphrase', async () => {
    expect((await shake('passphrase')).name).toBe('second.example')
  })

  it('that nobody signed', async () => {
    expect((await shake('insecure')).name).toBe('made.example')
    const strict = shake('insecure', { rejectUnauthorized: true, servername: 'made.example' })
    await expect(strict).rejects.toThrow('self-signed')
  })

  it.skipIf(!hasOpenssl)('that an authority signs at start', async () => {
    const trusting = { rejectUnauthorized: true, ca: ca.cert }
    const shaken = await shake('signed', { ...trusting, servername: 'logs.example' })
    expect(shaken.name).toBe('logs.example')
    const another = shake('signed', { ...trusting, servername: 'x.example' })
    await expect(another).rejects.toThrow('altnames')
  })
})

describe('versions and ciphers that are configured', () => {
  it('hold', async () => {
    await expect(shake('newest', { maxVersion: 'TLSv1.2' })).rejects.toThrow(/version/)
    const old = { minVersion: 'TLSv1.1', ciphers: 'DEFAULT:@SECLEVEL=0' } as const
    expect(await shake('old', { ...old, maxVersion: 'TLSv1.1' })).toMatchObject({
      version: 'TLSv1.1',
    })
    await expect(shake('old', { minVersion: 'TLSv1.3' })).rejects.toThrow(/version/)
    expect((await shake('cipher')).cipher).toBe('ECDHE-ECDSA-AES256-GCM-SHA384')
    const others = { ciphers: 'ECDHE-ECDSA-AES128-GCM-SHA256', maxVersion: 'TLSv1.2' } as const
    await expect(shake('cipher', others)).rejects.toThrow()
  })
})

describe('certificates of clients', () => {
  const stranger = makePair({ name: 'stranger' })

  it('must be there, and signed by whom we know', async () => {
    expect(await acknowledged('clients', {})).toBe(false)
    expect(await acknowledged('clients', stranger)).toBe(false)
    const known = { cert: stored('client'), key: stored('client-key') }
    expect(await acknowledged('clients', known)).toBe(true)
    const { cert } = known
    await expect(shake('clients', { cert, key: stranger.key })).rejects.toThrow()
  })

  it('are not asked for elsewhere', async () => {
    expect(await acknowledged('forward', {})).toBe(true)
  })
})

describe('a certificate that is renewed', () => {
  const put = (pair: Pair, which: 'cert' | 'key') => {
    const path = join(sluice.dir, `${which}.pem`)
    writeFileSync(`${path}.new`, pair[which])
    renameSync(`${path}.new`, path)
  }

  it('is taken up without a restart, once it is whole; open connections stay', async () => {
    const listening = ['forward', 'http', 'tcp', 'syslog', 'metrics']
    const stays = open('forward', {})
    await new Promise((resolve) => stays.once('secureConnect', resolve))
    // The certificate without its key: the old pair stays.
    put(second, 'cert')
    await until('a look at the files', async () => {
      await shake('forward')
      return sluice.log().includes('cannot take up the changed certificate')
    })
    for (const name of listening) expect((await shake(name)).name).toBe('first.example')
    put(second, 'key')
    for (const name of listening) {
      await until(
        () => `the new certificate of ${name}`,
        async () => (await shake(name)).name === 'second.example',
      )
    }
    const answer = new Promise<string>((resolve) =>
      stays.once('data', (bytes) => resolve(bytes.toString())),
    )
    stays.write('["t",1700000000,{"stays":1},{"chunk":"y"}]')
    expect(await answer).toContain('y')
    stays.destroy()
  })
})

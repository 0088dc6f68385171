import { positionOf } from '../config/schema.ts'
import { ConfigError } from '../core/errors.ts'
import type { Host, TlsFailure, TlsIdentity, TlsServerOptions } from '../core/host.ts'
import type { Logger } from '../core/log.ts'
import {
  endOf,
  type FileTexts,
  generateIdentity,
  identityFromFiles,
  type PathName,
  readFiles,
} from './credentials.ts'
import type { TransportParams } from './section.ts'
import { type TlsSettings, tlsSettingsOf, transportWarnings } from './settings.ts'

/** New connections look at the files at most so often. */
const lookIntervalMs = 2_000
/** One warning of a kind in this time; what it does not say is counted in the next one. */
const warningIntervalMs = 60_000

export interface TransportContext {
  readonly host: Pick<Host, 'clock' | 'disk' | 'hostname' | 'metrics' | 'net' | 'random'>
  readonly log: Logger
  readonly id: string
  readonly type: string
}

/** The server's side of TLS of one source. */
export interface TlsServer {
  /** Reads the files and makes what is to be made: before `options` are used, and for --dry-run. Rejects with ConfigError. */
  load(): Promise<void>
  readonly options: TlsServerOptions
}

/** undefined: `<transport>` is absent or not TLS. Pure; throws ConfigError. */
export function createTlsServer(
  params: TransportParams | undefined,
  context: TransportContext,
): TlsServer | undefined {
  const settings = tlsSettingsOf(params)
  return params === undefined || settings === undefined
    ? undefined
    : new FileTlsServer(params, settings, context)
}

/** Once, at start. */
export function warnOfTransport(params: TransportParams | undefined, log: Logger): void {
  for (const warning of transportWarnings(params)) log.warn(warning)
}

class FileTlsServer implements TlsServer {
  readonly options: TlsServerOptions
  readonly #params: TransportParams
  readonly #settings: TlsSettings
  readonly #context: TransportContext
  readonly #names: readonly PathName[]
  readonly #warned = new Map<string, { atMs: number; suppressed: number }>()
  #identity: TlsIdentity | undefined
  #texts: FileTexts = {}
  #lookedMs = 0

  constructor(params: TransportParams, settings: TlsSettings, context: TransportContext) {
    this.#params = params
    this.#settings = settings
    this.#context = context
    const own: readonly PathName[] =
      settings.certificate === 'files'
        ? ['certPath', 'privateKeyPath']
        : ['caCertPath', 'caPrivateKeyPath']
    this.#names = settings.clientCertificates ? [...own, 'caPath'] : own
    const { minVersion, maxVersion, ciphers, clientCertificates, handshakeTimeoutMs } = settings
    this.options = {
      minVersion,
      maxVersion,
      ciphers,
      clientCertificates,
      handshakeTimeoutMs,
      identity: () => this.#current(),
      onFailure: (failure) => this.#failed(failure),
    }
  }

  async load(): Promise<void> {
    const { host, log, id, type } = this.#context
    const texts = readFiles(this.#params, this.#names, host.disk)
    const identity =
      this.#settings.certificate === 'files'
        ? identityFromFiles(this.#params, texts)
        : await generateIdentity(this.#params, texts, host)
    this.#check(identity)
    this.#identity = identity
    this.#texts = texts
    this.#lookedMs = host.clock.monotonicMs()
    if (endOf(identity) < host.clock.wallMs()) {
      log.warn('the certificate has expired', { path: this.#params.certPath })
    }
    host.metrics.observableGauge(
      {
        name: 'sluice_tls_certificate_expiry_timestamp_seconds',
        help: 'When the certificate of a listener ends, in seconds since 1970.',
        labels: { plugin_id: id, type },
      },
      () => (this.#identity === undefined ? Number.NaN : endOf(this.#identity) / 1000),
    )
  }

  /** What only OpenSSL can say. */
  #check(identity: TlsIdentity): void {
    try {
      this.#context.host.net.checkTls?.(identity, this.options)
    } catch (error) {
      const { code = '', message } = error as NodeJS.ErrnoException
      const name = /CIPHER/.test(code) ? 'ciphers' : this.#names[0]
      throw new ConfigError(`TLS cannot be set up with this: ${message}`, {
        position: positionOf(this.#params, name),
      })
    }
  }

  #current(): TlsIdentity {
    const { clock } = this.#context.host
    const nowMs = clock.monotonicMs()
    if (this.#settings.certificate === 'files' && nowMs - this.#lookedMs >= lookIntervalMs) {
      this.#lookedMs = nowMs
      this.#renew()
    }
    if (this.#identity === undefined) throw new Error('bug: TLS is used before it is loaded')
    return this.#identity
  }

  /** Files that cannot be used yet (only one of two is written so far) leave things as they are. */
  #renew(): void {
    const { host, log } = this.#context
    try {
      const texts = readFiles(this.#params, this.#names, host.disk)
      if (this.#names.every((name) => texts[name] === this.#texts[name])) return
      this.#texts = texts
      const identity = identityFromFiles(this.#params, texts)
      this.#check(identity)
      this.#identity = identity
      log.info('took up a renewed certificate', { path: this.#params.certPath })
    } catch (error) {
      const fields = { path: this.#params.certPath, error }
      this.#warn('cannot take up the changed certificate: the old one stays', fields)
    }
  }

  #failed({ reason, remoteAddress, error }: TlsFailure): void {
    const { host, log, id, type } = this.#context
    const labels = { plugin_id: id, type, reason }
    const help = 'TLS connections that failed before anything was read.'
    host.metrics.counter({ name: 'sluice_tls_handshake_errors_total', help, labels }).add()
    const { code } = error as NodeJS.ErrnoException
    const fields = { host: remoteAddress, reason, code }
    // A probe of the port that goes away again is no news.
    if (reason === 'closed') log.debug('a TLS handshake was not finished', fields)
    else if (reason === 'plaintext') this.#warn('refused a client that does not speak TLS', fields)
    else this.#warn('a TLS handshake failed', fields, reason)
  }

  #warn(message: string, fields: Record<string, unknown>, kind = ''): void {
    const nowMs = this.#context.host.clock.monotonicMs()
    const key = `${message} ${kind}`
    const last = this.#warned.get(key)
    if (last !== undefined && nowMs - last.atMs < warningIntervalMs) {
      last.suppressed += 1
      return
    }
    this.#warned.set(key, { atMs: nowMs, suppressed: 0 })
    const suppressed = last?.suppressed ?? 0
    this.#context.log.warn(message, suppressed === 0 ? fields : { ...fields, suppressed })
  }
}

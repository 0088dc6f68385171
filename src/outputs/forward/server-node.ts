import { ClientHandshake } from '../../forward/handshake-client.ts'
import { saltBytes } from '../../forward/handshake-server.ts'
import { parseAddress } from '../../forward/ip-network.ts'
import { Addresses } from './addresses.ts'
import type { Weighted } from './balancer.ts'
import { FailureDetector } from './failure-detector.ts'
import { Link, LinkError } from './link.ts'
import type { Message } from './message.ts'
import { nameOf, type Server, type Surroundings } from './settings.ts'

/** Connections of one server kept for later; as many as chunks were sent at the same time. */
const idleLimit = 64

/** One server: its connections, and whether it is believed to be there. */
export class ServerNode implements Weighted {
  readonly server: Server
  readonly name: string
  readonly weight: number
  readonly standby: boolean
  available = true
  /** What went wrong last, for whoever asks why it is not available. */
  trouble: string | undefined
  readonly addresses: Addresses
  readonly #around: Surroundings
  readonly #detector: FailureDetector
  readonly #idle: Link[] = []
  #gone = false
  #beating = false

  constructor(server: Server, around: Surroundings) {
    const { host, settings } = around
    this.server = server
    this.name = nameOf(server)
    this.weight = server.weight
    this.standby = server.standby
    this.#around = around
    this.addresses = new Addresses(host, server.host, settings)
    this.#detector = new FailureDetector({
      intervalSeconds: settings.heartbeatIntervalMs / 1000,
      hardTimeoutSeconds: settings.hardTimeoutMs / 1000,
      nowSeconds: this.#nowSeconds(),
    })
  }

  /**
   * Sends a chunk, and waits for its ack if one is asked for. Rejects with an error after which the
   * chunk may be tried elsewhere; where it had got to is unknown then.
   */
  async deliver(message: Message, signal: AbortSignal): Promise<void> {
    const kept = this.#takeIdle()
    try {
      if (kept === undefined) await this.#send(await this.#open(signal), message, signal)
      else await this.#sendOnKept(kept, message, signal)
    } catch (error) {
      const code = error instanceof LinkError ? error.code : undefined
      this.trouble = (error as Error).message
      if (code === 'handshake' || code === 'no_ack') this.#disable()
      throw error
    }
    this.#detector.add(this.#nowSeconds())
  }

  /** A server may have closed a connection that nobody used: that is no failure of a new one. */
  async #sendOnKept(kept: Link, message: Message, signal: AbortSignal): Promise<void> {
    try {
      await this.#send(kept, message, signal)
    } catch (error) {
      if (!(error instanceof LinkError) || error.code !== 'broken') throw error
      await this.#send(await this.#open(signal), message, signal)
    }
  }

  async #send(link: Link, message: Message, signal: AbortSignal): Promise<void> {
    const { sendTimeoutMs, ackTimeoutMs } = this.#around.settings
    await link.send(message.pieces, { timeoutMs: sendTimeoutMs, signal })
    if (message.chunk !== undefined && ackTimeoutMs !== undefined) {
      await link.ack(message.chunk, { timeoutMs: ackTimeoutMs, signal })
    }
    this.#putAside(link)
  }

  async #open(signal: AbortSignal): Promise<Link> {
    const { host, settings, tlsFor } = this.#around
    const { server } = this
    const { security } = settings
    const link = await Link.open(
      host,
      {
        address: { kind: 'tcp', host: await this.addresses.resolve(), port: server.port },
        connectTimeoutMs: settings.connectTimeoutMs,
        handshakeTimeoutMs: settings.handshakeTimeoutMs,
        tls: tlsFor(this.#servername()),
        handshake:
          security === undefined
            ? undefined
            : new ClientHandshake(
                {
                  selfHostname: security.selfHostname,
                  sharedKey: server.sharedKey ?? security.sharedKey,
                  username: server.username,
                  password: server.password,
                },
                host.random.bytes(saltBytes),
              ),
      },
      signal,
    )
    if (settings.keepalive) link.setKeepAlive()
    return link
  }

  /**
   * What the certificate must be for: the host, or the `name` of one that is given by its address.
   */
  #servername(): string | undefined {
    const { host, name } = this.server
    return parseAddress(host) === undefined ? host : name
  }

  // ---- connections kept alive

  #takeIdle(): Link | undefined {
    this.closeExpired()
    for (let link = this.#idle.pop(); link !== undefined; link = this.#idle.pop()) {
      if (link.usable) return link
      link.close()
    }
    return undefined
  }

  #putAside(link: Link): void {
    const keep = this.#around.settings.keepalive && link.usable && !this.#gone
    if (!keep || this.#idle.length >= idleLimit) {
      link.close()
      return
    }
    link.idleSinceMs = this.#around.host.clock.monotonicMs()
    this.#idle.push(link)
  }

  /**
   * Closes connections that nobody has used for keepalive_timeout, or that the server has ended.
   */
  closeExpired(): void {
    const { host, settings } = this.#around
    const nowMs = host.clock.monotonicMs()
    const kept = this.#idle.filter((link) => {
      if (link.usable && nowMs - link.idleSinceMs < settings.keepaliveTimeoutMs) return true
      link.close()
      return false
    })
    this.#idle.splice(0, this.#idle.length, ...kept)
  }

  /** It takes no further part. */
  close(): void {
    this.#gone = true
    for (const link of this.#idle.splice(0)) link.close()
  }

  // ---- whether it is there

  /**
   * Connects and does the handshake, as a heartbeat or as the check at startup. Rejects if that
   * does not work.
   */
  async verify(signal: AbortSignal): Promise<void> {
    const link = await this.#open(signal)
    link.close()
  }

  /** A heartbeat by connecting. True: it has recovered by it. */
  async beat(signal: AbortSignal): Promise<boolean> {
    if (this.#beating) return false
    this.#beating = true
    try {
      await this.verify(signal)
    } catch (error) {
      this.trouble = (error as Error).message
      this.#around.log.debug('failed to send heartbeat packet', { server: this.name, error })
      return false
    } finally {
      this.#beating = false
    }
    return this.heartbeat()
  }

  /** A heartbeat was answered. True: it has recovered by it. */
  heartbeat(): boolean {
    this.#detector.add(this.#nowSeconds())
    if (this.available || this.#detector.samples <= this.#around.settings.recoverSamples) {
      return false
    }
    this.available = true
    this.#say('recovered forwarding server', {})
    return true
  }

  /** Looks at how long it has been silent. True: it is believed to be gone from now on. */
  tick(): boolean {
    const nowSeconds = this.#nowSeconds()
    const { phiThreshold } = this.#around.settings
    const silent = this.#detector.isSilent(nowSeconds)
    if (!this.available) {
      // Heartbeats after a long silence are counted from the beginning.
      if (silent) this.#detector.clear()
      return false
    }
    const phi = this.#detector.phi(nowSeconds)
    if (!silent && phi <= phiThreshold) return false
    this.#say('detached forwarding server', silent ? { hard_timeout: true } : { phi })
    this.#detector.clear()
    this.addresses.forget()
    this.#disable()
    return true
  }

  /** Without heartbeats nobody would ever notice that it is back. */
  #disable(): void {
    if (this.#around.settings.heartbeat !== 'none') this.available = false
  }

  #say(what: string, fields: Readonly<Record<string, unknown>>): void {
    const { host, port } = this.server
    this.#around.log.warn(`${what} '${this.name}'`, { host, port, ...fields })
  }

  #nowSeconds(): number {
    return this.#around.host.clock.monotonicMs() / 1000
  }
}

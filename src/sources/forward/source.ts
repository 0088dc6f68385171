import type { PluginContext } from '../../config/define.ts'
import type {
  Connection,
  ConnectionHandler,
  ListenAddress,
  Listener,
  Timer,
  UdpSocket,
} from '../../core/host.ts'
import type { Source } from '../../core/source.ts'
import { ServerHandshake, type ServerSecurity, saltBytes } from '../../forward/handshake-server.ts'
import { Hostnames } from '../../transport/hostnames.ts'
import { Population } from '../../transport/population.ts'
import { Reports } from '../../transport/reports.ts'
import { createTlsServer, type TlsServer, warnOfTransport } from '../../transport/tls-server.ts'
import { unixOwnerOf } from '../../transport/unix-owner.ts'
import { Budget } from './budget.ts'
import { Gate } from './gate.ts'
import { Inflations } from './inflation.ts'
import { drainMs, drainQuietMs, lingerMs, sweepIntervalMs } from './limits.ts'
import { Repeats } from './repeats.ts'
import { resolveSecurity } from './security.ts'
import { Session } from './session.ts'
import type { SessionContext } from './session-context.ts'
import type { ForwardSettings } from './settings.ts'
import { FieldWriter } from './source-fields.ts'

/** The answer to a UDP heartbeat. */
const heartbeat = Uint8Array.of(0)

interface Client {
  readonly session: Session
  /** Set with <security>. */
  readonly gate: Gate | undefined
  readonly connection: Connection
}

/**
 * The driver of the forward source: listeners, connections and their limits. The protocol is in
 * session.ts.
 */
export class ForwardSource implements Source {
  readonly claims: readonly string[]
  readonly acknowledgesBuffered: boolean
  readonly #settings: ForwardSettings
  readonly #context: PluginContext
  readonly #reports: Reports
  readonly #sessionContext: SessionContext
  readonly #hostnames: Hostnames
  readonly #repeats: Repeats | undefined
  readonly #clients = new Set<Client>()
  readonly #population: Population
  readonly #tls: TlsServer | undefined
  #security: ServerSecurity | undefined
  #listener: Listener | undefined
  #udp: UdpSocket | undefined
  #sweepTimer: Timer | undefined
  #stopped: Promise<void> | undefined
  /** Called when the last client has gone. */
  #emptied: (() => void) | undefined

  constructor(settings: ForwardSettings, context: PluginContext) {
    const { host, kernel, log } = context
    this.#settings = settings
    this.#context = context
    this.#repeats = settings.repeats && new Repeats(settings.repeats, context, settings.address)
    this.acknowledgesBuffered = settings.session.ackWhen === 'buffered'
    this.claims = [...claimsOf(settings.address), ...claimOf(this.#repeats)]
    this.#hostnames = new Hostnames(host)
    this.#population = new Population(settings)
    this.#tls = createTlsServer(settings.transport, context)
    const labels = { plugin_id: context.id, type: context.type }
    this.#reports = new Reports({ log, clock: host.clock, metrics: host.metrics, labels })
    if (this.#repeats !== undefined) this.#reports.repeatedMessages = 0
    this.#sessionContext = {
      settings: settings.session,
      clock: host.clock,
      consumer: context.router,
      reports: this.#reports,
      inflations: new Inflations({
        clock: host.clock,
        limitBytes: settings.session.decompressionLimitBytes,
      }),
      repeats: this.#repeats,
      budget: new Budget(settings.unfinishedTotalBytes),
      createFramer: (options) => kernel.createFramer(options),
      relieve: () => this.#relieve(),
    }
  }

  /**
   * The address that is listened on, with the port that was chosen for port 0. undefined before
   * start.
   */
  get address(): ListenAddress | undefined {
    return this.#listener?.address
  }

  /** Files of TLS, and names of users. */
  async check(): Promise<void> {
    await this.#tls?.load()
    unixOwnerOf(this.#settings.unixOwner, this.#context.host.disk)
  }

  async start(): Promise<void> {
    const { host, log } = this.#context
    const { security, transport } = this.#settings
    warnOfTransport(transport, log)
    await this.#tls?.load()
    // Before anybody can connect.
    if (security !== undefined) this.#security = await resolveSecurity(security, host.net)
    await this.#repeats?.open()
    try {
      await this.#listen()
    } catch (error) {
      await this.#repeats?.close()
      throw error
    }
    this.#reports.register()
    this.#sweepLater()
  }

  async #listen(): Promise<void> {
    const { host, kernel, log } = this.#context
    const { backlog, allows } = this.#settings
    this.#listener = await host.net.listen({
      address: this.#ownedAddress(),
      backlog,
      tls: this.#tls?.options,
      ...(allows === undefined ? {} : { admits: (from) => this.#admits(from, allows) }),
      readArea: kernel.readArea,
      accept: (connection) => this.#accept(connection),
    })
    const bound = this.#listener.address
    if (bound.kind === 'tcp') {
      try {
        await this.#listenForHeartbeats(bound)
      } catch (error) {
        await this.#listener.close()
        this.#listener = undefined
        throw error
      }
      log.info('listening port', { port: bound.port, bind: bound.host })
    } else {
      log.info('listening unix socket', { path: bound.path })
    }
  }

  async #listenForHeartbeats({ host, port }: { host: string; port: number }): Promise<void> {
    const { allows } = this.#settings
    const udp = await this.#context.host.net.listenUdp({
      host,
      port,
      onMessage: (_bytes, from) => {
        if (allows?.(from.address) !== false) udp.send(heartbeat, from.port, from.address)
      },
    })
    this.#udp = udp
  }

  #ownedAddress(): ListenAddress {
    const { address, unixOwner } = this.#settings
    if (address.kind !== 'unix') return address
    return { ...address, ...unixOwnerOf(unixOwner, this.#context.host.disk) }
  }

  // ---- connections

  #admits(from: string | undefined, allows: (from: string | undefined) => boolean): boolean {
    if (allows(from)) return true
    this.#reports.connectionsTotal += 1
    this.#reports.refused('allow_from')
    this.#reports.warn('refused a connection', { host: from, limit: 'allow_from' }, 'allow_from')
    return false
  }

  #accept(connection: Connection): ConnectionHandler {
    this.#reports.connectionsTotal += 1
    const refusal = this.#population.refusal(connection.remoteAddress)
    if (refusal !== undefined) {
      this.#reports.refused(refusal)
      const fields = { host: connection.remoteAddress, limit: refusal }
      this.#reports.warn('refused a connection', fields, refusal)
      connection.destroy({ reset: true })
      return ignored
    }
    const session = new Session(this.#sessionContext, connection)
    const client = { session, connection, gate: this.#gateFor(connection) }
    this.#add(client)
    if (this.#settings.sendKeepalivePacket) connection.setKeepAlive(true)
    this.#writeFields(client)
    return {
      onData: (bytes) => this.#take(client, bytes),
      onEnd: () => session.ended(),
      onDrain: () => session.drained(),
      onClose: (error) => {
        if (error !== undefined) this.#context.log.debug('connection broke', { error })
        session.gone()
        this.#remove(client)
      },
    }
  }

  #gateFor(connection: Connection): Gate | undefined {
    if (this.#security === undefined) return undefined
    const { clock, random } = this.#context.host
    const handshake = new ServerHandshake(this.#security, {
      remoteAddress: connection.remoteAddress,
      keepalive: !this.#settings.session.denyKeepalive,
      nonce: random.bytes(saltBytes),
      authSalt: random.bytes(saltBytes),
    })
    return new Gate(handshake, connection, { reports: this.#reports, clock })
  }

  #take({ session, gate }: Client, bytes: Uint8Array): void {
    if (gate === undefined || !gate.waiting || session.closing) {
      session.data(bytes)
      return
    }
    const rest = gate.take(bytes)
    if (rest === 'more') return
    session.lastDataMs = this.#context.host.clock.monotonicMs()
    if (rest === 'refused') {
      session.stop()
      return
    }
    session.client = gate.client
    if (rest.byteLength > 0) session.data(rest)
  }

  #add(client: Client): void {
    this.#clients.add(client)
    this.#population.add(client.connection.remoteAddress)
    this.#reports.connections = this.#clients.size
  }

  #remove(client: Client): void {
    if (!this.#clients.delete(client)) return
    this.#population.remove(client.connection.remoteAddress)
    this.#reports.connections = this.#clients.size
    if (this.#clients.size === 0) this.#emptied?.()
  }

  /**
   * source_address_key, source_hostname_key. Until the name is known nothing is read. A unix client
   * has no address.
   */
  #writeFields({ session, connection }: Client): void {
    const { addressKey, hostnameKey } = this.#settings
    const address = connection.remoteAddress
    if (address === undefined || (addressKey === undefined && hostnameKey === undefined)) return
    const keys = { addressKey, hostnameKey }
    if (hostnameKey === undefined) {
      session.fields = new FieldWriter(keys, { address, hostname: address })
      return
    }
    connection.pause()
    void this.#hostnames.nameOf(address).then((hostname) => {
      session.fields = new FieldWriter(keys, { address, hostname })
      connection.resume()
    })
  }

  /**
   * The connection of which most is kept goes: one that sends little must not pay for one that
   * hoards.
   */
  #relieve(): void {
    let largest: Session | undefined
    for (const { session } of this.#clients) {
      if (session.heldBytes > (largest?.heldBytes ?? 0)) largest = session
    }
    largest?.refuse('unfinished_total_limit', 'too much is kept of unfinished messages')
  }

  // ---- timeouts

  #sweepLater(): void {
    const { idleTimeoutMs, partialTimeoutMs, handshakeTimeoutMs } = this.#settings
    const gateMs = this.#security === undefined ? sweepIntervalMs : handshakeTimeoutMs / 4
    const intervalMs = Math.min(sweepIntervalMs, idleTimeoutMs / 4, partialTimeoutMs / 4, gateMs)
    this.#sweepTimer = this.#context.host.clock.after(intervalMs, () => {
      this.#sweep()
      this.#sweepLater()
    })
  }

  #sweep(): void {
    const nowMs = this.#context.host.clock.monotonicMs()
    const { idleTimeoutMs, partialTimeoutMs, handshakeTimeoutMs } = this.#settings
    for (const { session, gate } of this.#clients) {
      if (session.closing) {
        if (nowMs - session.closingSinceMs >= lingerMs) session.close({ reset: false })
      } else if (gate?.waiting) {
        if (nowMs - gate.sinceMs < handshakeTimeoutMs) continue
        session.refuse('handshake_timeout', 'the client did not prove who it is')
      } else if (session.idle) {
        if (session.heldBytes > 0 && nowMs - session.progressMark.atMs >= partialTimeoutMs) {
          session.refuse('partial_message_timeout', 'a message was begun and did not go on')
        } else if (nowMs - session.lastDataMs >= idleTimeoutMs) {
          session.refuse('idle_timeout', 'nothing came for too long')
        }
      }
    }
  }

  // ---- the end

  stop(deadline: AbortSignal): Promise<void> {
    this.#stopped ??= this.#stop(deadline)
    return this.#stopped
  }

  async #stop(deadline: AbortSignal): Promise<void> {
    await this.#listener?.close()
    await this.#udp?.close()
    const closeAll = () => {
      for (const { session } of this.#clients) session.close({ reset: true })
    }
    if (deadline.aborted) closeAll()
    deadline.addEventListener('abort', closeAll, { once: true })
    if (this.#clients.size > 0) await this.#drain()
    deadline.removeEventListener('abort', closeAll)
    this.#sweepTimer?.cancel()
    await this.#repeats?.close()
    const { metrics } = this.#context.host
    if (this.#listener !== undefined) metrics.forget({ plugin_id: this.#context.id })
  }

  /**
   * What clients have sent already is in the system's buffers: it is read and acknowledged before
   * connections end, since a client without acks (Docker) would never know that it was lost.
   * Clients that never pause are cut off.
   */
  #drain(): Promise<void> {
    const { clock } = this.#context.host
    const startMs = clock.monotonicMs()
    return new Promise((resolve) => {
      let timer: Timer | undefined
      this.#emptied = () => {
        timer?.cancel()
        resolve()
      }
      const look = () => {
        const nowMs = clock.monotonicMs()
        const late = nowMs - startMs >= drainMs
        for (const { session, connection } of this.#clients) {
          if (session.closing) {
            if (connection.unsentBytes === 0) session.close({ reset: false })
          } else if (late || nowMs - session.lastDataMs >= drainQuietMs) {
            session.stop()
          }
        }
        if (this.#clients.size > 0) timer = clock.after(drainQuietMs, look)
      }
      timer = clock.after(drainQuietMs, look)
    })
  }
}

const ignored: ConnectionHandler = {
  onData: () => undefined,
  onEnd: () => undefined,
  onDrain: () => undefined,
  onClose: () => undefined,
}

function claimOf(repeats: Repeats | undefined): string[] {
  return repeats?.path === undefined ? [] : [`repeats:${repeats.path}`]
}

function claimsOf(address: ListenAddress): string[] {
  if (address.kind === 'unix') return [`unix:${address.path}`]
  // Port 0 is whatever is free.
  if (address.port === 0) return []
  return [`tcp:${address.host}:${address.port}`, `udp:${address.host}:${address.port}`]
}

import type { PluginContext } from '../config/define.ts'
import type { Connection, ConnectionHandler, ListenAddress, Listener, Timer } from '../core/host.ts'
import { Hostnames } from './hostnames.ts'
import type { LineEvents } from './line-events.ts'
import { Population } from './population.ts'
import type { Reports } from './reports.ts'
import type { TransportParams } from './section.ts'
import { createTlsServer, type TlsServer, warnOfTransport } from './tls-server.ts'

/** Who sends. `hostname` is the address where names are not asked for, or there is none. */
export interface Peer {
  readonly address: string
  readonly hostname: string
}

/** Takes the bytes of one connection apart into events. */
export interface Feeder {
  /** `bytes` are borrowed. */
  feed(bytes: Uint8Array): void
  /** What was begun and has not ended. */
  readonly unfinished: boolean
}

export interface StreamServerSettings {
  readonly address: ListenAddress
  readonly transport: TransportParams | undefined
  readonly keepAlive: boolean
  readonly resolveNames: boolean
  readonly maxConnections: number
  readonly maxConnectionsPerAddress: number
  /** Infinity: never. */
  readonly idleTimeoutMs: number
}

interface Client {
  readonly connection: Connection
  feeder: Feeder | undefined
  lastDataMs: number
  waiting: boolean
  ended: boolean
}

/** At stop: a connection from which nothing has come for so long has nothing more on its way, and what all have at most. */
const drainQuietMs = 25
const drainMs = 250
const sweepIntervalMs = 5_000

/**
 * Listens, and feeds what connections bring to feeders of their own, whose events are handed on after each read. While
 * the consumer pushes back, the connection that brought the events is not read from.
 */
export class StreamServer {
  readonly #settings: StreamServerSettings
  readonly #context: Pick<PluginContext, 'host' | 'log' | 'kernel' | 'id'>
  readonly #reports: Reports
  readonly #events: LineEvents
  readonly #newFeeder: (peer: Peer) => Feeder
  readonly #population: Population
  readonly #hostnames: Hostnames
  readonly #clients = new Set<Client>()
  readonly #tls: TlsServer | undefined
  #listener: Listener | undefined
  #sweepTimer: Timer | undefined
  #emptied: (() => void) | undefined

  constructor(
    settings: StreamServerSettings,
    context: Pick<PluginContext, 'host' | 'log' | 'kernel' | 'id'>,
    parts: { reports: Reports; events: LineEvents; newFeeder: (peer: Peer) => Feeder },
  ) {
    this.#settings = settings
    this.#context = context
    this.#reports = parts.reports
    this.#events = parts.events
    this.#newFeeder = parts.newFeeder
    this.#population = new Population(settings)
    this.#hostnames = new Hostnames(context.host)
    this.#tls = createTlsServer(settings.transport, context as PluginContext)
  }

  /** With the port that was chosen for port 0; undefined before start. */
  get address(): ListenAddress | undefined {
    return this.#listener?.address
  }

  /** For --dry-run. */
  async check(): Promise<void> {
    await this.#tls?.load()
  }

  /** `allows` undefined: everybody may connect. */
  async start(allows: ((address: string | undefined) => boolean) | undefined): Promise<void> {
    const { host, kernel, log } = this.#context
    warnOfTransport(this.#settings.transport, log)
    await this.#tls?.load()
    this.#listener = await host.net.listen({
      address: this.#settings.address,
      tls: this.#tls?.options,
      ...(allows === undefined ? {} : { admits: (from) => this.#admits(from, allows) }),
      readArea: kernel.readArea,
      accept: (connection) => this.#accept(connection),
    })
    const bound = this.#listener.address
    if (bound.kind === 'tcp') log.info('listening port', { port: bound.port, bind: bound.host })
    this.#reports.register()
    this.#sweepLater()
  }

  #admits(from: string | undefined, allows: (from: string | undefined) => boolean): boolean {
    if (allows(from)) return true
    this.#reports.connectionsTotal += 1
    this.#reports.refused('client')
    this.#reports.warn(`anonymous client '${from ?? ''}' denied`, {})
    return false
  }

  #accept(connection: Connection): ConnectionHandler {
    const { remoteAddress } = connection
    this.#reports.connectionsTotal += 1
    const refusal = this.#population.refusal(remoteAddress)
    if (refusal !== undefined) {
      this.#reports.refused(refusal)
      this.#reports.warn('refused a connection', { host: remoteAddress, limit: refusal }, refusal)
      connection.destroy({ reset: true })
      return ignored
    }
    const client: Client = {
      connection,
      feeder: undefined,
      lastDataMs: this.#context.host.clock.monotonicMs(),
      waiting: false,
      ended: false,
    }
    this.#clients.add(client)
    this.#population.add(remoteAddress)
    this.#reports.connections = this.#clients.size
    if (this.#settings.keepAlive) connection.setKeepAlive(true)
    this.#introduce(client)
    return {
      onData: (bytes) => this.#take(client, bytes),
      onEnd: () => this.#end(client),
      onDrain: () => undefined,
      onClose: (error) => {
        if (error !== undefined) this.#context.log.debug('connection broke', { error })
        this.#remove(client)
      },
    }
  }

  /** Until the name is known nothing is read. */
  #introduce(client: Client): void {
    const address = client.connection.remoteAddress ?? ''
    if (!this.#settings.resolveNames) {
      client.feeder = this.#newFeeder({ address, hostname: address })
      return
    }
    client.connection.pause()
    void this.#hostnames.nameOf(address).then((hostname) => {
      client.feeder = this.#newFeeder({ address, hostname })
      client.connection.resume()
    })
  }

  #take(client: Client, bytes: Uint8Array): void {
    client.lastDataMs = this.#context.host.clock.monotonicMs()
    this.#reports.bytes += bytes.byteLength
    client.feeder?.feed(bytes)
    const pending = this.#events.flush()
    if (pending === undefined) return
    client.waiting = true
    client.connection.pause()
    void pending.then(() => {
      client.waiting = false
      client.lastDataMs = this.#context.host.clock.monotonicMs()
      if (client.ended) client.connection.end()
      else client.connection.resume()
    })
  }

  #end(client: Client): void {
    client.ended = true
    if (!client.waiting) client.connection.end()
  }

  #remove(client: Client): void {
    if (!this.#clients.delete(client)) return
    if (client.feeder?.unfinished) {
      this.#reports.lostMessage('unfinished')
      this.#reports.warn('a connection ended within a message, which is dropped', {
        host: client.connection.remoteAddress,
      })
    }
    this.#population.remove(client.connection.remoteAddress)
    this.#reports.connections = this.#clients.size
    if (this.#clients.size === 0) this.#emptied?.()
  }

  #sweepLater(): void {
    const intervalMs = Math.min(sweepIntervalMs, this.#settings.idleTimeoutMs / 4)
    this.#sweepTimer = this.#context.host.clock.after(intervalMs, () => {
      const nowMs = this.#context.host.clock.monotonicMs()
      for (const client of this.#clients) {
        if (client.waiting || nowMs - client.lastDataMs < this.#settings.idleTimeoutMs) continue
        this.#reports.refused('idle_timeout')
        client.connection.destroy({ reset: true })
      }
      this.#sweepLater()
    })
  }

  /** What clients have sent already is read before their connections end. */
  async stop(deadline: AbortSignal): Promise<void> {
    await this.#listener?.close()
    const closeAll = () => {
      for (const { connection } of this.#clients) connection.destroy()
    }
    if (deadline.aborted) closeAll()
    deadline.addEventListener('abort', closeAll, { once: true })
    if (this.#clients.size > 0) await this.#drain()
    deadline.removeEventListener('abort', closeAll)
    this.#sweepTimer?.cancel()
    const { metrics } = this.#context.host
    if (this.#listener !== undefined) metrics.forget({ plugin_id: this.#context.id })
  }

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
        for (const client of this.#clients) {
          if (client.waiting) continue
          const quiet = nowMs - client.lastDataMs >= drainQuietMs
          if (quiet || nowMs - startMs >= drainMs) client.connection.destroy()
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

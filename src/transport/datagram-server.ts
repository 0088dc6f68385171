import type { PluginContext } from '../config/define.ts'
import type { UdpSocket } from '../core/host.ts'
import { Hostnames } from './hostnames.ts'
import type { LineEvents } from './line-events.ts'
import type { Reports } from './reports.ts'
import type { Peer } from './stream-server.ts'

/** Datagrams whose events wait for the consumer; beyond, further ones are dropped: UDP cannot push back. */
const waitingLimit = 1024

/**
 * Receives datagrams. Events of those that come together are handed on together; while the consumer pushes back they
 * gather, up to a limit.
 */
export class DatagramServer {
  readonly #settings: {
    host: string
    port: number
    limitBytes: number
    resolveNames: boolean
  }
  readonly #context: Pick<PluginContext, 'host' | 'log' | 'id'>
  readonly #reports: Reports
  readonly #events: LineEvents
  readonly #take: (bytes: Uint8Array, peer: Peer) => void
  readonly #hostnames: Hostnames
  #socket: UdpSocket | undefined
  #flushing = false
  #waiting = 0

  /** `take` gets at most `limitBytes` of each datagram, borrowed. */
  constructor(
    settings: { host: string; port: number; limitBytes: number; resolveNames: boolean },
    context: Pick<PluginContext, 'host' | 'log' | 'id'>,
    parts: {
      reports: Reports
      events: LineEvents
      take: (bytes: Uint8Array, peer: Peer) => void
    },
  ) {
    this.#settings = settings
    this.#context = context
    this.#reports = parts.reports
    this.#events = parts.events
    this.#take = parts.take
    this.#hostnames = new Hostnames(context.host)
  }

  /** undefined before start. */
  get port(): number | undefined {
    return this.#socket?.port
  }

  async start(): Promise<void> {
    const { host, port } = this.#settings
    this.#socket = await this.#context.host.net.listenUdp({
      host,
      port,
      onMessage: (bytes, from) => this.#message(bytes, from.address),
    })
    this.#context.log.info('listening udp socket', { bind: host, port: this.#socket.port })
    this.#reports.register()
  }

  #message(bytes: Uint8Array, address: string): void {
    this.#reports.bytes += bytes.byteLength
    if (this.#waiting >= waitingLimit) {
      this.#reports.lostMessage('overflow')
      this.#reports.warn('datagrams are dropped: what they were for takes no more', {})
      return
    }
    const taken = bytes.subarray(0, this.#settings.limitBytes)
    if (taken.byteLength < bytes.byteLength) this.#cut(bytes.byteLength, address)
    if (!this.#settings.resolveNames) {
      this.#hand(taken, { address, hostname: address })
      return
    }
    const copy = new Uint8Array(taken)
    this.#waiting += 1
    void this.#hostnames.nameOf(address).then((hostname) => {
      this.#waiting -= 1
      this.#hand(copy, { address, hostname })
    })
  }

  #cut(bytes: number, address: string): void {
    this.#reports.cutMessage('message_length_limit')
    this.#reports.warn('a datagram is longer than message_length_limit, its rest is left out', {
      host: address,
      limit: this.#settings.limitBytes,
      size: bytes,
    })
  }

  #hand(bytes: Uint8Array, peer: Peer): void {
    this.#take(bytes, peer)
    if (this.#flushing) return
    this.#flushing = true
    this.#context.host.clock.soon(() => this.#flush())
  }

  #flush(): void {
    this.#flushing = false
    const pending = this.#events.flush()
    if (pending === undefined) return
    this.#waiting += 1
    void pending.then(() => {
      this.#waiting -= 1
    })
  }

  async stop(): Promise<void> {
    await this.#socket?.close()
    await this.#events.flush()
    const { metrics } = this.#context.host
    if (this.#socket !== undefined) metrics.forget({ plugin_id: this.#context.id })
  }
}

import type { Timer, UdpSocket } from '../../core/host.ts'
import { parseAddress } from '../../forward/ip-network.ts'
import { Balancer } from './balancer.ts'
import type { Discovery } from './discovery.ts'
import type { Message } from './message.ts'
import { ServerNode } from './server-node.ts'
import { nameOf, type Server, type Surroundings } from './settings.ts'

/** How often connections that nobody uses are looked over. */
const purgeIntervalMs = 5_000

/** Servers of which an error message says why they are not available. */
const shownTroubles = 3

const heartbeatByte = Uint8Array.of(0)

/** The servers of an output: who they are, whose turn it is, and whether they are there. */
export class Servers {
  readonly #around: Surroundings
  readonly #discoveries: readonly Discovery[]
  readonly #balancer: Balancer<ServerNode>
  /** By discovery, then by everything that is said of a server. */
  readonly #found: Map<string, Server>[]
  readonly #nodes = new Map<string, ServerNode>()
  readonly #abort = new AbortController()
  readonly #udp = new Map<'udp4' | 'udp6', UdpSocket>()
  #heartbeatTimer: Timer | undefined
  #purgeTimer: Timer | undefined

  constructor(around: Surroundings, discoveries: readonly Discovery[]) {
    this.#around = around
    this.#discoveries = discoveries
    this.#found = discoveries.map(() => new Map())
    this.#balancer = new Balancer(() => around.host.random.unit())
  }

  get registered(): number {
    return this.#nodes.size
  }

  get available(): number {
    let count = 0
    for (const { available } of this.#nodes.values()) if (available) count += 1
    return count
  }

  /**
   * Rejects where servers cannot be found, or where the configuration says that they must be there
   * and they are not.
   */
  async start(): Promise<void> {
    for (const [i, discovery] of this.#discoveries.entries()) {
      const servers = await discovery.start((changed) => {
        this.#set(i, changed)
        this.#rebuild()
      })
      this.#set(i, servers)
    }
    if (this.#nodes.size === 0) throw new Error('forward output has no server: none was found')
    await this.#resolveAll()
    if (this.#around.settings.verifyConnectionAtStartup) {
      for (const node of this.#nodes.values()) await node.verify(this.#abort.signal)
    }
    await this.#startHeartbeats()
    this.#rebuild()
    if (this.#around.settings.keepalive) this.#purgeLater()
  }

  #set(index: number, servers: readonly Server[]): void {
    const { log } = this.#around
    const before = this.#found[index] as Map<string, Server>
    const now = new Map(servers.map((server) => [`${index} ${JSON.stringify(server)}`, server]))
    for (const [key, server] of now) {
      if (before.has(key)) continue
      const { host, port, weight } = server
      log.info(`adding forwarding server '${nameOf(server)}'`, { host, port, weight })
      this.#nodes.set(key, new ServerNode(server, this.#around))
    }
    for (const [key, server] of before) {
      if (now.has(key)) continue
      log.info(`Service out: name=${nameOf(server)} ${server.host}:${server.port}`)
      this.#nodes.get(key)?.close()
      this.#nodes.delete(key)
    }
    this.#found[index] = now
  }

  async #resolveAll(): Promise<void> {
    const { settings, log } = this.#around
    if (settings.heartbeat === 'none') return
    for (const node of this.#nodes.values()) {
      try {
        await node.addresses.resolve()
      } catch (error) {
        if (!settings.ignoreNetworkErrorsAtStartup) throw error
        log.warn('failed to resolve node name when configured', { server: node.name, error })
        node.available = false
      }
    }
  }

  #rebuild(): void {
    const nodes = [...this.#nodes.values()]
    this.#balancer.rebuild(nodes)
    if (!nodes.some(({ available }) => available)) this.#around.log.warn('No nodes are available')
  }

  /** Sends to one of the servers. Rejects with the last one's error if none took it. */
  async deliver(message: Message, signal: AbortSignal): Promise<void> {
    let failure: { node: ServerNode; error: unknown } | undefined
    for (const node of this.#balancer.candidates()) {
      if (failure !== undefined) {
        const { error } = failure
        this.#around.log.warn('a server did not take a chunk; another one gets it', {
          server: failure.node.name,
          next: node.name,
          error,
        })
      }
      try {
        await node.deliver(message, signal)
        return
      } catch (error) {
        failure = { node, error }
        if (!node.available) this.#rebuild()
        if (signal.aborted) break
      }
    }
    throw failure === undefined ? new Error(this.#whyNobody()) : failure.error
  }

  #whyNobody(): string {
    const troubles: string[] = []
    for (const { name, trouble } of this.#nodes.values()) {
      if (trouble !== undefined && troubles.length < shownTroubles) {
        troubles.push(`${name}: ${trouble}`)
      }
    }
    return ['no nodes are available', ...troubles].join('; ')
  }

  // ---- heartbeats

  async #startHeartbeats(): Promise<void> {
    const { settings } = this.#around
    if (settings.heartbeat === 'none') return
    if (settings.heartbeat === 'udp') await this.#openUdp()
    this.#beatLater()
  }

  #beatLater(): void {
    const { host, settings } = this.#around
    this.#heartbeatTimer = host.clock.after(settings.heartbeatIntervalMs, () => {
      let changed = false
      for (const node of this.#nodes.values()) {
        void this.#beat(node)
        if (node.tick()) changed = true
      }
      if (changed) this.#rebuild()
      this.#beatLater()
    })
  }

  async #beat(node: ServerNode): Promise<void> {
    if (this.#around.settings.heartbeat === 'udp') await this.#sendDatagram(node)
    else if (await node.beat(this.#abort.signal)) this.#rebuild()
  }

  async #openUdp(): Promise<void> {
    const { net } = this.#around.host
    const families = new Set<'udp4' | 'udp6'>()
    for (const node of this.#nodes.values()) {
      const address = await node.addresses.resolve().catch(() => '0.0.0.0')
      families.add(familyOf(address))
    }
    for (const family of families) {
      const host = family === 'udp6' ? '::' : '0.0.0.0'
      const onMessage = (_bytes: Uint8Array, from: { address: string; port: number }) =>
        void this.#answered(from)
      this.#udp.set(family, await net.listenUdp({ host, port: 0, onMessage }))
    }
  }

  async #sendDatagram(node: ServerNode): Promise<void> {
    try {
      const address = await node.addresses.resolve()
      this.#udp.get(familyOf(address))?.send(heartbeatByte, node.server.port, address)
    } catch (error) {
      this.#around.log.debug('failed to send heartbeat packet', { server: node.name, error })
    }
  }

  async #answered(from: { address: string; port: number }): Promise<void> {
    for (const node of this.#nodes.values()) {
      if (node.server.port !== from.port) continue
      const address = await node.addresses.resolve().catch(() => undefined)
      if (address !== undefined && sameAddress(address, from.address)) {
        if (node.heartbeat()) this.#rebuild()
        return
      }
    }
    this.#around.log.debug('Unknown heartbeat response received', from)
  }

  #purgeLater(): void {
    this.#purgeTimer = this.#around.host.clock.after(purgeIntervalMs, () => {
      for (const node of this.#nodes.values()) node.closeExpired()
      this.#purgeLater()
    })
  }

  async stop(): Promise<void> {
    this.#heartbeatTimer?.cancel()
    this.#purgeTimer?.cancel()
    this.#abort.abort()
    for (const discovery of this.#discoveries) discovery.stop()
    for (const node of this.#nodes.values()) node.close()
    for (const socket of this.#udp.values()) await socket.close()
  }
}

function familyOf(address: string): 'udp4' | 'udp6' {
  return address.includes(':') ? 'udp6' : 'udp4'
}

function sameAddress(a: string, b: string): boolean {
  return a === b || parseAddress(a)?.join() === parseAddress(b)?.join()
}

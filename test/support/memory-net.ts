import type {
  Clock,
  Connection,
  ConnectionHandler,
  ListenAddress,
  Listener,
  ListenOptions,
  Net,
} from '../../src/core/host.ts'

/** The test's end of a connection to something that listens. */
export interface TestClient {
  /**
   * Hands bytes to the server at once (or keeps them while it is paused). They are copied into its
   * readArea.
   */
  send(bytes: Uint8Array): void
  /** Ends our side. */
  end(): void
  /** Our side breaks. */
  destroy(error?: Error): void
  /** While true the server's writes stay unsent; false lets them go. */
  stalled: boolean
  /** All that came back. */
  received(): Uint8Array
  /** Forgets what came back. */
  clear(): void
  /** Number of writes that brought it. */
  readonly writes: number
  readonly paused: boolean
  readonly ended: boolean
  readonly closed: 'no' | 'closed' | 'reset'
  readonly keepAlive: boolean
}

export interface MemoryNet extends Net {
  /** Connects to what listens on the port (or unix path). Throws ECONNREFUSED. */
  client(to: number | string, from?: { address?: string; port?: number }): TestClient
  /** Whether a client from there would be let in at all. */
  admits(to: number | string, address: string): boolean
  /** Sends a datagram to a UDP port; what is sent back is in `datagrams`. */
  datagram(port: number, bytes: Uint8Array): void
  readonly datagrams: { bytes: Uint8Array; port: number; address: string }[]
  /** Names that reverseLookup knows. */
  readonly names: Map<string, string>
  /** Ports and paths that are listened on. */
  listening(): (number | string)[]
  /** Make listening on that port or path fail with this code. */
  readonly refuse: Map<number | string, string>
}

/**
 * Port 0 gives 40000, 40001, … Callbacks of the server run synchronously in the client's calls, or
 * by `clock.soon`.
 */
export function createMemoryNet(clock: Clock): MemoryNet {
  const listeners = new Map<number | string, ListenOptions>()
  const udp = new Map<number, Parameters<Net['listenUdp']>[0]>()
  const datagrams: MemoryNet['datagrams'] = []
  const names = new Map<string, string>()
  const refuse = new Map<number | string, string>()
  let freePort = 40_000

  const fail = (key: number | string, code: string) =>
    Object.assign(new Error(`${code}: ${key}`), { code })
  const keyOf = (address: ListenAddress) => (address.kind === 'tcp' ? address.port : address.path)

  function claim(port: number): number {
    if (port !== 0) return port
    freePort += 1
    return freePort - 1
  }

  return {
    names,
    refuse,
    datagrams,
    listening: () => [...listeners.keys()],
    async listen(options): Promise<Listener> {
      const { address } = options
      const bound: ListenAddress =
        address.kind === 'tcp' ? { ...address, port: claim(address.port) } : address
      const key = keyOf(bound)
      const refused = refuse.get(key) ?? (listeners.has(key) ? 'EADDRINUSE' : undefined)
      if (refused !== undefined) throw fail(key, refused)
      listeners.set(key, options)
      return {
        address: bound,
        async close() {
          listeners.delete(key)
        },
      }
    },
    admits: (to, address) => listeners.get(to)?.admits?.(address) ?? true,
    client(to, from = {}) {
      const options = listeners.get(to)
      if (options === undefined) throw fail(to, 'ECONNREFUSED')
      const pair = new Pair(clock, options.readArea, {
        address: typeof to === 'number' ? (from.address ?? '127.0.0.1') : undefined,
        port: typeof to === 'number' ? (from.port ?? 50_000) : undefined,
      })
      pair.handler = options.accept(pair)
      return pair.client
    },
    async connect(options, handler) {
      const target = listeners.get(keyOf(options.address))
      if (target === undefined) throw fail(keyOf(options.address), 'ECONNREFUSED')
      return connectPair(clock, target, handler)
    },
    async listenUdp(options) {
      const port = claim(options.port)
      if (udp.has(port)) throw fail(port, 'EADDRINUSE')
      udp.set(port, options)
      return {
        port,
        send: (bytes, toPort, address) => {
          datagrams.push({ bytes: bytes.slice(), port: toPort, address })
        },
        async close() {
          udp.delete(port)
        },
      }
    },
    datagram(port, bytes) {
      udp.get(port)?.onMessage(bytes, { address: '127.0.0.1', port: 50_001 })
    },
    reverseLookup: async (address) => names.get(address) ?? address,
  }
}

/**
 * A client and a server of the code under test, joined: what one writes the other gets by
 * `clock.soon`.
 */
function connectPair(
  clock: Clock,
  target: ListenOptions,
  handler: (connection: Connection) => ConnectionHandler,
): Connection {
  const server = new Pair(clock, target.readArea, { address: '127.0.0.1', port: 50_000 })
  const client = new Pair(clock, undefined, { address: '127.0.0.1', port: 1 })
  server.peer = client
  client.peer = server
  server.handler = target.accept(server)
  client.handler = handler(client)
  return client
}

type Arrival = { kind: 'data'; bytes: Uint8Array } | { kind: 'end' }

/** The code's end of a connection (it is a Connection), with the test's end in `client`. */
class Pair implements Connection {
  readonly remoteAddress: string | undefined
  readonly remotePort: number | undefined
  handler: ConnectionHandler | undefined
  peer: Pair | undefined
  readonly client: TestClient
  readonly #clock: Clock
  readonly #area: Uint8Array | undefined
  #arrived: Arrival[] = []
  #paused = false
  #delivering = false
  #receivedPieces: Uint8Array[] = []
  #unsent: Uint8Array[] = []
  #stalled = false
  #endWritten = false
  #writes = 0
  #inputEnded = false
  #closed: 'no' | 'closed' | 'reset' = 'no'
  #keepAlive = false

  constructor(
    clock: Clock,
    area: Uint8Array | undefined,
    remote: { address: string | undefined; port: number | undefined },
  ) {
    this.#clock = clock
    this.#area = area
    this.remoteAddress = remote.address
    this.remotePort = remote.port
    this.client = this.#createClient()
  }

  #createClient(): TestClient {
    const pair = this
    return {
      send: (bytes) => pair.arrive({ kind: 'data', bytes: bytes.slice() }),
      end: () => pair.arrive({ kind: 'end' }),
      destroy: (error) => pair.#close('closed', error),
      get stalled() {
        return pair.#stalled
      },
      set stalled(value) {
        pair.#stalled = value
        if (!value) pair.#flush()
      },
      received: () => Buffer.concat(pair.#receivedPieces),
      clear: () => {
        pair.#receivedPieces = []
      },
      get writes() {
        return pair.#writes
      },
      get paused() {
        return pair.#paused
      },
      get ended() {
        return pair.#endWritten
      },
      get closed() {
        return pair.#closed
      },
      get keepAlive() {
        return pair.#keepAlive
      },
    }
  }

  arrive(arrival: Arrival): void {
    this.#arrived.push(arrival)
    this.#deliver()
  }

  #deliver(): void {
    if (this.#delivering) return
    this.#delivering = true
    while (this.#arrived.length > 0 && !this.#paused && this.#closed === 'no') {
      const arrival = this.#arrived.shift()!
      if (arrival.kind === 'end') {
        this.#inputEnded = true
        this.handler?.onEnd()
        this.#closeIfDone()
      } else {
        this.#hand(arrival.bytes)
      }
    }
    this.#delivering = false
  }

  /**
   * As the real net does: at most one read area at once, and what was handed is garbage afterwards.
   */
  #hand(bytes: Uint8Array): void {
    const area = this.#area ?? new Uint8Array(65_536)
    const piece = area.subarray(0, Math.min(area.byteLength, bytes.byteLength))
    piece.set(bytes.subarray(0, piece.byteLength))
    const rest = bytes.subarray(piece.byteLength)
    if (rest.byteLength > 0) this.#arrived.unshift({ kind: 'data', bytes: rest })
    this.handler?.onData(piece)
    piece.fill(0xc1)
  }

  get unsentBytes(): number {
    return this.#unsent.reduce((sum, piece) => sum + piece.byteLength, 0)
  }

  write(bytes: Uint8Array): void {
    if (this.#closed !== 'no' || this.#endWritten) return
    this.#unsent.push(bytes)
    if (!this.#stalled) this.#flush()
  }

  #flush(): void {
    for (const piece of this.#unsent) {
      this.#writes += 1
      this.#receivedPieces.push(piece.slice())
      const { peer } = this
      if (peer !== undefined) {
        const copy = piece.slice()
        this.#clock.soon(() => peer.arrive({ kind: 'data', bytes: copy }))
      }
    }
    this.#unsent = []
    this.#clock.soon(() => this.handler?.onDrain())
    this.#closeIfDone()
  }

  pause(): void {
    this.#paused = true
  }

  resume(): void {
    this.#paused = false
    this.#clock.soon(() => this.#deliver())
  }

  end(): void {
    if (this.#endWritten) return
    this.#endWritten = true
    const { peer } = this
    if (peer !== undefined) this.#clock.soon(() => peer.arrive({ kind: 'end' }))
    this.#closeIfDone()
  }

  #closeIfDone(): void {
    if (this.#endWritten && this.#inputEnded && this.#unsent.length === 0) this.#close('closed')
  }

  destroy(options?: { reset?: boolean }): void {
    this.#close(options?.reset === true ? 'reset' : 'closed')
    const { peer } = this
    if (peer !== undefined) this.#clock.soon(() => peer.#close('closed'))
  }

  #close(how: 'closed' | 'reset', error?: Error): void {
    if (this.#closed !== 'no') return
    this.#closed = how
    this.#clock.soon(() => this.handler?.onClose(error))
  }

  setKeepAlive(on: boolean): void {
    this.#keepAlive = on
  }
}

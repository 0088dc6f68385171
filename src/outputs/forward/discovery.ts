import { positionOf } from '../../config/schema.ts'
import { yaml } from '../../config/yaml-library.ts'
import { ConfigError } from '../../core/errors.ts'
import type { Host, Timer } from '../../core/host.ts'
import type { Logger } from '../../core/log.ts'
import type { Server } from './settings.ts'
import type { DiscoveryParams, ServiceParams } from './shape.ts'

/** Where servers come from. */
export interface Discovery {
  /** What must be right before anything starts. Throws ConfigError. */
  check(): void
  /** The servers of now. Rejects if they cannot be found out. */
  start(onChange: (servers: readonly Server[]) => void): Promise<readonly Server[]>
  stop(): void
}

/** How often a file is looked at. */
const fileIntervalMs = 3_000
const fileLimitBytes = 1024 * 1024
/** Servers that a file or DNS may name. */
const serverLimit = 10_000

export function serverOf(service: ServiceParams): Server {
  const { name, host, port, weight, standby, sharedKey, username, password } = service
  return { name, host, port, weight, standby, sharedKey, username, password }
}

/** Throws ConfigError. */
export function createDiscovery(params: DiscoveryParams, host: Host, log: Logger): Discovery {
  switch (params.type) {
    case 'static': {
      // `service` without a section is the parameter of `srv`.
      const servers = Array.isArray(params.service) ? params.service.map(serverOf) : []
      return { check() {}, start: async () => servers, stop() {} }
    }
    case 'file':
      return new FileDiscovery(params, host, log)
    case 'srv':
      return new SrvDiscovery(params, host, log)
  }
}

/** Looks again and again, and tells what has changed. */
class Watch {
  readonly #host: Host
  #timer: Timer | undefined
  #stopped = false

  constructor(host: Host) {
    this.#host = host
  }

  every(intervalMs: number, look: () => Promise<void>): void {
    if (this.#stopped) return
    this.#timer = this.#host.clock.after(intervalMs, () => {
      void look().then(() => this.every(intervalMs, look))
    })
  }

  stop(): void {
    this.#stopped = true
    this.#timer?.cancel()
  }
}

class FileDiscovery implements Discovery {
  readonly #params: DiscoveryParams
  readonly #host: Host
  readonly #log: Logger
  readonly #watch: Watch
  #seen = ''

  constructor(params: DiscoveryParams, host: Host, log: Logger) {
    this.#params = params
    this.#host = host
    this.#log = log
    this.#watch = new Watch(host)
  }

  check(): void {
    this.#read()
  }

  async start(onChange: (servers: readonly Server[]) => void): Promise<readonly Server[]> {
    this.#seen = await this.#stamp()
    const servers = this.#read()
    this.#watch.every(fileIntervalMs, async () => {
      try {
        const stamp = await this.#stamp()
        if (stamp === this.#seen) return
        this.#seen = stamp
        onChange(this.#read())
      } catch (error) {
        this.#log.error('sd_file: the servers stay as they were', { error })
      }
    })
    return servers
  }

  async #stamp(): Promise<string> {
    const stat = await this.#host.disk.stat(this.#params.path)
    return stat === undefined ? '' : `${stat.inode} ${stat.modifiedMs} ${stat.sizeBytes}`
  }

  #read(): Server[] {
    const { path } = this.#params
    const position = positionOf(this.#params, 'path')
    let bytes: Uint8Array
    try {
      bytes = this.#host.disk.readFileSync(path)
    } catch (error) {
      throw new ConfigError(`sd_file: path=${path} not found`, {
        position,
        hint: (error as Error).message,
      })
    }
    try {
      return serversIn(bytes, path.endsWith('.json'))
    } catch (error) {
      throw new ConfigError(`sd_file: path=${path}: ${(error as Error).message}`, { position })
    }
  }

  stop(): void {
    this.#watch.stop()
  }
}

/**
 * The list of servers in a file: YAML, of which JSON is a part. Throws Error with what is wrong.
 */
export function serversIn(bytes: Uint8Array, json: boolean): Server[] {
  if (bytes.byteLength > fileLimitBytes) throw new Error(`more than ${fileLimitBytes} bytes`)
  const text = Buffer.from(bytes).toString('utf8')
  const list: unknown = json ? JSON.parse(text) : yaml().parse(text)
  if (!Array.isArray(list)) throw new Error('expected a list of servers')
  if (list.length > serverLimit) throw new Error(`more than ${serverLimit} servers`)
  return list.map((item: unknown, i) => serverFrom(item, `server ${i + 1}`))
}

function serverFrom(item: unknown, what: string): Server {
  if (typeof item !== 'object' || item === null) throw new Error(`${what} is no map`)
  const fields = new Map<string, unknown>(Object.entries(item))
  const text = (key: string): string | undefined => {
    const value = fields.get(key) ?? undefined
    if (value === undefined || typeof value === 'string') return value
    if (typeof value === 'number' || typeof value === 'boolean') return String(value)
    throw new Error(`\`${key}\` of ${what} is no text`)
  }
  const host = text('host')
  const port = Number(text('port'))
  const weight = Number(text('weight') ?? 60)
  if (host === undefined || host === '' || !Number.isInteger(port) || port < 1 || port > 65_535) {
    throw new Error(`${what}: Service must have \`host\` and \`port\``)
  }
  if (!Number.isInteger(weight) || weight < 0) {
    throw new Error(`${what}: \`weight\` must be an integer, 0 or more`)
  }
  return {
    name: text('name'),
    host,
    port,
    weight,
    standby: text('standby') === 'true',
    sharedKey: text('shared_key'),
    username: text('username') ?? '',
    password: text('password') ?? '',
  }
}

class SrvDiscovery implements Discovery {
  readonly #params: DiscoveryParams
  readonly #host: Host
  readonly #log: Logger
  readonly #watch: Watch

  constructor(params: DiscoveryParams, host: Host, log: Logger) {
    for (const name of ['service', 'hostname'] as const) {
      if (params[name] !== undefined) continue
      throw new ConfigError(`'${name}' parameter is required`, { position: positionOf(params) })
    }
    this.#params = params
    this.#host = host
    this.#log = log
    this.#watch = new Watch(host)
  }

  check(): void {}

  async start(onChange: (servers: readonly Server[]) => void): Promise<readonly Server[]> {
    const servers = await this.#ask()
    this.#watch.every(this.#params.interval * 1000, async () => {
      try {
        const found = await this.#ask()
        if (found.length > 0) onChange(found)
      } catch (error) {
        this.#log.error('sd_srv: the servers stay as they were', { error })
      }
    })
    return servers
  }

  async #ask(): Promise<Server[]> {
    const { service, proto, hostname, dnsServerHost, dnsLookup } = this.#params
    const { resolveSrv } = this.#host.net
    if (resolveSrv === undefined) throw new Error('this host cannot ask for SRV records')
    const records = await resolveSrv(`_${service}._${proto}.${hostname}`, {
      server: dnsServerHost,
      addresses: dnsLookup,
    })
    const { username, password, sharedKey } = this.#params
    return records.slice(0, serverLimit).map(({ target, address, port, weight }) => ({
      name: target,
      host: address ?? target,
      port,
      weight,
      standby: false,
      sharedKey,
      username,
      password,
    }))
  }

  stop(): void {
    this.#watch.stop()
  }
}

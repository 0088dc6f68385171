import type { Host } from '../../core/host.ts'
import { parseAddress } from '../../forward/ip-network.ts'
import type { Settings } from './settings.ts'

/**
 * The address of one server's host name: looked up, and remembered as `expire_dns_cache` has it.
 */
export class Addresses {
  readonly #host: Host
  readonly #name: string
  readonly #settings: Pick<Settings, 'dnsCacheMs' | 'dnsRoundRobin'>
  #known: { readonly address: string; readonly atMs: number } | undefined

  constructor(host: Host, name: string, settings: Pick<Settings, 'dnsCacheMs' | 'dnsRoundRobin'>) {
    this.#host = host
    this.#name = name
    this.#settings = settings
  }

  get isLiteral(): boolean {
    return parseAddress(this.#name) !== undefined
  }

  /** Rejects with the resolver's error. */
  async resolve(): Promise<string> {
    if (this.isLiteral) return this.#name
    const { clock, net, random } = this.#host
    const { dnsCacheMs, dnsRoundRobin } = this.#settings
    const nowMs = clock.monotonicMs()
    const known = this.#known
    if (known !== undefined && (dnsCacheMs === undefined || nowMs - known.atMs < dnsCacheMs)) {
      return known.address
    }
    const found = (await net.lookup?.(this.#name)) ?? [this.#name]
    const index = dnsRoundRobin ? Math.floor(random.unit() * found.length) : 0
    const address = found[index]
    if (address === undefined) throw new Error(`no address for ${this.#name}`)
    this.#known = { address, atMs: nowMs }
    return address
  }

  /** The server does not answer: perhaps it has moved. */
  forget(): void {
    this.#known = undefined
  }
}

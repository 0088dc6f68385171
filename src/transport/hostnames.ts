import type { Clock, Net } from '../core/host.ts'

/** Names of client addresses remembered, and for how long. */
const hostnameLimit = 4096
const hostnameMs = 60_000
/** Lookups under way at once. */
const lookupLimit = 64

/** Names of clients, looked up once in a while. */
export class Hostnames {
  readonly #net: Net
  readonly #clock: Clock
  readonly #known = new Map<string, { name: Promise<string>; untilMs: number }>()
  #running = 0
  #waiting: (() => void)[] = []

  constructor(host: { net: Net; clock: Clock }) {
    this.#net = host.net
    this.#clock = host.clock
  }

  /** The address itself where it has no name. Never rejects. */
  nameOf(address: string): Promise<string> {
    const nowMs = this.#clock.monotonicMs()
    const known = this.#known.get(address)
    if (known !== undefined && known.untilMs > nowMs) return known.name
    this.#known.delete(address)
    if (this.#known.size >= hostnameLimit) {
      for (const oldest of this.#known.keys()) {
        this.#known.delete(oldest)
        break
      }
    }
    const name = this.#lookUp(address)
    this.#known.set(address, { name, untilMs: nowMs + hostnameMs })
    return name
  }

  async #lookUp(address: string): Promise<string> {
    if (this.#running >= lookupLimit) {
      await new Promise<void>((resolve) => this.#waiting.push(resolve))
    }
    this.#running += 1
    try {
      return await this.#net.reverseLookup(address)
    } catch {
      // Net.reverseLookup answers with the address by contract; should it fail all the same, so do
      // we.
      return address
    } finally {
      this.#running -= 1
      this.#waiting.shift()?.()
    }
  }
}

/** How many connections there may be, and are, in all and from each address. */
export class Population {
  readonly #most: number
  readonly #mostPerAddress: number
  readonly #perAddress = new Map<string, number>()
  #all = 0

  constructor(limits: { maxConnections: number; maxConnectionsPerAddress: number }) {
    this.#most = limits.maxConnections
    this.#mostPerAddress = limits.maxConnectionsPerAddress
  }

  get size(): number {
    return this.#all
  }

  /** The parameter whose limit one more from there would exceed. `address` undefined: a unix socket's client has none. */
  refusal(
    address: string | undefined,
  ): 'max_connections' | 'max_connections_per_address' | undefined {
    if (this.#all >= this.#most) return 'max_connections'
    const already = address === undefined ? 0 : (this.#perAddress.get(address) ?? 0)
    return already >= this.#mostPerAddress ? 'max_connections_per_address' : undefined
  }

  add(address: string | undefined): void {
    this.#all += 1
    if (address === undefined) return
    this.#perAddress.set(address, (this.#perAddress.get(address) ?? 0) + 1)
  }

  remove(address: string | undefined): void {
    this.#all -= 1
    if (address === undefined) return
    const left = (this.#perAddress.get(address) ?? 1) - 1
    if (left > 0) this.#perAddress.set(address, left)
    else this.#perAddress.delete(address)
  }
}

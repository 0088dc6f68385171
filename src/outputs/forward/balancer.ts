/** Weighted load balancing with standby servers, without any I/O. */

export interface Weighted {
  readonly weight: number
  readonly standby: boolean
  readonly available: boolean
}

/**
 * Turns in one round. Weights are rounded to fit; a server with a weight above 0 has one at least.
 */
const roundLimit = 4096

/**
 * Shortest round, for each server: when one fails, what it would have got is spread over all
 * others.
 */
const turnsPerServer = 6

/**
 * The order in which servers have their turn: each as often as its weight says, shuffled. Standby
 * servers take part for as much weight as is lost by others that are not available. `unit`: as
 * Math.random.
 */
export function roundOf<T extends Weighted>(servers: readonly T[], unit: () => number): T[] {
  const taking = servers.filter(({ standby }) => !standby)
  let lost = 0
  for (const { available, weight } of taking) if (!available) lost += weight
  for (const server of servers) {
    if (lost <= 0) break
    if (!server.standby || !server.available) continue
    taking.push(server)
    lost -= server.weight
  }
  return shuffled(turnsOf(taking), unit)
}

function turnsOf<T extends Weighted>(taking: readonly T[]): T[] {
  const total = taking.reduce((sum, { weight }) => sum + weight, 0)
  // Without any weight (records of DNS often have none) all are equal.
  const weightOf = (server: T) => (total === 0 ? 1 : server.weight)
  const divisor = Math.max(
    taking.reduce((common, server) => gcd(common, weightOf(server)), 0),
    total / roundLimit,
  )
  const turns: T[] = []
  for (const server of taking) {
    const weight = weightOf(server)
    const count = weight === 0 ? 0 : Math.max(1, Math.round(weight / divisor))
    for (let i = 0; i < count; i++) turns.push(server)
  }
  const repeat =
    turns.length === 0 ? 1 : Math.floor((taking.length * turnsPerServer) / turns.length)
  return repeat > 1 ? new Array<T[]>(repeat).fill(turns).flat() : turns
}

function gcd(a: number, b: number): number {
  return b === 0 ? a : gcd(b, a % b)
}

function shuffled<T>(items: T[], unit: () => number): T[] {
  for (let i = items.length - 1; i > 0; i--) {
    const j = Math.floor(unit() * (i + 1))
    const item = items[i] as T
    items[i] = items[j] as T
    items[j] = item
  }
  return items
}

/** Hands out turns. */
export class Balancer<T extends Weighted> {
  readonly #unit: () => number
  #servers: readonly T[] = []
  #round: T[] = []
  #at = 0

  constructor(unit: () => number) {
    this.#unit = unit
  }

  /** Servers came or went, or one of them changed its state. */
  rebuild(servers: readonly T[]): void {
    this.#servers = servers
    this.#round = roundOf(servers, this.#unit)
    this.#at = 0
  }

  /**
   * Whom to try for one chunk, in order: the servers of the next turns, each once; behind them
   * standby servers that are available, which are better than none.
   */
  candidates(): T[] {
    const found = new Set<T>()
    const { length } = this.#round
    for (let i = 0; i < length; i++) {
      const server = this.#round[(this.#at + i) % length] as T
      if (server.available) found.add(server)
    }
    if (length > 0) this.#at = (this.#at + 1) % length
    for (const server of this.#servers) if (server.standby && server.available) found.add(server)
    return [...found]
  }
}

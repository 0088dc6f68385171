import { createSeededRandom } from '../support/fake-host.ts'

/** Decisions of one kind in a run, all from the run's seed: what one kind decides moves none of the others. */
export interface Chance {
  /** A whole number, 0 to `limit` - 1. */
  below(limit: number): number
  /** True in so many of a hundred cases. */
  often(percent: number): boolean
  pick<const T>(...of: readonly T[]): T
}

export function createChance(seed: number, kind: number): Chance {
  // Neighbouring seeds of the generator begin alike; a few numbers on they do not.
  const random = createSeededRandom(
    (Math.imul(seed, 0x9e3779b1) ^ Math.imul(kind, 0x85ebca6b)) >>> 0,
  )
  for (let i = 0; i < 4; i += 1) random.unit()
  const below = (limit: number) => Math.floor(random.unit() * limit)
  return {
    below,
    often: (percent) => below(100) < percent,
    pick: (...of) => of[below(of.length)] as (typeof of)[number],
  }
}

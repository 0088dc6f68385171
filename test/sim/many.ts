import { describe, it } from 'vitest'
import { simulate } from './simulate.ts'

/** Seeds of one test: a failing one is named, and so is how to play it again. */
const seedsPerTest = 100

/** Two files run side by side, on two processors: together they play the seeds that every change has to pass. */
export function simulateMany(of: { from: number; step: number; count: number }): void {
  describe('the whole pipeline on a virtual clock', () => {
    for (let done = 0; done < of.count; done += seedsPerTest) {
      const first = of.from + done * of.step
      it(`keeps its promises from seed ${first} on`, { timeout: 240_000 }, async () => {
        for (let i = 0; i < seedsPerTest; i += 1) {
          const seed = first + i * of.step
          await simulate(seed)
        }
      })
    }
  })
}

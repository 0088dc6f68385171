import { bufferTypes } from '../../src/buffer/index.ts'
import { check } from './check.ts'
import type { Abilities } from './plan.ts'
import { createPlan } from './plan.ts'
import { runOne } from './run-one.ts'

const abilities: Abilities = {
  fileBuffers: !bufferTypes.some(({ description }) => description?.includes('not available yet')),
}

/** Runs one seed. Throws with what was wrong, the seed, and how to play it again. */
export async function simulate(seed: number): Promise<void> {
  try {
    check(await runOne(seed, abilities))
  } catch (error) {
    const { message, stack } = error as Error
    throw new Error(
      `seed ${seed}: ${message}\n  again: npm run sim -- --seed ${seed}\n${stack ?? ''}`,
    )
  }
}

/** The configuration and the faults of a seed, for whoever looks into it. */
export function describeSeed(seed: number): string {
  const plan = createPlan(seed, abilities)
  return `${plan.config}\n${JSON.stringify({ ...plan, config: undefined, sinks: undefined }, undefined, 1)}`
}

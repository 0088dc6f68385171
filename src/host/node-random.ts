import { randomBytes } from 'node:crypto'
import type { Random } from '../core/host.ts'

export function createNodeRandom(): Random {
  return {
    unit: () => Math.random(),
    bytes: (count) => randomBytes(count),
  }
}

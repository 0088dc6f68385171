import type { Engine } from './engine.ts'
import type { GunzipFault, GunzipVerdict } from './types.ts'

/**
 * Verdicts by their numbers (assembly/inflate.ts). FULL is not among them, TOO_MANY_TABLES neither.
 */
const faults: Record<number, GunzipFault> = {
  2: 'truncated',
  3: 'bad_header',
  4: 'bad_block',
  5: 'bad_code',
  6: 'bad_distance',
  7: 'bad_check',
}
const done = 0
const full = 1

/** Inflates `payload`, which lies in the engine's memory, to its region for that: up to `engine.inflatedEnd` then. */
export function gunzip(engine: Engine, payload: Uint8Array, limitBytes: number): GunzipVerdict {
  const { at, bytes } = engine.layout.inflated
  const input = payload.byteOffset
  const roomBytes = Math.min(bytes, limitBytes)
  const verdict = engine.exports.gunzip(input, input + payload.length, at, at + roomBytes)
  if (verdict === done) return 'done'
  if (verdict === full && limitBytes <= bytes) return 'over_limit'
  return faults[verdict] ?? 'large'
}

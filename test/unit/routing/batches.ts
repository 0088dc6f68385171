import type { Batch } from '../../../src/core/batch.ts'

/** `count` times [1, {}]. */
export function batchOf(tag: string, count = 1): Batch {
  const entry = [0x92, 0x01, 0x80]
  return { tag, packed: Uint8Array.from(Array.from({ length: count }, () => entry).flat()), count }
}

/** [time, {}] for each of the times (0 to 127). */
export function batchAt(tag: string, ...times: number[]): Batch {
  const packed = Uint8Array.from(times.flatMap((time) => [0x92, time, 0x80]))
  return { tag, packed, count: times.length }
}

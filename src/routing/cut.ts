import type { Batch } from '../core/batch.ts'
import { skipValue } from '../msgpack/walk.ts'

/**
 * Calls `run` for consecutive parts of a batch, with as many events as `counts` says, in order.
 * Parts of no event are left out. Their bytes are views of the batch's.
 */
export function cutBatch(
  batch: Batch,
  counts: readonly number[],
  run: (part: Batch, index: number) => void,
): void {
  let start = 0
  for (const [index, count] of counts.entries()) {
    if (count === 0) continue
    let end = start
    for (let left = count; left > 0; left--) end = skipValue(batch.packed, end)
    const packed = batch.packed.subarray(start, end)
    run({ tag: batch.tag, packed, count, receipt: batch.receipt }, index)
    start = end
  }
}

/** Calls `run` for each event of a batch as a batch of its own. */
export function eachEvent(batch: Batch, run: (event: Batch) => void): void {
  const { tag, packed, count, receipt } = batch
  let start = 0
  for (let left = count; left > 0; left--) {
    const end = skipValue(packed, start)
    run({ tag, packed: packed.subarray(start, end), count: 1, receipt })
    start = end
  }
}

import type { Random } from '../core/host.ts'

const idBytes = 16

/** Random bytes are taken for so many ids at a time: a system call for each would cost more than a small chunk. */
const idsAtATime = 64

/** Ids of 32 hex digits, each different from all others. */
export function createChunkIds(random: Random): () => string {
  let digits = ''
  let at = 0
  return () => {
    if (at === digits.length) {
      digits = Buffer.from(random.bytes(idBytes * idsAtATime)).toString('hex')
      at = 0
    }
    at += idBytes * 2
    return digits.slice(at - idBytes * 2, at)
  }
}

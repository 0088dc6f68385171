import { createLayout } from '../../src/kernel/layout.ts'
import type { Framer, Kernel } from '../../src/kernel/types.ts'

/** Of each region: what small inputs may have used of it. */
const poisonedBytes = 4 * 1024
const poison = 0xc1

/**
 * The same kernel, of default sizes, whose memory is spoilt whenever a framer lets go of it: whoever still reads what
 * a step has lent then shows, and not only when another connection happens to be served at that moment.
 */
export function poisoned(kernel: Kernel): Kernel {
  const { acks, ackEnds, readArea, normalised, inflated } = createLayout()
  const memory = kernel.readArea.buffer
  const lent = [acks, ackEnds, readArea, normalised, inflated].map(
    ({ at, bytes }) => new Uint8Array(memory, at, Math.min(bytes, poisonedBytes)),
  )
  const spoil = () => {
    for (const bytes of lent) bytes.fill(poison)
  }
  const wrapped = (framer: Framer): Framer => ({
    feed: (bytes) => framer.feed(bytes),
    feedEntries: (bytes, of, last) => framer.feedEntries(bytes, of, last),
    gunzip: (of, limitBytes) => framer.gunzip(of, limitBytes),
    next: (now) => framer.next(now),
    hold() {
      framer.hold()
      spoil()
    },
    get unfinishedBytes() {
      return framer.unfinishedBytes
    },
  })
  return { ...kernel, createFramer: (options) => wrapped(kernel.createFramer(options)) }
}

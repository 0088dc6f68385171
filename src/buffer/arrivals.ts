import type { Logger } from '../core/log.ts'
import type { ChunkStore, RecoveredChunk } from './store.ts'

/** Hands over the backups that are sent again (`sluice buffer replay`), where the store is one to which they can be added. */
export async function takeArrivals(
  store: ChunkStore,
  log: Logger,
  recover: (chunk: RecoveredChunk) => void,
): Promise<void> {
  if (store.arrivals === undefined) return
  try {
    const arrived = await store.arrivals()
    for (const chunk of arrived) recover(chunk)
    if (arrived.length === 0) return
    const events = arrived.reduce((sum, { chunk }) => sum + chunk.count, 0)
    log.info('chunks that were put into the buffer are delivered', {
      chunks: arrived.length,
      events,
    })
  } catch (error) {
    log.error('the directory of the buffer cannot be looked through', { error })
  }
}

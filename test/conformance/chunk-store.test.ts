import { createMemoryStore } from '../../src/buffer/memory-store.ts'
import { createSeededRandom } from '../support/fake-host.ts'
import { createVirtualClock } from '../support/virtual-clock.ts'
import { chunkStoreConformance } from './chunk-store.ts'

chunkStoreConformance('memory', async () => {
  const store = createMemoryStore({ clock: createVirtualClock(), random: createSeededRandom(1) })
  await store.open()
  return store
})

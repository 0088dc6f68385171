import { createMemoryStore } from '../../src/buffer/memory-store.ts'
import { createSeededRandom } from '../support/fake-host.ts'
import { createVirtualClock } from '../support/virtual-clock.ts'
import { chunkStoreConformance } from './chunk-store.ts'

const outside = { clock: createVirtualClock(), random: createSeededRandom(1) }

chunkStoreConformance('memory', async () => createMemoryStore(outside))

chunkStoreConformance('memory, compressed', async () => createMemoryStore(outside, 'gzip'))

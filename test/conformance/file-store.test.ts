import { fileStore, liveHost } from '../unit/buffer/file-store-support.ts'
import { chunkStoreConformance } from './chunk-store.ts'

for (const single of [false, true]) {
  chunkStoreConformance(single ? 'file_single' : 'file', async () => {
    const store = fileStore(liveHost(), { single })
    await store.open()
    return store
  })
}

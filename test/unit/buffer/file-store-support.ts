import { crc32 } from 'node:zlib'
import { createFileStore, type FileStoreOptions } from '../../../src/buffer/file-store.ts'
import { fileNames, fileSingleNames } from '../../../src/buffer/file-store-names.ts'
import type { ChunkStore } from '../../../src/buffer/store.ts'
import { createFakeHost, type FakeHost } from '../../support/fake-host.ts'

export const directory = '/buf'
export const metadata = { timekey: 60, tag: 'a.b', variables: { k: 'v' } }

export function fileStore(
  host: Pick<FakeHost, 'clock' | 'disk' | 'random' | 'log'>,
  options: Partial<FileStoreOptions> & { single?: boolean } = {},
): ChunkStore {
  return createFileStore({
    outside: host,
    log: host.log,
    crc32,
    locate: async () => ({ directory, prefix: options.single ? 'fsb' : 'buffer', suffix: '.log' }),
    namesAt: ({ prefix, suffix }) =>
      options.single ? fileSingleNames(prefix, undefined) : fileNames(prefix, suffix),
    fsync: 'none',
    fileMode: 0o644,
    directoryMode: 0o755,
    backup: { rootDirectory: '/store', workerId: 0, pluginId: 'out' },
    chunkFormat: 'auto',
    claims: [],
    ...options,
  })
}

/** A host whose `soon` runs by itself, so that stores can be awaited. */
export function liveHost(seed = 1): FakeHost {
  const host = createFakeHost({ seed })
  return { ...host, clock: { ...host.clock, soon: (run) => setImmediate(run) } }
}

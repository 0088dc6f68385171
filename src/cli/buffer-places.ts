import { posix } from 'node:path'
import { createApp } from '../app.ts'
import { backupDirectory, defaultBackupRoot } from '../buffer/backup.ts'
import { filesOf } from '../buffer/file-buffers.ts'
import type { BufferPlace, ChunkNames } from '../buffer/file-store-names.ts'
import { modeOf } from '../config/index.ts'
import type { BoundPlugin } from '../config/schema.ts'
import type { Host } from '../core/host.ts'
import { loadKernel } from '../host/load-kernel.ts'
import { createKernel } from '../kernel/index.ts'
import { allPlugins } from '../load-plugins.ts'
import type { ScanPlace } from './buffer-scan.ts'
import { loadOwnPlugins, type PluginPlaces } from './own-plugins.ts'
import { findConfig, readConfig } from './read-config.ts'

/** An output with a buffer, as a configuration has it. */
export interface OutputPlace {
  readonly id: string
  /** One for each worker; none: its buffer is in memory. */
  readonly buffers: readonly { readonly place: BufferPlace; readonly names: ChunkNames }[]
  readonly chunkKeys: readonly string[]
  readonly fileMode: number
  /** Where to look for its chunks and backups. */
  readonly scans: readonly ScanPlace[]
}

const defaultFileMode = 0o644

/** Throws ConfigErrors. Starts nothing. */
export async function placesOf(
  { configPath, ...own }: PluginPlaces & { readonly configPath: string | undefined },
  host: Host,
): Promise<readonly OutputPlace[]> {
  const path = findConfig({ configPath }, host)
  const config = readConfig(path, { configType: 'auto', inlineConfig: undefined }, host)
  const builtIn = allPlugins
  const loaded = await loadOwnPlugins(own, { log: host.log, env: host.env, builtIn })
  const plugins = [...(await builtIn()), ...loaded]
  const app = createApp({ host, plugins, kernel: createKernel(loadKernel()), config })
  const { system } = app
  const places: OutputPlace[] = []
  for (const { id, idWritten, bound } of app.view.plugins()) {
    const buffer = (bound.params as { buffer?: BoundPlugin }).buffer
    if (bound.kind !== 'output' || buffer === undefined) continue
    const buffers: { place: BufferPlace; names: ChunkNames }[] = []
    for (let workerId = 0; workerId < system.workers; workerId += 1) {
      const settings = {
        workers: system.workers,
        workerId,
        rootDir: system.rootDir,
        filePermission: modeOf(system.filePermission),
        dirPermission: modeOf(system.dirPermission),
        strictConfigValue: false,
      }
      const files = await filesOf(buffer, { host, id, idWritten, system: settings })
      if (files !== undefined) buffers.push(files)
    }
    const { chunkKeys } = buffer.params as unknown as { chunkKeys: readonly string[] }
    places.push({
      id,
      buffers,
      chunkKeys,
      fileMode: modeOf(system.filePermission) ?? defaultFileMode,
      scans: scansOf(id, { buffers, rootDir: system.rootDir, workers: system.workers }),
    })
  }
  return places
}

function scansOf(
  id: string,
  of: {
    buffers: readonly { place: BufferPlace; names: ChunkNames }[]
    rootDir: string | undefined
    workers: number
  },
): ScanPlace[] {
  const scans: ScanPlace[] = of.buffers.map(({ place, names }) => ({
    directory: place.directory,
    output: id,
    owns: (name) => names.parse(name) !== undefined,
  }))
  const roots = new Set([
    of.rootDir ?? defaultBackupRoot,
    ...of.buffers.map(({ place }) => place.directory),
  ])
  for (const root of roots) {
    for (let workerId = 0; workerId < of.workers; workerId += 1) {
      scans.push({ directory: backupDirectory(root, { workerId, id }), output: id })
    }
    // Where Fluentd 1.19 keeps a file buffer's chunks that were retried in vain.
    scans.push({ directory: posix.join(root, 'buffer', id), output: id, keptCopies: true })
  }
  return scans
}

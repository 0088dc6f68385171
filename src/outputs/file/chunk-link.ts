import { dirname, relative } from 'node:path'
import type { PluginContext } from '../../config/define.ts'
import type { FileParams } from './shape.ts'

/** symlink_path: a link that follows the chunk that is being filled, for `tail -F`. */
export interface ChunkLink {
  /** Points the link at the file, after what was asked before. A link that cannot be made is said, and stops nothing. */
  point(chunkPath: string): void
  /** Once everything asked for is done. */
  settled(): Promise<void>
}

/** undefined: no symlink_path is set. */
export function createChunkLink(
  params: FileParams,
  { host, log, system }: PluginContext,
): ChunkLink | undefined {
  const { symlinkPath: path, symlinkPathUseRelative: useRelative } = params
  if (path === undefined) return undefined
  const { disk } = host
  let last = Promise.resolve()

  async function replace(chunkPath: string): Promise<void> {
    await disk.mkdir(dirname(path!), system.dirPermission ?? 0o755)
    const target = useRelative ? relative(dirname(path!), chunkPath) : chunkPath
    // A link beside it, renamed over it: there is always one, and a file of that name is not followed.
    const fresh = `${path}.new`
    if ((await disk.stat(fresh)) !== undefined) await disk.unlink(fresh)
    await disk.symlink(target, fresh)
    await disk.rename(fresh, path!)
  }

  return {
    point(chunkPath) {
      last = last
        .then(() => replace(chunkPath))
        .catch((error: unknown) => log.warn('cannot make symlink_path', { path, error }))
    },
    settled: () => last,
  }
}

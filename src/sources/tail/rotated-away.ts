import { posix } from 'node:path'
import type { Disk, FileHandle, FileTarget } from '../../core/host.ts'

/** Names of a directory that are looked at. */
const mostNames = 10_000
/** What compresses a file writes another one: the inode may be that of the old file by chance. */
const compressed = /\.(gz|bz2|xz|zst|lz4|zip|Z)$/

export interface RotatedFile {
  readonly path: string
  readonly handle: FileHandle
  readonly target: FileTarget
}

/**
 * The file that `path` led to when it was last read, if it was rotated away since, while nobody looked: one beside it with
 * that inode, whose name begins alike, and in which a line ends where reading stopped. undefined: there is none.
 */
export async function findRotatedAway(options: {
  path: string
  last: { readonly inode: bigint; readonly position: number }
  /** The end of a line. */
  eol: Uint8Array
  disk: Disk
  /** Files that are followed by names of their own. */
  isFollowed: (path: string) => boolean
}): Promise<RotatedFile | undefined> {
  const { path, last, disk } = options
  const directory = posix.dirname(path)
  const base = posix.basename(path)
  const stem = base.replace(/\.[\s\S]*$/, '')
  const names = (await disk.readdir(directory))
    .filter((name) => name !== base && name.startsWith(stem) && !compressed.test(name))
    .slice(0, mostNames)
  for (const name of names) {
    const other = posix.join(directory, name)
    const target = await disk.target(other).catch(() => undefined)
    if (target?.kind !== 'file' || target.inode !== last.inode) continue
    if (options.isFollowed(other) || target.sizeBytes < last.position) return undefined
    const handle = await disk.open(other, { read: true, nonBlocking: true })
    if (await isTheOne(handle, options)) return { path: other, handle, target }
    await handle.close()
    return undefined
  }
  return undefined
}

async function isTheOne(
  handle: FileHandle,
  { last, eol }: Parameters<typeof findRotatedAway>[0],
): Promise<boolean> {
  if ((await handle.target()).inode !== last.inode) return false
  if (last.position < eol.length) return last.position === 0
  const before = Buffer.alloc(eol.length)
  await handle.read(before, last.position - eol.length)
  return before.equals(eol)
}

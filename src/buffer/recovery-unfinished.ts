import { posix } from 'node:path'
import { crc32 } from 'node:zlib'
import type { FileStoreShared } from './file-store.ts'
import { removeFile } from './file-store-chunk.ts'
import { unfinishedChunk } from './file-store-compress.ts'
import { metaSuffix } from './file-store-names.ts'
import { readExtent } from './file-store-verify.ts'
import { readOurs } from './recovery-meta.ts'

/**
 * Ends what a process had begun when it compressed chunks (see file-store.ts): afterwards each is staged or queued, not both.
 * Resolves to the names that are left in the directory.
 */
export async function settleUnfinished(
  shared: FileStoreShared,
  directory: string,
): Promise<ReadonlySet<string>> {
  const { disk, names: layout } = shared
  const names = new Set(await disk.readdir(directory))
  const remove = async (name: string): Promise<void> => {
    names.delete(name)
    await removeFile(shared, posix.join(directory, name))
  }
  const byId = new Map<string, { staged?: string; queued?: string }>()
  for (const name of [...names]) {
    const unfinished = unfinishedChunk(
      name.endsWith(metaSuffix) ? name.slice(0, -metaSuffix.length) : name,
    )
    if (unfinished !== undefined && layout.parse(unfinished) !== undefined) await remove(name)
    const parsed = layout.parse(name)
    if (parsed === undefined) continue
    const files = byId.get(parsed.id) ?? {}
    files[parsed.state] = name
    byId.set(parsed.id, files)
  }
  for (const { staged, queued } of byId.values()) {
    if (staged === undefined || queued === undefined) continue
    const whole = await isWhole(shared, posix.join(directory, queued))
    if (whole === undefined) continue
    const other = whole ? staged : queued
    shared.log.warn('a chunk that was being compressed when the process ended is there twice', {
      path: posix.join(directory, other),
      kept: whole ? queued : staged,
    })
    await remove(other)
    await remove(other + metaSuffix)
  }
  return names
}

/** undefined: not one that we compressed. */
async function isWhole(shared: FileStoreShared, path: string): Promise<boolean | undefined> {
  const { disk } = shared
  const stat = await disk.stat(path)
  const meta = await disk.stat(path + metaSuffix)
  if (stat?.kind !== 'file' || meta?.kind !== 'file') return undefined
  const read = readOurs(Buffer.from(await disk.readFile(path + metaSuffix)), stat.sizeBytes)
  // Without sync a power failure may have left names without their bytes.
  if (read === 'damaged') return false
  if (read.meta.plainBytes === undefined) return undefined
  const only = read.scan?.ranges[0]
  if (only?.crc === undefined || only.end !== stat.sizeBytes) return false
  const file = await disk.open(path, { read: true, noFollow: true })
  try {
    let crc = 0
    for await (const piece of readExtent(file, only)) crc = crc32(piece, crc)
    return crc === only.crc
  } finally {
    await file.close()
  }
}

import { createHash } from 'node:crypto'
import { posix } from 'node:path'
import { isLockName } from '../buffer/file-store-lock.ts'
import { metaSuffix } from '../buffer/file-store-names.ts'
import { readExtent } from '../buffer/file-store-verify.ts'
import { syncDirectory } from '../buffer/file-store-writer.ts'
import { encodeMeta } from '../buffer/meta.ts'
import { type DiskLock, LockedError } from '../core/disk-lock.ts'
import type { Disk } from '../core/host.ts'
import type { ChunkMetadata } from '../core/output.ts'
import type { OutputPlace } from './buffer-places.ts'
import type { FoundChunk } from './buffer-scan.ts'

/**
 * Puts a backup into its output's buffer directory, as a queued chunk of Fluentd's layout, and takes the backup away. It is
 * delivered when the output starts, or is told to flush. Resolves to the new path. Rejects where that cannot be, with what to do
 * instead. One that ends half-way leaves the backup where it is.
 */
export async function replay(
  disk: Disk,
  chunk: FoundChunk,
  to: { readonly output: OutputPlace; readonly tag: string | undefined },
): Promise<string> {
  const { output } = to
  const [files] = output.buffers
  if (files === undefined) {
    throw new Error(
      `output ${output.id} has its buffer in memory: give it a <buffer> of type file, or name another output by --to`,
    )
  }
  if (chunk.state === 'staged' || chunk.state === 'queued') {
    throw new Error(`a ${chunk.state} chunk is on its way already`)
  }
  const metadata = metadataFor(chunk, to)
  const id = idFor(chunk)
  const { place, names } = files
  const path = posix.join(place.directory, names.nameOf('queued', id, metadata))
  if ((await disk.stat(path)) !== undefined) throw new Error(`${path} is there already`)
  await disk.mkdir(place.directory)
  // Under a name that is no chunk's until it is whole.
  const unfinished = posix.join(place.directory, `.replay-${id}`)
  await copy(disk, { from: chunk.path, to: unfinished, bytes: chunk.bytes, mode: output.fileMode })
  const { bytes } = encodeMeta({
    metadata,
    id,
    count: chunk.events,
    createdSeconds: Math.floor(chunk.createdMs / 1000),
    modifiedSeconds: Math.floor(chunk.modifiedMs / 1000),
  })
  await write(disk, unfinished + metaSuffix, output.fileMode, [bytes])
  // Side by side: a .meta file without its chunk is taken away by whoever starts just now.
  await disk.rename(unfinished + metaSuffix, path + metaSuffix)
  await disk.rename(unfinished, path)
  await syncDirectory({ disk }, place.directory)
  await remove(disk, chunk)
  return path
}

/** Parts of damaged chunks are called by their place in them, which cannot stand in a chunk's name. */
function idFor({ id }: FoundChunk): string {
  if (/^[0-9a-f]{32}$/.test(id)) return id
  return createHash('sha256').update(id).digest('hex').slice(0, 32)
}

/** Takes a chunk away. Rejects where it waits in a buffer that a process has. */
export async function drop(disk: Disk, chunk: FoundChunk): Promise<void> {
  const waits = chunk.state === 'staged' || chunk.state === 'queued'
  const locks = waits ? await lockBuffers(disk, posix.dirname(chunk.path)) : []
  try {
    await remove(disk, chunk)
  } finally {
    await Promise.all(locks.map((lock) => lock.release()))
  }
}

async function lockBuffers(disk: Disk, directory: string): Promise<readonly DiskLock[]> {
  const locks: DiskLock[] = []
  try {
    for (const name of (await disk.readdir(directory)).filter(isLockName)) {
      const lock = await disk.lock?.(posix.join(directory, name))
      if (lock !== undefined) locks.push(lock)
    }
    return locks
  } catch (error) {
    await Promise.all(locks.map((lock) => lock.release()))
    if (!(error instanceof LockedError)) throw error
    const who = error.holderPid === undefined ? '' : ` (process ${error.holderPid})`
    throw new Error(`Sluice is about to deliver it${who}: stop it first`)
  }
}

/** The chunk's own file first: what is left without it means nothing. */
async function remove(disk: Disk, chunk: FoundChunk): Promise<void> {
  for (const file of chunk.files) await disk.unlink(file)
}

function metadataFor(
  chunk: FoundChunk,
  { output, tag }: { output: OutputPlace; tag: string | undefined },
): ChunkMetadata {
  if (chunk.metadata !== undefined)
    return tag === undefined ? chunk.metadata : { ...chunk.metadata, tag }
  const unknown = output.chunkKeys.filter((key) => key !== 'tag' || tag === undefined)
  if (unknown.length > 0) {
    throw new Error(
      `nobody wrote down the chunk's ${unknown.join(', ')}, by which output ${output.id} separates chunks: ${
        unknown.every((key) => key === 'tag') ? 'say --tag TAG' : 'it cannot be sent there again'
      }`,
    )
  }
  return { timekey: undefined, tag, variables: undefined }
}

async function copy(
  disk: Disk,
  of: { from: string; to: string; bytes: number; mode: number },
): Promise<void> {
  const source = await disk.open(of.from, { read: true, noFollow: true })
  try {
    await write(disk, of.to, of.mode, readExtent(source, { start: 0, end: of.bytes }))
  } finally {
    await source.close()
  }
}

async function write(
  disk: Disk,
  path: string,
  mode: number,
  pieces: AsyncIterable<Uint8Array> | Iterable<Uint8Array>,
): Promise<void> {
  const flags = { write: true, create: true, truncate: true, noFollow: true }
  const file = await disk.open(path, flags, mode)
  try {
    for await (const piece of pieces) await file.write(piece)
    await file.sync()
  } finally {
    await file.close()
  }
}

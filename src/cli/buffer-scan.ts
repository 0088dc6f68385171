import { posix } from 'node:path'
import { type BackupNote, noteSuffix } from '../buffer/backup.ts'
import type { Codec } from '../buffer/compress.ts'
import { type Content, contentOf } from '../buffer/file-store-foreign.ts'
import { isLockName } from '../buffer/file-store-lock.ts'
import { metaSuffix } from '../buffer/file-store-names.ts'
import { type SumsScan, scanSums, sumsHeadBytes, sumsMark } from '../buffer/file-store-sums.ts'
import { decodeMeta, type Meta } from '../buffer/meta.ts'
import type { Disk, FileStat } from '../core/host.ts'
import type { ChunkMetadata } from '../core/output.ts'

/** A chunk in files: in a buffer, or kept in a backup directory, by us or by Fluentd. */
export interface FoundChunk {
  /** `damaged`: bytes of a chunk that were not as they had been written. */
  readonly state: 'staged' | 'queued' | 'backup' | 'damaged'
  readonly id: string
  readonly path: string
  /** All of its files, the chunk's own first. */
  readonly files: readonly string[]
  /** The output's id, where that is known. */
  readonly output: string | undefined
  readonly bytes: number
  readonly events: number
  readonly format: 'msgpack' | 'text'
  readonly codec: Codec | undefined
  /** When its first event came; the file's own time where nobody wrote that down. */
  readonly createdMs: number
  readonly modifiedMs: number
  /** undefined: nobody wrote down for which tag, slice and fields it is. */
  readonly metadata: ChunkMetadata | undefined
  readonly reason: string | undefined
}

/** A directory to look through. */
export interface ScanPlace {
  readonly directory: string
  readonly output?: string | undefined
  /** Directories below it too. */
  readonly deep?: boolean
  /** Chunk files in a buffer's layout are kept copies here: Fluentd puts them so when retries are exhausted. */
  readonly keptCopies?: boolean
  /** Which chunk files belong to it; undefined: any. */
  readonly owns?: ((name: string) => boolean) | undefined
}

const depthLimit = 5
const filesLimit = 1_000_000
/** Of the sums behind a chunk's meta, and of the notes beside backups. */
const besideLimitBytes = 256 * 1024 * 1024

const bufferName = /\.([bq])([0-9a-f]{32})(?:\.[^/]*)?$/
const backupName = /^([0-9a-f]{32})(\.\d+)?\.log$/

/** All chunks at and below a place, oldest first. What cannot be read is told to `complain`, and left out. */
export async function scan(
  disk: Disk,
  place: ScanPlace,
  complain: (path: string, error: Error) => void,
): Promise<readonly FoundChunk[]> {
  const found: FoundChunk[] = []
  const limit = place.deep === true ? depthLimit : 0
  let seen = 0

  async function walk(directory: string, depth: number): Promise<void> {
    const names = new Set(await disk.readdir(directory))
    for (const name of [...names].sort()) {
      seen += 1
      if (seen > filesLimit) throw new Error(`more than ${filesLimit} files`)
      const path = posix.join(directory, name)
      try {
        const stat = await disk.stat(path)
        if (stat?.kind === 'directory' && depth < limit && !isLockName(name))
          await walk(path, depth + 1)
        if (stat?.kind !== 'file') continue
        const chunk = await chunkAt(disk, { place, path, names, stat })
        if (chunk !== undefined) found.push(chunk)
      } catch (error) {
        complain(path, error as Error)
      }
    }
  }

  if ((await disk.stat(place.directory)) !== undefined) await walk(place.directory, 0)
  return found.sort((a, b) => a.createdMs - b.createdMs || (a.path < b.path ? -1 : 1))
}

interface FileAt {
  readonly place: ScanPlace
  readonly path: string
  readonly names: ReadonlySet<string>
  readonly stat: FileStat
}

async function chunkAt(disk: Disk, at: FileAt): Promise<FoundChunk | undefined> {
  const name = posix.basename(at.path)
  if (
    name.startsWith('.') ||
    name.endsWith(metaSuffix) ||
    name.endsWith('.reason') ||
    name.endsWith(noteSuffix)
  ) {
    return undefined
  }
  const kept = backupName.exec(name)
  if (kept !== null) return await backupAt(disk, at, { id: kept[1] as string, part: kept[2] })
  const match = bufferName.exec(name)
  if (match === null || at.place.owns?.(name) === false) return undefined
  const state = match[1] === 'b' ? 'staged' : 'queued'
  return await inBuffer(disk, at, {
    id: match[2] as string,
    state: at.place.keptCopies === true ? 'backup' : state,
  })
}

async function inBuffer(
  disk: Disk,
  { place, path, names, stat }: FileAt,
  of: { id: string; state: FoundChunk['state'] },
): Promise<FoundChunk> {
  const beside = path + metaSuffix
  const hasMeta = names.has(posix.basename(beside))
  const bytes = hasMeta ? await readBeside(disk, beside) : undefined
  const meta = bytes && decodeMeta(bytes)
  const counted = await contentAt(disk, path, stat)
  const own = bytes && meta && bySums(bytes, meta, stat.sizeBytes)
  return {
    ...of,
    path,
    files: hasMeta ? [path, beside] : [path],
    output: place.output,
    // What stands behind the last commit of a staged chunk of ours is not its own.
    bytes: own !== undefined && meta?.count === 0 ? own.bytes : stat.sizeBytes,
    events: own?.events ?? (meta?.count || counted.events),
    format: counted.format,
    codec: counted.codec,
    createdMs: (meta?.createdSeconds ?? 0) * 1000 || stat.modifiedMs,
    modifiedMs: stat.modifiedMs,
    metadata: meta?.metadata,
    reason: undefined,
  }
}

/** undefined: not ours. */
function bySums(bytes: Buffer, meta: Meta, sizeBytes: number): SumsScan | undefined {
  if (meta.id === undefined) return undefined
  const markEnd = meta.endByte + sumsMark.length
  if (!bytes.subarray(meta.endByte, markEnd).equals(sumsMark)) return undefined
  return scanSums(bytes, { from: meta.endByte + sumsHeadBytes, id: meta.id, sizeBytes })
}

async function backupAt(
  disk: Disk,
  { place, path, names, stat }: FileAt,
  of: { id: string; part: string | undefined },
): Promise<FoundChunk> {
  const beside = [noteSuffix, '.reason', metaSuffix].filter((suffix) =>
    names.has(posix.basename(path) + suffix),
  )
  const read = async (suffix: string) =>
    beside.includes(suffix) ? await readBeside(disk, path + suffix) : undefined
  const note = noteOf(await read(noteSuffix))
  const metaBytes = await read(metaSuffix)
  const meta = metaBytes && decodeMeta(metaBytes)
  const said = (await read('.reason'))?.toString('utf8').trim()
  const content = await contentAt(disk, path, stat)
  return {
    state: said === undefined ? 'backup' : 'damaged',
    id: of.part === undefined ? of.id : of.id + of.part,
    path,
    files: [path, ...beside.map((suffix) => path + suffix)],
    output: note?.output ?? place.output ?? posix.basename(posix.dirname(path)),
    bytes: stat.sizeBytes,
    events: note?.events ?? content.events,
    format: content.format,
    codec: content.codec,
    createdMs: note === undefined ? stat.modifiedMs : Date.parse(note.created) || stat.modifiedMs,
    modifiedMs: stat.modifiedMs,
    metadata: note === undefined ? meta?.metadata : metadataOf(note),
    reason: note === undefined ? said : `${note.reason} (${note.code})`,
  }
}

async function contentAt(
  disk: Disk,
  path: string,
  { sizeBytes }: FileStat,
): Promise<Pick<Content, 'format' | 'codec' | 'events'>> {
  if (sizeBytes === 0) return { format: 'text', codec: undefined, events: 0 }
  const file = await disk.open(path, { read: true, noFollow: true })
  try {
    return await contentOf(file, { sizeBytes, chunkFormat: 'auto' })
  } finally {
    await file.close()
  }
}

async function readBeside(disk: Disk, path: string): Promise<Buffer> {
  const stat = await disk.stat(path)
  if (stat?.kind !== 'file' || stat.sizeBytes > besideLimitBytes) {
    throw new Error(`${path} is not what it should be`)
  }
  return Buffer.from(await disk.readFile(path))
}

function noteOf(bytes: Buffer | undefined): BackupNote | undefined {
  if (bytes === undefined) return undefined
  try {
    const note = JSON.parse(bytes.toString('utf8')) as Partial<BackupNote> | null
    const whole = typeof note?.reason === 'string' && typeof note.output === 'string'
    return whole && Number.isSafeInteger(note.events) ? (note as BackupNote) : undefined
  } catch {
    // Cut off by a crash: then the bytes are there, and why is not known.
    return undefined
  }
}

function metadataOf({ timekey, tag, variables }: BackupNote): ChunkMetadata {
  return {
    timekey: typeof timekey === 'number' ? timekey : undefined,
    tag: typeof tag === 'string' ? tag : undefined,
    variables: typeof variables === 'object' && variables !== null ? variables : undefined,
  }
}

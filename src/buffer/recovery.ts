import { posix } from 'node:path'
import type { FileStat } from '../core/host.ts'
import type { ChunkMetadata } from '../core/output.ts'
import type { Codec } from './compress.ts'
import type { ChunkFormat, FileStoreShared } from './file-store.ts'
import { type Compressed, FileChunk, removeFile } from './file-store-chunk.ts'
import { codecOf, contentOf } from './file-store-foreign.ts'
import { metaSuffix, type ParsedName } from './file-store-names.ts'
import { recordBytes, type SumsScan } from './file-store-sums.ts'
import { readExtent } from './file-store-verify.ts'
import type { Meta } from './meta.ts'
import { type Read, readOurs } from './recovery-meta.ts'
import { settleUnfinished } from './recovery-unfinished.ts'
import type { RecoveredChunk } from './store.ts'

/** What an earlier run left in a buffer's directory. The rules stand at the top of file-store.ts. */

export interface RecoveryOptions {
  readonly shared: FileStoreShared
  /** Besides the store's own. */
  readonly directories: readonly string[]
  readonly chunkFormat: ChunkFormat
  damaged(events: number): void
}

/** A .meta file that is larger holds no chunk of ours: one record a commit, for chunks of 256 MB. */
const metaFileLimitBytes = 256 * 1024 * 1024

interface Found {
  readonly directory: string
  readonly name: string
  readonly parsed: ParsedName
  readonly stat: FileStat
}

/** Chunks that can be delivered, oldest first. One that cannot be read does not keep the others from it. */
export async function recoverChunks(options: RecoveryOptions): Promise<readonly RecoveredChunk[]> {
  const { directory } = options.shared
  const recovered: Recovered[] = []
  for (const place of [directory, ...options.directories]) {
    const names = await settleUnfinished(options.shared, place)
    const found = await chunkFiles(options.shared, place, names)
    recovered.push(...(await recoverAll(options, found, names)))
    await removeOrphans(options.shared, place)
  }
  return inOrder(recovered)
}

/** Queued chunks in the store's directory that it does not know. */
export async function recoverArrivals(
  options: Pick<RecoveryOptions, 'shared' | 'chunkFormat'>,
): Promise<readonly RecoveredChunk[]> {
  const { disk, directory, live, names: layout } = options.shared
  const knownNow = () => [...live].flatMap(({ id, path }) => [id, posix.basename(path)])
  // What is removed meanwhile was known before, what is made meanwhile is known afterwards.
  const before = knownNow()
  const names = new Set(await disk.readdir(directory))
  const known = new Set([...before, ...knownNow()])
  const strange = new Set(
    [...names].filter((name) => {
      const parsed = layout.parse(name)
      return parsed?.state === 'queued' && !known.has(name) && !known.has(parsed.id)
    }),
  )
  const found = await chunkFiles(options.shared, directory, strange)
  return inOrder(await recoverAll({ ...options, damaged: () => undefined }, found, names))
}

interface Recovered {
  readonly chunk: RecoveredChunk
  readonly modifiedMs: number
}

async function recoverAll(
  options: Omit<RecoveryOptions, 'directories'>,
  all: readonly Found[],
  names: ReadonlySet<string>,
): Promise<Recovered[]> {
  const recovered: Recovered[] = []
  for (const found of all) {
    try {
      const chunk = await recoverOne(options, found, names)
      if (chunk !== undefined) recovered.push({ chunk, modifiedMs: found.stat.modifiedMs })
    } catch (error) {
      const path = posix.join(found.directory, found.name)
      options.shared.log.error('a chunk of an earlier run cannot be read; it stays where it is', {
        path,
        error,
      })
    }
  }
  return recovered
}

function inOrder(recovered: readonly Recovered[]): readonly RecoveredChunk[] {
  return [...recovered]
    .sort((a, b) => a.modifiedMs - b.modifiedMs || compare(a.chunk, b.chunk))
    .map(({ chunk }) => chunk)
}

function compare({ chunk: a }: RecoveredChunk, { chunk: b }: RecoveredChunk): number {
  return a.createdMs - b.createdMs || (a.id < b.id ? -1 : 1)
}

async function chunkFiles(
  { disk, names, log }: FileStoreShared,
  directory: string,
  all: ReadonlySet<string>,
): Promise<readonly Found[]> {
  const found: Found[] = []
  for (const name of all) {
    const parsed = names.parse(name)
    if (parsed === undefined) continue
    const stat = await disk.stat(posix.join(directory, name))
    if (stat?.kind === 'file') found.push({ directory, name, parsed, stat })
    else log.warn('not a file, so not a chunk', { path: posix.join(directory, name) })
  }
  return found
}

/** .meta files whose chunk is gone: it was delivered, or never written. */
async function removeOrphans(shared: FileStoreShared, directory: string): Promise<void> {
  const names = new Set(await shared.disk.readdir(directory))
  for (const name of names) {
    if (!name.endsWith(metaSuffix)) continue
    const chunk = name.slice(0, -metaSuffix.length)
    if (shared.names.parse(chunk) === undefined || names.has(chunk)) continue
    await removeFile(shared, posix.join(directory, name))
  }
}

async function recoverOne(
  options: Omit<RecoveryOptions, 'directories'>,
  found: Found,
  names: ReadonlySet<string>,
): Promise<RecoveredChunk | undefined> {
  const { shared } = options
  const path = posix.join(found.directory, found.name)
  const bytes = await readMeta(shared, found, names)
  const sizeBytes = found.stat.sizeBytes
  if (sizeBytes === 0) {
    await discard(shared, path)
    return undefined
  }
  if (bytes === undefined) return await takeForeign(options, { found, path, meta: undefined })
  const read = readOurs(bytes, sizeBytes)
  if (read === 'damaged' && found.parsed.key === undefined) {
    const reason = `${path}${metaSuffix} is damaged: nobody knows what the events' chunk keys were`
    await moveAway(shared, { path, found, bytes, reason })
    options.damaged(0)
    return undefined
  }
  if (read === 'damaged') return await takeForeign(options, { found, path, meta: undefined })
  if (read.scan === undefined) return await takeForeign(options, { found, path, meta: read.meta })
  return await takeOurs(shared, { found, path, metaBytes: bytes.length, ...read, scan: read.scan })
}

/** The process may have ended between the two renames: then the .meta file still has the staged chunk's name. */
async function readMeta(
  { disk, names: layout }: FileStoreShared,
  { directory, name, parsed }: Found,
  names: ReadonlySet<string>,
): Promise<Buffer | undefined> {
  const path = posix.join(directory, name + metaSuffix)
  const suffixAt = name.lastIndexOf(`.q${parsed.id}`)
  const staged = `${name.slice(0, suffixAt)}.b${name.slice(suffixAt + 2)}`
  if (!names.has(name + metaSuffix)) {
    if (suffixAt < 0 || layout.parse(staged) === undefined) return undefined
    if (names.has(staged) || !names.has(staged + metaSuffix)) return undefined
    await disk.rename(posix.join(directory, staged + metaSuffix), path)
  }
  const stat = await disk.stat(path)
  if (stat?.kind !== 'file' || stat.sizeBytes > metaFileLimitBytes) {
    throw new Error(`${path} is no .meta file`)
  }
  return Buffer.from(await disk.readFile(path))
}

async function takeOurs(
  shared: FileStoreShared,
  of: Read & { found: Found; path: string; metaBytes: number; scan: SumsScan },
): Promise<RecoveredChunk | undefined> {
  const { meta, sumsAt, scan, found, path } = of
  const { plainBytes } = meta
  if (scan.bytes === 0) {
    await discard(shared, path)
    return undefined
  }
  await cutTo(shared, path, found.stat.sizeBytes, scan.bytes)
  await cutTo(shared, path + metaSuffix, of.metaBytes, sumsAt + scan.records * recordBytes)
  // Nothing is added to a chunk of which something is lost, nor to one whose events were counted when it was sealed.
  const damaged = scan.ranges.some((range) => range.crc === undefined)
  const queued = found.parsed.state === 'queued' || damaged || meta.count !== 0
  const { bytes, events, records } = scan
  const chunk = FileChunk.recovered(shared, {
    id: meta.id as string,
    metadata: meta.metadata,
    createdMs: meta.createdSeconds * 1000,
    modifiedMs: found.stat.modifiedMs,
    path,
    committed: { bytes, events, records },
    sumsAt,
    queued,
    // A file whose beginning is damaged is found out by its sum, before anybody decodes it.
    compressed:
      plainBytes === undefined ? undefined : { codec: await codecAt(shared, path), plainBytes },
  })
  return { chunk, state: queued ? 'queued' : 'staged' }
}

async function codecAt({ disk }: FileStoreShared, path: string): Promise<Codec> {
  const file = await disk.open(path, { read: true, noFollow: true })
  try {
    return (await codecOf(file)) ?? 'gzip'
  } finally {
    await file.close()
  }
}

/** A chunk of Fluentd's: nothing is added to it, whichever state it was in. */
async function takeForeign(
  options: Pick<RecoveryOptions, 'shared' | 'chunkFormat'>,
  of: { found: Found; path: string; meta: Meta | undefined },
): Promise<RecoveredChunk | undefined> {
  const { shared, chunkFormat } = options
  const { found, path, meta } = of
  const { sizeBytes } = found.stat
  const file = await shared.disk.open(path, { read: true, noFollow: true })
  let whole: { bytes: number; events: number }
  let compressed: Compressed | undefined
  try {
    const content = await contentOf(file, { sizeBytes, chunkFormat })
    const counted = content.format === 'text' && meta !== undefined && meta.count > 0
    whole = {
      bytes: content.bytes,
      events: counted ? Math.min(meta.count, content.events) : content.events,
    }
    const { codec, plainBytes } = content
    compressed = codec === undefined ? undefined : { codec, plainBytes }
    if (content.bytes < sizeBytes) {
      await shared.backup.keep({
        name: `${found.parsed.id}.${content.bytes}`,
        reason: `bytes ${content.bytes} to ${sizeBytes} of ${path} are not a whole event`,
        bytes: readExtent(file, { start: content.bytes, end: sizeBytes }),
      })
    }
  } finally {
    await file.close()
  }
  if (whole.bytes === 0) {
    await discard(shared, path)
    return undefined
  }
  await cutTo(shared, path, sizeBytes, whole.bytes)
  const chunk = FileChunk.recovered(shared, {
    id: meta?.id ?? found.parsed.id,
    metadata: meta?.metadata ?? metadataOfName(found.parsed, shared),
    createdMs: (meta?.createdSeconds ?? 0) * 1000 || found.stat.modifiedMs,
    modifiedMs: found.stat.modifiedMs,
    path,
    committed: { ...whole, records: 0 },
    sumsAt: undefined,
    queued: true,
    compressed,
  })
  return { chunk, state: 'queued' }
}

function metadataOfName({ key }: ParsedName, { names }: FileStoreShared): ChunkMetadata {
  const { field } = names
  return {
    timekey: undefined,
    tag: field === undefined ? key : undefined,
    variables: field === undefined || key === undefined ? undefined : { [field]: key },
  }
}

async function cutTo(
  { disk }: FileStoreShared,
  path: string,
  sizeBytes: number,
  wholeBytes: number,
): Promise<void> {
  if (sizeBytes <= wholeBytes) return
  const file = await disk.open(path, { write: true, noFollow: true })
  try {
    await file.truncate(wholeBytes)
  } finally {
    await file.close()
  }
}

async function discard(shared: FileStoreShared, path: string): Promise<void> {
  await removeFile(shared, path)
  await removeFile(shared, path + metaSuffix)
}

async function moveAway(
  shared: FileStoreShared,
  of: { path: string; found: Found; bytes: Uint8Array; reason: string },
): Promise<void> {
  const file = await shared.disk.open(of.path, { read: true, noFollow: true })
  try {
    await shared.backup.keep({
      name: of.found.parsed.id,
      reason: of.reason,
      bytes: readExtent(file, { start: 0, end: of.found.stat.sizeBytes }),
      meta: of.bytes,
    })
  } finally {
    await file.close()
  }
  await discard(shared, of.path)
}

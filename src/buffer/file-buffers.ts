import type { PluginContext } from '../config/define.ts'
import { type BoundPlugin, type ParamsOf, positionOf } from '../config/schema.ts'
import { ConfigError } from '../core/errors.ts'
import type { Disk } from '../core/host.ts'
import { codecOf } from './compress.ts'
import { createFileStore, type FileStoreOptions } from './file-store.ts'
import {
  type BufferPlace,
  type ChunkNames,
  fileNames,
  fileSingleNames,
  placeOf,
} from './file-store-names.ts'
import type { fileBufferShape, fileSingleBufferShape } from './sections.ts'
import type { ChunkStore } from './store.ts'

/** From the parameters of <buffer> to a store in files. */

type FileParams = ParamsOf<typeof fileBufferShape>
type FileSingleParams = ParamsOf<typeof fileSingleBufferShape>

const defaultFileMode = 0o644
const defaultDirectoryMode = 0o755

/** Throws ConfigError. */
export function createFileBuffer(
  params: BoundPlugin['params'],
  context: PluginContext,
): ChunkStore {
  const { pathSuffix } = params as unknown as FileParams
  return createFileStore({
    ...commonOptions(params as unknown as FileParams, context),
    ...whereabouts(params as unknown as FileParams, context, {
      defaultPrefix: 'buffer',
      suffix: pathSuffix,
    }),
    namesAt: ({ prefix, suffix }) => fileNames(prefix, suffix),
    chunkFormat: 'auto',
    reusesFiles: true,
  })
}

/** Throws ConfigError. */
export function createFileSingleBuffer(
  params: BoundPlugin['params'],
  context: PluginContext,
): ChunkStore {
  const single = params as unknown as FileSingleParams
  const field = fieldInName(single)
  return createFileStore({
    ...commonOptions(single, context),
    ...whereabouts(single, context, { defaultPrefix: 'fsb', suffix: '.buf' }),
    namesAt: (place) => fileSingleNames(place.prefix, field),
    chunkFormat: single.chunkFormat,
  })
}

/** Where a bound <buffer> keeps its files, and how they are called; undefined: it keeps none. Throws ConfigError. */
export async function filesOf(
  buffer: BoundPlugin,
  context: Pick<PluginContext, 'host' | 'system' | 'id' | 'idWritten'>,
): Promise<{ readonly place: BufferPlace; readonly names: ChunkNames } | undefined> {
  if (buffer.type === 'file') {
    const params = buffer.params as unknown as FileParams
    const of = { defaultPrefix: 'buffer', suffix: params.pathSuffix }
    const place = await whereabouts(params, context, of).locate()
    return { place, names: fileNames(place.prefix, place.suffix) }
  }
  if (buffer.type !== 'file_single') return undefined
  const params = buffer.params as unknown as FileSingleParams
  const of = { defaultPrefix: 'fsb', suffix: '.buf' }
  const place = await whereabouts(params, context, of).locate()
  return { place, names: fileSingleNames(place.prefix, fieldInName(params)) }
}

/** Fluentd's names have room for the tag or one field. */
function fieldInName(params: FileSingleParams): string | undefined {
  const fields = params.chunkKeys.filter((key) => key !== 'tag' && key !== 'time')
  const position = positionOf(params, 'chunkKeys') ?? positionOf(params)
  if (fields.length > 0 && params.chunkKeys.includes('tag')) {
    throw new ConfigError('chunk keys must be tag or one field', { position })
  }
  if (fields.length > 1) {
    throw new ConfigError('2 or more chunk keys is not allowed', { position })
  }
  return fields[0]
}

type Common = (FileParams | FileSingleParams) & {
  /** Of an output that writes files: where its buffer is too, if nothing else says where. */
  readonly pathOfOutput?: string
}

function commonOptions(
  params: Common,
  context: PluginContext,
): Omit<FileStoreOptions, 'locate' | 'namesAt' | 'chunkFormat' | 'claims'> {
  const { host, log, system, id, kernel } = context
  return {
    outside: host,
    log,
    crc32: (bytes, crc) => kernel.crc32(bytes, crc),
    fsync: params.fsync,
    codec: codecOf(params.compress),
    fileMode: modeOf(params, 'filePermission') ?? system.filePermission ?? defaultFileMode,
    directoryMode: modeOf(params, 'dirPermission') ?? system.dirPermission ?? defaultDirectoryMode,
    backup: params.disableChunkBackup
      ? undefined
      : { rootDirectory: system.rootDir, workerId: system.workerId, pluginId: id },
  }
}

function modeOf(params: Common, name: 'filePermission' | 'dirPermission'): number | undefined {
  const text = params[name]
  if (text === undefined) return undefined
  if (/^0?[0-7]{1,4}$/.test(text)) return Number.parseInt(text, 8)
  throw new ConfigError(`expected permissions in octal digits, not '${text}'`, {
    position: positionOf(params, name),
    hint: 'for example 0644',
  })
}

function whereabouts(
  params: Common,
  context: Pick<PluginContext, 'host' | 'system' | 'id' | 'idWritten'>,
  of: { defaultPrefix: string; suffix: string },
): Pick<FileStoreOptions, 'claims' | 'locate'> {
  const { system } = context
  const { disk } = context.host
  const inRoot = pathInRoot(context)
  const given = params.path ?? (inRoot === undefined ? params.pathOfOutput : undefined)
  const path = given ?? inRoot ?? noPath(params)
  const workerId = given !== undefined && system.workers > 1 ? system.workerId : undefined
  return {
    claims: [`buffer:${path.replace(/(?<=.)\/+$/, '')}`],
    async locate(): Promise<BufferPlace> {
      const isDirectory = await isDirectoryAt(disk, path)
      const place = placeOf({ path, isDirectory, workerId, ...of })
      if (workerId === undefined || place.directory !== posixDirectory(path)) return place
      throw new ConfigError(
        'with several workers, the buffer needs a directory as its path, or <system> root_dir and an @id',
        { position: positionOf(params, 'path') },
      )
    },
  }
}

/** undefined: nothing is there. Links are followed: the path is the configuration's. */
async function isDirectoryAt(disk: Disk, path: string): Promise<boolean | undefined> {
  if ((await disk.stat(path)) === undefined) return undefined
  return (await disk.stat(await disk.realpath(path)))?.kind === 'directory'
}

function posixDirectory(path: string): string {
  const slash = path.lastIndexOf('/')
  return slash < 0 ? '.' : path.slice(0, slash) || '/'
}

/** `<root_dir>/worker0/<@id>/buffer`, for outputs with an @id: a made one changes with the order of the file. */
function pathInRoot({
  system,
  id,
  idWritten,
}: Pick<PluginContext, 'system' | 'id' | 'idWritten'>): string | undefined {
  if (system.rootDir === undefined || idWritten !== true) return undefined
  return `${system.rootDir}/worker${system.workerId}/${id}/buffer`
}

function noPath(params: Common): never {
  throw new ConfigError("buffer path is not configured. specify 'path' in <buffer>", {
    position: positionOf(params, 'type') ?? positionOf(params),
    hint: 'or give the output an @id, and set root_dir in <system>',
  })
}

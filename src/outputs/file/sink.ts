import {
  bytesOf,
  type Chunking,
  type Codec,
  chunkingOf,
  chunkKeysOf,
  compileTemplate,
  compressed,
  createChunkFiles,
  createFilePaths,
  hasCodec,
  injectingFormatter,
  unusedFormatter,
  validatePlaceholders,
} from '../../buffer/index.ts'
import type { PluginContext } from '../../config/define.ts'
import { type BoundPlugin, positionOf } from '../../config/schema.ts'
import { ConfigError } from '../../core/errors.ts'
import type { Formatter } from '../../core/formatter.ts'
import type { Chunk, Sink } from '../../core/output.ts'
import { createInject } from '../../formatters/inject.ts'
import { createChunkLink } from './chunk-link.ts'
import { indexMark, pathTemplate } from './path-template.ts'
import type { FileParams } from './shape.ts'

const defaultFileMode = 0o644
const defaultDirectoryMode = 0o755

const codecs = { text: undefined, gz: 'gzip', gzip: 'gzip', zstd: 'zstd' } as const
/** Formats whose events are lines; their parameter `add_newline`, where they have it, may say otherwise. */
const lineFormats = ['out_file', 'json', 'ltsv', 'csv', 'tsv', 'single_value', 'hash', 'stdout']
const codecSuffixes: Readonly<Record<Codec, string>> = { gzip: '.gz', zstd: '.zstd' }

export function createFileSink(params: FileParams, context: PluginContext): Sink {
  const { disk, clock } = context.host
  const { system, primaryBuffer } = context
  const chunking = chunkingOf(primaryBuffer ?? params.buffer, clock)
  const codec = codecOf(params)
  const template = compileTemplate(templateOf(params, { chunking, codec, context }), chunking)
  const directoryMode = system.dirPermission ?? defaultDirectoryMode
  const paths = createFilePaths({ template, disk, directoryMode })
  const alone = system.workers <= 1
  const files = createChunkFiles({
    disk,
    fileMode: system.filePermission ?? defaultFileMode,
    directoryMode,
    alone,
    lines: codec === undefined && primaryBuffer === undefined && writesLines(params.format),
  })

  const link = primaryBuffer === undefined ? createChunkLink(params, context) : undefined

  return {
    formatter: formatterOf(params, context),
    ...(link === undefined ? {} : { onStaged: ({ path }) => path && link.point(path) }),
    async check() {
      const path = template.expand(exampleChunk(chunking, clock.wallMs()))
      await checkWritable(path, params, context)
    },
    async start() {
      if (primaryBuffer === undefined) sayWhatDiffers(params, context)
    },
    async write(chunk) {
      const path = await paths.pathOf(chunk)
      // Appended piece by piece, it might be mixed with what other workers append.
      const plain = params.append && !alone ? await chunk.read() : await bytesOf(chunk)
      const pieces = codec === undefined ? plain : await compressed(plain, codec)
      if (params.append) await files.append(path, pieces, { noFollow: template.hasValues })
      else await files.create((index) => path.replaceAll(indexMark, `_${index}`), pieces)
    },
    async stop() {
      await link?.settled()
      await files
        .cutTorn()
        .catch((error: unknown) =>
          context.log.warn('the end of a file is torn, and cannot be cut off now', { error }),
        )
    },
  }
}

/** Whether each event's text ends in a newline, and what does not is none of ours or cut. */
function writesLines(format: BoundPlugin): boolean {
  if (!lineFormats.includes(format.type)) return false
  return (format.params as { addNewline?: boolean }).addNewline !== false
}

function codecOf(params: FileParams): Codec | undefined {
  const codec = codecs[params.compress]
  if (codec === undefined || hasCodec(codec)) return codec
  throw new ConfigError(`compress ${codec} needs Node.js 22.15 or later`, {
    position: positionOf(params, 'compress'),
    hint: 'use `compress gzip`, or a newer Node.js',
  })
}

function templateOf(
  params: FileParams,
  of: { chunking: Chunking; codec: Codec | undefined; context: PluginContext },
): string {
  const position = positionOf(params, 'path')
  const text = pathTemplate({
    path: params.path,
    timekeySeconds: of.chunking.timekeySeconds,
    append: params.append,
    suffix: params.addPathSuffix ? params.pathSuffix : '',
    compressSuffix: of.codec === undefined ? '' : codecSuffixes[of.codec],
    position,
  })
  // A secondary gets what its primary separates; without placeholders the index keeps its files apart.
  const onlyTime = of.context.primaryBuffer !== undefined
  validatePlaceholders({ name: 'path', text, chunking: of.chunking, position, onlyTime })
  return text
}

function formatterOf(params: FileParams, context: PluginContext): Formatter {
  // A secondary's chunks hold what the primary's formatter made.
  if (context.primaryBuffer !== undefined) return unusedFormatter
  const { host, system } = context
  const inject = createInject(params.inject, {
    hostname: host.hostname,
    workerId: system.workerId,
    clock: host.clock,
    chunkKeys: chunkKeysOf(params.buffer),
  })
  return injectingFormatter(context.createFormatter(params.format), inject)
}

/** Stands for any chunk: what its path looks like shows whether files can be made there. */
function exampleChunk(chunking: Chunking, wallMs: number): Pick<Chunk, 'id' | 'metadata'> {
  return {
    id: '0'.repeat(32),
    metadata: {
      timekey: chunking.timekeySeconds === undefined ? undefined : Math.floor(wallMs / 1000),
      tag: 'a',
      variables: Object.fromEntries(chunking.fields.map((field) => [field.name, 'data'])),
    },
  }
}

async function checkWritable(
  path: string,
  params: FileParams,
  context: PluginContext,
): Promise<void> {
  const first = path.replaceAll(indexMark, '_0')
  if (await context.host.disk.writable(first)) return
  throw new ConfigError(`out_file: \`${first}\` is not writable`, {
    position: positionOf(params, 'path'),
  })
}

function sayWhatDiffers(params: FileParams, { log }: PluginContext): void {
  if (!params.buffer.written) {
    log.warn(
      'default timekey interval (1d) will be used because of missing <buffer> section, and events wait in memory, not in files',
    )
  }
  if (params.symlinkPath !== undefined && params.buffer.type === 'memory') {
    log.warn('symlink_path has no effect with a memory buffer')
  }
}

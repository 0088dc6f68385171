import {
  bufferSection,
  bytesOf,
  type Chunking,
  chunkingOf,
  compileTemplate,
  compressed,
  createChunkFiles,
  createFilePaths,
  outputParams,
  placeholdersIn,
  secondarySection,
  unusedFormatter,
} from '../../buffer/index.ts'
import { defineOutput, type PluginContext } from '../../config/define.ts'
import { type Bound, bool, enumeration, positionOf, string } from '../../config/schema.ts'
import { ConfigError } from '../../core/errors.ts'
import type { Sink } from '../../core/output.ts'

const defaultFileMode = 0o644
const defaultDirectoryMode = 0o755

const shape = {
  params: {
    ...outputParams,
    directory: string({ description: 'Directory of the files; made if need be.', required: true }),
    basename: string({
      description: 'Name of the files, with placeholders of the primary’s chunk keys.',
      default: 'dump.bin',
    }),
    append: bool({
      description: 'Add chunks to one file; otherwise each gets one of its own: `.0`, `.1` …',
      default: false,
    }),
    compress: enumeration(['text', 'gzip'], {
      description: 'Compress the files; `.gz` is added to their names.',
      default: 'text',
    }),
  },
  // Declared so that writing one is said to be wrong: a secondary has neither.
  sections: { buffer: bufferSection(), secondary: secondarySection('secondary_file') },
} as const

type SecondaryFileParams = Bound<typeof shape>

export const secondaryFileOutput = defineOutput({
  name: 'secondary_file',
  summary: 'For <secondary>: keeps chunks that could not be delivered in files, as they are.',
  shape,
  createSink: createSecondaryFileSink,
})

function createSecondaryFileSink(params: SecondaryFileParams, context: PluginContext): Sink {
  const { primaryBuffer, host, system } = context
  if (primaryBuffer === undefined) {
    throw new ConfigError('This plugin can only be used in the <secondary> section', {
      position: positionOf(params),
    })
  }
  if (params.basename.includes('/')) {
    throw new ConfigError('basename should not include `/`', {
      position: positionOf(params, 'basename'),
    })
  }
  const chunking = chunkingOf(primaryBuffer, host.clock)
  const text = `${params.directory.replace(/\/+$/, '')}/${params.basename}`
  checkPlaceholders(text, params, chunking)
  const directoryMode = system.dirPermission ?? defaultDirectoryMode
  const { disk } = host
  const template = compileTemplate(text, chunking)
  const paths = createFilePaths({ template, disk, directoryMode })
  const alone = system.workers <= 1
  const files = createChunkFiles({
    disk,
    fileMode: system.filePermission ?? defaultFileMode,
    directoryMode,
    alone,
  })
  const suffix = params.compress === 'gzip' ? '.gz' : ''

  return {
    formatter: unusedFormatter,
    async check() {
      if (await disk.writable(text)) return
      throw new ConfigError(`out_secondary_file: \`${params.directory}\` should be writable`, {
        position: positionOf(params, 'directory'),
      })
    },
    start: async () => undefined,
    async write(chunk) {
      const path = await paths.pathOf(chunk)
      // Appended piece by piece, it might be mixed with what other workers append.
      const plain = params.append && !alone ? await chunk.read() : await bytesOf(chunk)
      const pieces = params.compress === 'gzip' ? await compressed(plain, 'gzip') : plain
      if (params.append) {
        await files.append(`${path}${suffix}`, pieces, { noFollow: template.hasValues })
      } else await files.create((index) => `${path}.${index}${suffix}`, pieces)
    },
    stop: async () => undefined,
  }
}

/** Fluentd's check, with its words: what the primary's chunks do not have cannot be in the name. */
function checkPlaceholders(text: string, params: SecondaryFileParams, chunking: Chunking): void {
  const { tag, fields } = placeholdersIn(text)
  const keys = new Set(chunking.fields.map((field) => field.name))
  const field = fields.find((name) => !keys.has(name))
  const wrong =
    chunking.timekeySeconds === undefined && hasTimeFormat(text, chunking)
      ? 'remove time formats, like `%Y%m%d`, from basename or directory'
      : tag && !chunking.byTag
        ? `remove tag placeholder, like \`\${tag}\`, from basename or directory`
        : field !== undefined
          ? `remove variable placeholder, like \`\${${field}}\`, from basename or directory`
          : undefined
  if (wrong === undefined) return
  throw new ConfigError(
    `out_secondary_file: basename or directory has an incompatible placeholder, ${wrong}`,
    { position: positionOf(params, 'basename') },
  )
}

function hasTimeFormat(text: string, chunking: Chunking): boolean {
  return chunking.formatTime(text, 0) !== text
}

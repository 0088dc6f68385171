import { bufferSection, outputParams, secondarySection } from '../../buffer/index.ts'
import { type Bound, bool, enumeration, plugin, string } from '../../config/schema.ts'
import { injectSection } from '../../formatters/inject.ts'

const buffer = bufferSection({ chunk_keys: ['time'], timekey: 86_400 })

export const fileShape = {
  params: {
    ...outputParams,
    path: string({
      description:
        'Path of the files. `*` stands for the time slice; `%Y%m%d`, `${tag}`, `${tag[1]}`, `${field}`, `${chunk_id}` are filled from the chunk.',
      required: true,
    }),
    append: bool({ description: 'Add later chunks to the same file.', default: false }),
    add_path_suffix: bool({ description: 'Whether path_suffix is added.', default: true }),
    path_suffix: string({ description: 'End of the names.', default: '.log' }),
    compress: enumeration(['text', 'gz', 'gzip', 'zstd'], {
      description: 'Compress the files; `.gz` or `.zstd` is added to their names.',
      default: 'text',
    }),
    recompress: bool({
      description: 'Accepted: what a file holds is always compressed anew.',
      default: false,
      differs: 'No effect: a file is compressed once, from what its chunk holds.',
    }),
    symlink_path: string({
      description: 'A symbolic link to the newest chunk of a file buffer.',
    }),
    symlink_path_use_relative: bool({
      description: 'Whether that link is a relative one.',
      default: false,
    }),
  },
  sections: {
    format: plugin('formatter', {
      description: 'What an event looks like.',
      defaultType: 'out_file',
      always: true,
    }),
    inject: injectSection(),
    buffer: {
      ...buffer,
      options: {
        ...buffer.options,
        shows: { pathOfOutput: 'path' },
        differs:
          'Where no @type is written, chunks wait in memory, and are flushed at shutdown; in Fluentd in files beside the path.',
      },
    },
    secondary: secondarySection('file'),
  },
} as const

export type FileParams = Bound<typeof fileShape>

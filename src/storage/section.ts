import { type Bound, bool, enumeration, section, string, time } from '../config/schema.ts'

const octal = (value: string) =>
  /^0?o?[0-7]{3,4}$/.test(value) ? undefined : 'expected an octal number such as 0644'

const usage = (value: string) =>
  value === '' || /^[a-zA-Z][-_.a-zA-Z0-9]*$/.test(value)
    ? undefined
    : 'expected a name of letters, digits, dots, - and _'

const shape = {
  params: {
    '@type': enumeration(['local'], { description: 'Where: a file of this host.', required: true }),
    usage: string({ description: 'A part of the file’s name.', default: '', check: usage }),
    path: string({
      description:
        'The file (if it ends in .json, or is one), or a directory with a folder for each worker. Without it: in root_dir, if the plugin has an @id; otherwise nothing outlives the process.',
    }),
    mode: string({ description: 'Mode of the file, octal.', default: '0644', check: octal }),
    dir_mode: string({
      description: 'Mode of directories that are made, octal.',
      default: '0755',
      check: octal,
    }),
    pretty_print: bool({ description: 'Write JSON in several lines.', default: false }),
    persistent: bool({
      description: 'Save before each emit, not at intervals.',
      default: false,
    }),
    autosave: bool({ description: 'Save at intervals.', default: true }),
    autosave_interval: time({ description: 'Between two of those.', default: 10 }),
    save_at_shutdown: bool({ description: 'Save when the plugin stops.', default: true }),
  },
} as const

export type StorageParams = Bound<typeof shape>

/** `<storage>` of a plugin that keeps a little from one run to the next. `description`: what it keeps. */
export const storageSection = (description: string) =>
  section(shape, { description, argument: 'usage' })

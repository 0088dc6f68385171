import { bufferSection, outputParams, secondarySection } from '../../buffer/sections.ts'
import { defineOutput } from '../../config/define.ts'
import { integer, plugin, size, string, time } from '../../config/schema.ts'
import { injectSection } from '../../formatters/inject.ts'
import { extractSection } from '../../parsers/extract.ts'
import { createExecFilterSink } from './sink.ts'

/** A name of before 0.14, which stands in a section today. */
const moved = (description: string, section: string, name: string) =>
  string({
    description,
    unsupported: `write <${section}> with \`${name}\` instead`,
  })

export const shape = {
  params: {
    ...outputParams,
    command: string({
      description:
        'What the shell is told to run: it reads events from standard input and prints others.',
      required: true,
    }),
    tag: string({ description: 'The tag of what it prints, where <extract> finds none.' }),
    num_children: integer({
      description: 'How many run side by side; chunks are dealt out to them in turn.',
      default: 1,
      check: (value) => (value >= 1 && value <= 1024 ? undefined : 'expected 1 to 1024'),
    }),
    child_respawn: string({
      description:
        'How often one that ends is started again: `none`, `inf`, or a number. Default: none.',
    }),
    remove_prefix: string({
      description: 'Taken away from the tag, with the dot behind it, before it is written.',
      deprecated: 'use @label instead for event routing',
    }),
    add_prefix: string({
      description: 'Goes in front of the tag that <extract> finds, with a dot.',
      deprecated: 'use @label instead for event routing',
    }),
    read_block_size: size({
      description: 'Bytes read at once; accepted, without effect.',
      default: 10_240,
      differs: 'No effect: what is there is read.',
    }),
    suppress_error_log_interval: time({
      description: 'Accepted: one warning of a kind is written in 10 s.',
      default: 0,
      differs: 'One warning of a kind is written in 10 s, with the number of the others.',
    }),
    tag_key: moved('The field of the tag.', 'inject> and <extract', 'tag_key'),
    time_key: moved('The field of the time.', 'inject> and <extract', 'time_key'),
    time_format: moved('The form of the time.', 'inject> and <extract', 'time_format'),
    in_format: moved('The format of what it reads.', 'format', '@type'),
    in_keys: moved('The fields of what it reads.', 'format', 'keys'),
    in_tag_key: moved('The field of the tag it reads.', 'inject', 'tag_key'),
    in_time_key: moved('The field of the time it reads.', 'inject', 'time_key'),
    in_time_format: moved('The form of the time it reads.', 'inject', 'time_format'),
    out_format: moved('The format of what it prints.', 'parse', '@type'),
    out_keys: moved('The fields of what it prints.', 'parse', 'keys'),
    out_tag_key: moved('The field of the tag it prints.', 'extract', 'tag_key'),
    out_time_key: moved('The field of the time it prints.', 'extract', 'time_key'),
    out_time_format: moved('The form of the time it prints.', 'extract', 'time_format'),
  },
  sections: {
    format: plugin('formatter', {
      description: 'What an event looks like that the command reads.',
      defaultType: 'tsv',
      always: true,
      defaults: { localtime: true },
    }),
    inject: injectSection({ timeType: 'unixtime' }),
    parse: plugin('parser', {
      description: 'How what it prints is read: line by line, or by value with json and msgpack.',
      defaultType: 'tsv',
      always: true,
      defaults: { estimate_current_event: false, localtime: true },
    }),
    extract: extractSection('float'),
    buffer: bufferSection({ flush_mode: 'interval', flush_interval: 1 }),
    secondary: secondarySection('exec_filter'),
  },
} as const

/** `<match> @type exec_filter`: events through a program and back. */
export const execFilterOutput = defineOutput({
  name: 'exec_filter',
  summary: 'Runs a command that reads events and prints others, which go on.',
  description:
    'They go to `@label`, or to the top level. The command should write out each event at once. At the end its standard input is closed; after 10 s it gets TERM, and KILL at last.',
  shape,
  createSink: createExecFilterSink,
})

import { defineSource } from '../../config/define.ts'
import { enumeration, plugin, size, string, time } from '../../config/schema.ts'
import { extractSection } from '../../parsers/extract.ts'
import { createExecSource } from './source.ts'

export const shape = {
  params: {
    command: string({
      description: 'What the shell is told to run; what it prints are the events.',
      required: true,
    }),
    connect_mode: enumeration(['read', 'read_with_stderr'], {
      description: 'Whether its standard error is read too; otherwise it is discarded.',
      default: 'read',
    }),
    tag: string({ description: 'The tag, where <extract> finds none in the record.' }),
    run_interval: time({
      description:
        'Time between the starts of the command, the first one after that time. Without it the command is run once, at the start.',
      check: (value) => (value > 0 ? undefined : 'expected more than 0'),
    }),
    command_timeout: time({
      description: 'A command that runs longer is killed. Default: never.',
      check: (value) => (value > 0 ? undefined : 'expected more than 0'),
    }),
    read_block_size: size({
      description: 'Bytes read at once; accepted, without effect.',
      default: 10_240,
      differs: 'No effect: what is there is read.',
    }),
    encoding: string({
      description:
        'The encoding of what the command prints: `shift_jis`, `euc-jp`, `iso-8859-1` …. Default: UTF-8.',
      differs: 'Without it UTF-8 is kept; Fluentd replaces each byte that is not ASCII.',
    }),
  },
  sections: {
    parse: plugin('parser', {
      description: 'How the output is read: line by line, or by value with json and msgpack.',
      defaultType: 'tsv',
      always: true,
      defaults: { time_type: 'float', estimate_current_event: false },
    }),
    extract: extractSection('float'),
  },
} as const

/** `<source> @type exec`: events from a program's output. */
export const execSource = defineSource({
  name: 'exec',
  summary: 'Runs a command, once or again and again, and takes what it prints as events.',
  description:
    'The command runs with the rights of Sluice. At the end it gets TERM, with all that it has started, and after 10 s KILL.',
  shape,
  create: createExecSource,
})

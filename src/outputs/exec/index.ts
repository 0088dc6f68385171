import { bufferSection, outputParams, secondarySection } from '../../buffer/sections.ts'
import { defineOutput } from '../../config/define.ts'
import { plugin, string, time } from '../../config/schema.ts'
import { injectSection } from '../../formatters/inject.ts'
import { createExecSink } from './sink.ts'

export const shape = {
  params: {
    ...outputParams,
    command: string({
      description:
        'What the shell is told to run; the path of a file with the events comes behind it.',
      required: true,
    }),
    command_timeout: time({
      description: 'A command that runs longer is killed, and run again later.',
      default: 270,
      check: (value) => (value > 0 ? undefined : 'expected more than 0'),
    }),
  },
  sections: {
    format: plugin('formatter', {
      description: 'What an event looks like in the file.',
      defaultType: 'tsv',
      always: true,
    }),
    inject: injectSection({ timeType: 'string', localtime: false }),
    buffer: bufferSection({ delayed_commit_timeout: 300 }),
    secondary: secondarySection('exec'),
  },
} as const

/** `<match> @type exec`: chunks as files for a program. */
export const execOutput = defineOutput({
  name: 'exec',
  summary: 'Runs a command for each chunk, with the path of a file that holds its events.',
  description:
    'A chunk is delivered when the command ends with 0. The file is in TMPDIR (or /tmp), only Sluice’s user can read it, and it is removed when the command has ended. What the command prints is discarded; its errors go to Sluice’s standard error.',
  shape,
  createSink: createExecSink,
})

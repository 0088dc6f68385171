import { outputParams } from '../../buffer/sections.ts'
import { defineOutput } from '../../config/define.ts'
import { array, bool, integer, positionOf, size, string, time } from '../../config/schema.ts'
import { ConfigError } from '../../core/errors.ts'
import { rulesByLanguage } from './languages.ts'
import { DetectExceptionsOutput } from './output.ts'

const positive = (value: number) => (value > 0 ? undefined : 'expected more than 0')
const notNegative = (value: number) => (value >= 0 ? undefined : 'expected 0 or more')

/** As fluent-plugin-detect-exceptions 0.0.16. */
export const detectExceptionsOutput = defineOutput({
  name: 'detect_exceptions',
  summary:
    'Joins the lines of a stack trace that came as events of their own, and routes all events anew.',
  description:
    'The joined event is that of the first line. What is held lives in memory: its source has been told that it arrived, and a crash loses it.',
  shape: {
    params: {
      ...outputParams,
      remove_tag_prefix: string({
        description:
          'A part of the tag, or several, that is taken away in front, with the dot behind it.',
        required: true,
      }),
      message: string({
        description: 'The field with the line. Empty: `message`, else `log`.',
        default: '',
      }),
      languages: array({
        description:
          'Whose traces to look for: java, javascript or js, csharp, python or py, php, go, ruby or rb, dart, all. None: all.',
        default: [],
      }),
      multiline_flush_interval: time({
        description:
          'How long after its first line a trace that does not end is given out as it is.',
        check: notNegative,
      }),
      force_line_breaks: bool({
        description: 'Put line ends between lines that have none.',
        default: false,
      }),
      max_lines: integer({
        description: 'Lines of a trace after which it is given out; 0: any number.',
        default: 1000,
        check: notNegative,
      }),
      max_bytes: integer({
        description: 'Characters of a trace beyond which it is given out first; 0: any number.',
        default: 0,
        check: notNegative,
      }),
      stream: string({
        description: 'A field by which streams of one tag are told apart.',
        default: '',
      }),
      stream_limit_size: size({
        description: 'Bytes that one stream may hold; then what it has is given out.',
        default: 8 * 1024 * 1024,
        ours: true,
        check: positive,
      }),
      total_limit_size: size({
        description:
          'Bytes that all streams together may hold; then the one that began first is given out.',
        default: 64 * 1024 * 1024,
        ours: true,
        check: positive,
      }),
    },
  },
  create(params, context) {
    const languages = params.languages.length === 0 ? ['all'] : params.languages
    const rules = languages.flatMap((language) => {
      const known = rulesByLanguage.get(language.toLowerCase())
      if (known !== undefined) return known
      throw new ConfigError(`Unknown language: ${language}`, {
        position: positionOf(params, 'languages'),
        hint: `known are ${[...rulesByLanguage.keys()].join(', ')}`,
      })
    })
    return new DetectExceptionsOutput(params, rules, context)
  },
})

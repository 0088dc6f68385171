import { defineParser, type PluginContext } from '../config/define.ts'
import { bool, positionOf, regexp, string } from '../config/schema.ts'
import { ConfigError } from '../core/errors.ts'
import type { Parser } from '../core/parser.ts'
import { compileRegexpSource, deferredRegexp, type LineMatcher } from '../text/regexp.ts'
import { createParserBase, type ParserValues, parserParams } from './base.ts'
import { regexpRecords } from './regexp-records.ts'

const expressionText =
  'The expression, `/…/` with the options i, m and x, or without slashes. Its named groups are the fields.'

const regexpParams = {
  ...parserParams,
  time_key: string({ description: "The field that holds the event's time.", default: 'time' }),
  ignorecase: bool({
    description: 'Letter case does not matter.',
    default: false,
    deprecated: 'write /pattern/i instead',
  }),
  multiline: bool({
    description: 'A dot matches newlines too.',
    default: false,
    deprecated: 'write /pattern/m instead',
  }),
} as const

export type RegexpValues = ParserValues & {
  readonly expression: LineMatcher
  readonly ignorecase: boolean
  readonly multiline: boolean
}

export const regexpParser = defineParser({
  name: 'regexp',
  summary: 'Takes fields from the named groups of a regular expression.',
  shape: {
    params: {
      ...regexpParams,
      expression: regexp({ description: expressionText, required: true }),
    },
  },
  create: createRegexpParser,
})

const accessTimeFormat = '%d/%b/%Y:%H:%M:%S %z'

export const apacheParser = defineParser({
  name: 'apache',
  summary: "Reads lines of Apache's access log, all fields as text.",
  shape: {
    params: {
      ...regexpParams,
      time_format: string({ description: "The time's form.", default: accessTimeFormat }),
      expression: regexp({
        description: expressionText,
        default: deferredRegexp(
          '/^(?<host>[^ ]*) [^ ]* (?<user>[^ ]*) \\[(?<time>[^\\]]*)\\] "(?<method>\\S+)(?: +(?<path>[^ ]*) +\\S*)?" (?<code>[^ ]*) (?<size>[^ ]*)(?: "(?<referer>[^"]*)" "(?<agent>[^"]*)")?$/',
        ),
      }),
    },
  },
  create: createRegexpParser,
})

export const apacheErrorParser = defineParser({
  name: 'apache_error',
  summary: "Reads lines of Apache's error log.",
  shape: {
    params: {
      ...regexpParams,
      expression: regexp({
        description: expressionText,
        default: deferredRegexp(
          '/^\\[[^ ]* (?<time>[^\\]]*)\\] \\[(?<level>[^\\]]*)\\](?: \\[pid (?<pid>[^\\]]*)\\])?( \\[client (?<client>[^\\]]*)\\])? (?<message>.*)$/',
        ),
      }),
    },
  },
  create: createRegexpParser,
})

export const nginxParser = defineParser({
  name: 'nginx',
  summary: "Reads lines of nginx's access log, all fields as text.",
  shape: {
    params: {
      ...regexpParams,
      time_format: string({ description: "The time's form.", default: accessTimeFormat }),
      expression: regexp({
        description: expressionText,
        default: deferredRegexp(
          '/^(?<remote>[^ ]*) (?<host>[^ ]*) (?<user>[^ ]*) \\[(?<time>[^\\]]*)\\] "(?<method>\\S+)(?: +(?<path>[^"]*?)(?: +\\S*)?)?" (?<code>[^ ]*) (?<size>[^ ]*)(?: "(?<referer>[^"]*)" "(?<agent>[^"]*)"(?:\\s+"?(?<http_x_forwarded_for>[^"]*)"?)?)?$/',
        ),
      }),
    },
  },
  create: createRegexpParser,
})

export function createRegexpParser(params: RegexpValues, context: PluginContext): Parser {
  const base = createParserBase(params, context)
  const position = positionOf(params, 'expression')
  // The old parameters take the place of the options behind the expression.
  const oldFlags = `${params.ignorecase ? 'i' : ''}${params.multiline ? 'm' : ''}`
  const { expression } = params
  const matcher =
    oldFlags === '' ? expression : compileRegexpSource(expression.source, position, oldFlags)
  if (matcher.names.length === 0) {
    throw new ConfigError(
      "No named captures in 'expression' parameter. The regexp must have at least one named capture",
      { position, hint: 'name a group: (?<field>…)' },
    )
  }
  const { timeKey, keepTimeKey } = params
  const plain = base.isPlain ? { timeKey, keepTimeKey, base } : undefined
  return regexpRecords(matcher, base.finish, plain)
}

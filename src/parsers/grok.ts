import { defineParser, type PluginContext } from '../config/define.ts'
import { type Bound, bool, enumeration, positionOf, section, string } from '../config/schema.ts'
import { ConfigError } from '../core/errors.ts'
import type { Host } from '../core/host.ts'
import { type Parsed, type Parser, ParserError } from '../core/parser.ts'
import type { MsgValue } from '../core/value.ts'
import { compileRegexpSource } from '../text/regexp.ts'
import { createParserBase, parserParams } from './base.ts'
import { expandGrok, readPatterns } from './grok-expand.ts'
import { builtInPatterns } from './grok-series.ts'
import { createRegexpParser, type RegexpValues } from './regexp.ts'

/** Bytes of a file of patterns, and how many files of a folder are read. */
const patternFileLimitBytes = 1024 * 1024
const patternFilesLimit = 200

const grokShape = {
  params: {
    ...parserParams,
    grok_pattern: string({
      description: 'The pattern: `%{NAME}`, `%{NAME:field}`, `%{NAME:field:type}` and text.',
    }),
    custom_pattern_path: string({
      description:
        'A file, or a folder of files, with patterns of your own: a name, a blank and an expression on each line.',
    }),
    grok_failure_key: string({
      description: 'The field that says so where no pattern matches.',
    }),
    grok_name_key: string({
      description:
        'The field that gets the name of the <grok> section that matched, or its number.',
    }),
    grok_pattern_series: enumeration(['legacy', 'ecs-v1'], {
      description:
        'Which patterns: with plain names of fields, or with those of the Elastic Common Schema.',
      default: 'legacy',
      differs:
        'Every name of Logstash is there, with its fields; some expressions of aws, bacula, Bro and Zeek, Exim, firewalls, JunOS and Nagios are stricter or wider.',
    }),
  },
  sections: {
    grok: section(
      {
        params: {
          name: string({ description: 'Its name, for grok_name_key.' }),
          pattern: string({ description: 'The pattern.', required: true }),
          keep_time_key: bool({
            description: 'Leave the time field in the record.',
            default: false,
          }),
          time_key: string({ description: 'The field that holds the time.', default: 'time' }),
          time_format: string({ description: "The time's form." }),
          timezone: string({ description: 'The zone of times without one.' }),
        },
      },
      { description: 'A pattern; of several the first that matches counts.', multi: true },
    ),
  },
} as const

type GrokParams = Bound<typeof grokShape>

const summary = 'Takes fields from texts by grok patterns.'
const description =
  'A text that no pattern matches becomes a record with the field `message`. The patterns are those of Logstash (Apache License 2.0).'

/** As fluent-plugin-grok-parser 2.6. */
export const grokParser = defineParser({
  name: 'grok',
  summary,
  description,
  shape: grokShape,
  create: (params, context) => createGrokParser(params, context, false),
})

export const multilineGrokParser = defineParser({
  name: 'multiline_grok',
  summary: 'Takes fields from texts of several lines by grok patterns.',
  description: `${description} A dot matches newlines too.`,
  shape: {
    ...grokShape,
    params: {
      ...grokShape.params,
      multiline_start_regexp: string({
        description:
          'An expression, between slashes, for the first line of an event. For sources that read lines one by one; a filter gets whole texts and only checks it.',
      }),
    },
  },
  create(params, context) {
    const written = params.multilineStartRegexp
    if (written !== undefined) {
      const position = positionOf(params, 'multilineStartRegexp')
      const source = /^\/([\s\S]*)\/$/.exec(written)?.[1]
      if (source === undefined) {
        throw new ConfigError(`multiline_start_regexp must stand between slashes: ${written}`, {
          position,
        })
      }
      compileRegexpSource(source, position)
    }
    return createGrokParser(params, context, true)
  },
})

interface Named {
  readonly name: MsgValue
  readonly parser: Parser
}

function createGrokParser(params: GrokParams, context: PluginContext, multiline: boolean): Parser {
  const patterns = patternsOf(params, context.host)
  const parsers = parsersOf(params, context, { patterns, multiline })
  const { noTime } = createParserBase(params, context)
  const { grokNameKey, grokFailureKey } = params
  const unmatched = (text: MsgValue): Parsed => {
    const record = new Map<MsgValue, MsgValue>([['message', text]])
    if (grokFailureKey !== undefined) record.set(grokFailureKey, 'No grok pattern matched')
    return { time: noTime(), record }
  }
  return {
    parse(text) {
      for (const { name, parser } of parsers) {
        const [item] = parser.parse(text)
        // A time that is none ends the attempt, as bytes that are not UTF-8 do, which the caller may replace.
        if (item instanceof ParserError) return [item]
        if (item === undefined || item.time === undefined) continue
        if (grokNameKey !== undefined) item.record.set(grokNameKey, name)
        return [item]
      }
      return [unmatched(text)]
    },
  }
}

function parsersOf(
  params: GrokParams,
  context: PluginContext,
  options: { patterns: ReadonlyMap<string, string>; multiline: boolean },
): Named[] {
  const flags = options.multiline ? 'm' : ''
  const make = (written: string, from: object, more: Partial<RegexpValues>, place: string) => {
    const position = positionOf(from, place)
    const { source, types } = expandGrok(written, options.patterns, position)
    const expression = compileRegexpSource(source, position, flags)
    const own = { ignorecase: false, multiline: false, expression, ...more }
    const hasTypes = Object.keys(types).length > 0
    const values = { ...own, ...(hasTypes ? { types } : {}) }
    const described = Object.entries(values).map(([key, value]) => [key, { value }])
    return createRegexpParser(Object.create(from, Object.fromEntries(described)), context)
  }
  if (params.grokPattern !== undefined) {
    const more = { timeKey: params.timeKey ?? 'time' }
    return [{ name: 'grok_pattern', parser: make(params.grokPattern, params, more, 'grokPattern') }]
  }
  if (params.grok.length === 0) {
    throw new ConfigError('no grok patterns: grok_pattern or <grok> is required', {
      position: positionOf(params),
    })
  }
  return params.grok.map((grok, index) => {
    const more: Partial<RegexpValues> = {
      ...standardValues,
      timeKey: grok.timeKey,
      timeFormat: grok.timeFormat ?? params.timeFormat,
      timezone: grok.timezone ?? params.timezone,
      keepTimeKey: grok.keepTimeKey || params.keepTimeKey,
    }
    return { name: grok.name ?? index, parser: make(grok.pattern, grok, more, 'pattern') }
  })
}

/** What a <grok> section does not say is as regexp has it. */
const standardValues: Partial<RegexpValues> = {
  types: undefined,
  timeType: 'string',
  timeFormatFallbacks: [],
  localtime: true,
  utc: false,
  estimateCurrentEvent: true,
  nullValuePattern: undefined,
  nullEmptyString: false,
  timeout: undefined,
}

/** Those built in, and over them those of files: read here, at start, as the patterns are what is to be checked. */
function patternsOf(params: GrokParams, host: Host): ReadonlyMap<string, string> {
  const patterns = builtInPatterns(params.grokPatternSeries)
  if (params.customPatternPath === undefined) return patterns
  for (const path of patternFiles(params.customPatternPath, params, host)) {
    const bytes = host.disk.readFileSync(path)
    if (bytes.length > patternFileLimitBytes) {
      throw new ConfigError(`${path} is too large for a file of patterns`, {
        position: positionOf(params, 'customPatternPath'),
      })
    }
    for (const [name, pattern] of readPatterns(Buffer.from(bytes).toString('utf8'))) {
      patterns.set(name, pattern)
    }
  }
  return patterns
}

function patternFiles(path: string, params: GrokParams, { disk }: Host): string[] {
  const stat = disk.statSync(path)
  if (stat === undefined) {
    throw new ConfigError(`custom_pattern_path: there is no ${path}`, {
      position: positionOf(params, 'customPatternPath'),
    })
  }
  if (stat.kind !== 'directory') return [path]
  const names = disk.readdirSync(path).sort().slice(0, patternFilesLimit)
  return names
    .map((name) => `${path}/${name}`)
    .filter((file) => disk.statSync(file)?.kind === 'file')
}

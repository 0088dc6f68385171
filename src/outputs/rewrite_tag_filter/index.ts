import { outputParams } from '../../buffer/sections.ts'
import { defineOutput } from '../../config/define.ts'
import {
  type Bound,
  bool,
  enumeration,
  positionOf,
  regexp,
  section,
  string,
} from '../../config/schema.ts'
import { ConfigError } from '../../core/errors.ts'
import { RewriteTagOutput } from './output.ts'

const ruleShape = {
  params: {
    key: string({ description: 'The field: a key, or a path such as $.a.b.', required: true }),
    pattern: regexp({ description: 'Tried on the field as text.', required: true }),
    tag: string({
      description:
        'The new tag. `$1` is what a group of the pattern holds; `${tag}`, `${tag_parts[0]}` and `${hostname}` (or `__TAG__`, `__TAG_PARTS[0]__`, `__HOSTNAME__`) are filled in.',
      required: true,
    }),
    label: string({ description: 'The label the event goes to; else it goes where it came from.' }),
    invert: bool({
      description:
        'The rule holds where the pattern is not found, also in a field that is missing.',
      default: false,
    }),
  },
} as const

const shape = {
  params: {
    ...outputParams,
    capitalize_regex_backreference: bool({
      description:
        'What groups hold begins with a capital in the new tag, the rest in small letters.',
      default: false,
    }),
    remove_tag_prefix: string({
      description: 'Taken away from the old tag, with the dot behind it, before it is filled in.',
    }),
    remove_tag_regexp: regexp({
      description: 'What it finds first is taken away from the old tag before it is filled in.',
    }),
    hostname_command: string({
      description:
        'Which host name `${hostname}` is: `hostname`, or `hostname -s` for its first part.',
      default: 'hostname',
      differs: 'No command is run: other commands are an error.',
    }),
    emit_mode: enumeration(['record', 'batch'], {
      description:
        '`batch`: all events of a batch with one new tag go on together; `record`: all go on in the order they came in.',
      default: 'batch',
    }),
  },
  sections: {
    rule: section(ruleShape, {
      description: 'Tried in the order of the file; the first that holds gives the tag.',
      multi: true,
    }),
  },
} as const

export type RewriteTagParams = Bound<typeof shape>

/** As fluent-plugin-rewrite-tag-filter 2.4. */
export const rewriteTagFilterOutput = defineOutput({
  name: 'rewrite_tag_filter',
  summary: 'Gives events a new tag by what their fields hold, and routes them anew.',
  description:
    'Events for which no rule holds, or whose tag stays the same, are dropped, and counted with the reason `not_rewritten`. Events that rules send round in a circle are given up and counted.',
  shape,
  create(params, context) {
    if (params.rule.length === 0) {
      throw new ConfigError('missing rewriterules', {
        position: positionOf(params),
        hint: 'add a <rule> with key, pattern and tag (the old rewriterule1 … are no longer known)',
      })
    }
    refuseTwice(params)
    if (params.removeTagPrefix !== undefined && params.removeTagRegexp !== undefined) {
      throw new ConfigError('remove_tag_prefix and remove_tag_regexp are exclusive', {
        position: positionOf(params, 'removeTagRegexp'),
      })
    }
    return new RewriteTagOutput(params, hostnameBy(params, context.host.hostname), context)
  },
})

function refuseTwice(params: RewriteTagParams): void {
  const seen = new Set<string>()
  for (const rule of params.rule) {
    const words = `${rule.key}${rule.invert ? '!' : ''}${rule.pattern}`
    if (seen.has(words)) {
      throw new ConfigError(
        'duplicated rewriterules found: a rule with this key and pattern stands above',
        {
          position: positionOf(rule, 'pattern'),
        },
      )
    }
    seen.add(words)
    if (/(?:\$\{tag_parts|__TAG_PARTS)\[\d\.\.\.?\d\]/.test(rule.tag)) {
      throw new ConfigError('${tag_parts[n]} and __TAG_PARTS[n]__ take one number, no range', {
        position: positionOf(rule, 'tag'),
        hint: 'write the parts one by one: ${tag_parts[0]}.${tag_parts[1]}',
      })
    }
  }
}

function hostnameBy(params: RewriteTagParams, hostname: string): string {
  const words = params.hostnameCommand.trim().split(/\s+/).join(' ')
  if (words === 'hostname') return hostname
  if (words === 'hostname -s' || words === 'hostname --short') return hostname.split('.')[0] ?? ''
  throw new ConfigError(`hostname_command \`${params.hostnameCommand}\` is not run`, {
    position: positionOf(params, 'hostnameCommand'),
    hint: `\`hostname\` and \`hostname -s\` are known; else write the name into the tag, also as "#{ENV['NAME']}"`,
  })
}

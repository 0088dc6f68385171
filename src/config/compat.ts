import { ConfigError } from '../core/errors.ts'
import type { Findings } from './diagnostics.ts'
import type { Element, Setting } from './element.ts'
import type { RegisteredPlugin } from './registry.ts'
import type { PluginKind } from './schema.ts'

/**
 * Parameters of Fluentd before 0.14, which stood flat in a plugin's section: `format json`,
 * `buffer_type file`, `include_time_key`. Fluentd moves them to <parse>, <format>, <buffer>,
 * <inject> and <extract> for the plugins below (plugin_helper/compat_parameters.rb); so do we, with
 * a warning. Only where that section is not written.
 */

type Part = 'parse' | 'format' | 'buffer' | 'inject' | 'extract'

const plugins: Readonly<Record<string, { parts: readonly Part[]; chunkKey?: string }>> = {
  'filter parser': { parts: ['parse'] },
  'filter stdout': { parts: ['inject', 'format'] },
  'source exec': { parts: ['extract', 'parse'] },
  'source http': { parts: ['parse'] },
  'source syslog': { parts: ['parse'] },
  'source tail': { parts: ['parse'] },
  'source tcp': { parts: ['parse'] },
  'source udp': { parts: ['parse'] },
  'output exec': { parts: ['inject', 'format', 'buffer'], chunkKey: 'time' },
  'output exec_filter': { parts: ['buffer'] },
  'output file': { parts: ['format', 'buffer', 'inject'], chunkKey: 'time' },
  'output forward': { parts: ['buffer'], chunkKey: 'tag' },
  'output stdout': { parts: ['inject', 'format'] },
}

/** Old name → name in the section; null: its meaning is made below. */
type Names = Readonly<Record<string, string | null>>

function same(words: string): Names {
  return Object.fromEntries(words.split(' ').map((word) => [word, word]))
}

const names: Readonly<Record<Part, Names>> = {
  buffer: {
    buffer_type: '@type',
    buffer_path: 'path',
    num_threads: 'flush_thread_count',
    flush_interval: 'flush_interval',
    try_flush_interval: 'flush_thread_interval',
    queued_chunk_flush_interval: 'flush_thread_burst_interval',
    disable_retry_limit: 'retry_forever',
    retry_limit: 'retry_max_times',
    max_retry_wait: 'retry_max_interval',
    buffer_chunk_limit: 'chunk_limit_size',
    buffer_queue_limit: 'queue_limit_length',
    buffer_queue_full_action: 'overflow_action',
    flush_at_shutdown: 'flush_at_shutdown',
    time_slice_format: null,
    time_slice_wait: 'timekey_wait',
    timezone: 'timekey_zone',
    localtime: null,
    utc: null,
  },
  parse: {
    format: null,
    types: null,
    types_delimiter: null,
    types_label_delimiter: null,
    localtime: null,
    utc: null,
    ...same('keys time_key time_format delimiter keep_time_key null_empty_string'),
    ...same('null_value_pattern json_parser label_delimiter format_firstline message_key'),
    ...same('with_priority message_format rfc5424_time_format'),
    // Of several lines: in_tail itself moves them.
    ...same(Array.from({ length: 20 }, (_, i) => `format${i + 1}`).join(' ')),
  },
  inject: {
    include_time_key: null,
    include_tag_key: null,
    localtime: null,
    utc: null,
    time_as_epoch: null,
    ...same('time_key time_format timezone tag_key'),
  },
  extract: {
    localtime: null,
    utc: null,
    time_as_epoch: null,
    ...same('time_key time_format timezone tag_key'),
  },
  format: {
    format: '@type',
    ...same(
      'delimiter force_quotes keys fields json_parser label_delimiter output_time output_tag',
    ),
    ...same('localtime utc timezone message_key add_newline output_type'),
  },
}

/** By themselves they ask for no <buffer>: they only say how a time slice is cut. */
const zoneNames = new Set(['localtime', 'utc'])

export interface CompatResult {
  readonly element: Element
  /** Old names that are dealt with. */
  readonly consumed: ReadonlySet<string>
}

export function withCompatSections(
  kind: PluginKind,
  plugin: RegisteredPlugin,
  element: Element,
  findings: Findings,
): CompatResult {
  const known = plugins[`${kind} ${plugin.name}`]
  const consumed = new Set<string>()
  const added: Element[] = []
  for (const part of known?.parts ?? []) {
    const made = section(part, { plugin, element, findings, chunkKey: known?.chunkKey ?? '' })
    if (made === undefined) continue
    added.push(made.section)
    for (const name of made.used) consumed.add(name)
  }
  if (added.length === 0) return { element, consumed }
  const old = [...consumed].filter((name) => !Object.hasOwn(plugin.shape.params, name))
  const sections = added.map(({ name }) => `<${name}>`).join(', ')
  if (old.length > 0) {
    const first = element.params.find(({ name }) => name === old[0])
    findings.warnings.push({
      message: `old style parameters work as ${sections}: ${old.join(', ')}`,
      position: first?.namePosition ?? element.position,
    })
  }
  return { element: { ...element, children: [...element.children, ...added] }, consumed }
}

interface Request {
  readonly plugin: RegisteredPlugin
  readonly element: Element
  readonly findings: Findings
  readonly chunkKey: string
}

function section(
  part: Part,
  { plugin, element, findings, chunkKey }: Request,
): { section: Element; used: readonly string[] } | undefined {
  if (!Object.hasOwn(plugin.shape.sections ?? {}, part)) return undefined
  if (element.children.some((child) => child.name === part)) return undefined
  const given = new Map(
    element.params
      .filter(({ name }) => Object.hasOwn(names[part], name))
      .map((setting) => [setting.name, setting] as const),
  )
  // A plugin that declares the name itself (flush_interval is none, but `utc` of some is) does not
  // need a section.
  const meant = [...given.keys()].filter(
    (name) =>
      !Object.hasOwn(plugin.shape.params, name) && !(part === 'buffer' && zoneNames.has(name)),
  )
  if (meant.length === 0) return undefined
  const params = [...given.values()].flatMap((setting) => renamed(setting, names[part]))
  const setting = makeSetting(given, params, findings)
  let argument = ''
  if (part === 'buffer') argument = bufferTime(given, chunkKey, setting)
  else if (part === 'parse') parseFormat(given, setting)
  if (part === 'inject' || part === 'extract') timeAndTag(part, setting)
  if (part === 'parse' || part === 'inject' || part === 'extract') zone(given, setting)
  const { position } = element
  return {
    section: { name: part, argument, params, children: [], position, argumentPosition: undefined },
    used: [...given.keys()],
  }
}

function renamed(setting: Setting, table: Names): Setting[] {
  const name = table[setting.name]
  if (typeof name !== 'string') return []
  const exception = setting.name === 'buffer_queue_full_action' && setting.value === 'exception'
  return [{ ...setting, name, ...(exception && { value: 'throw_exception' }) }]
}

interface Maker {
  has(name: string): boolean
  text(name: string): string | undefined
  isTrue(name: string): boolean
  /** Sets a parameter of the section, at the place of the old one; `weak`: unless it is there. */
  set(name: string, value: string, from: string, weak?: boolean): void
  error(message: string, from: string): void
}

function makeSetting(
  given: ReadonlyMap<string, Setting>,
  params: Setting[],
  findings: Findings,
): Maker {
  return {
    has: (name) => given.has(name),
    text: (name) => given.get(name)?.value,
    isTrue: (name) => given.has(name) && !['false', 'no'].includes(given.get(name)?.value ?? ''),
    set(name, value, from, weak = false) {
      const index = params.findIndex((one) => one.name === name)
      if (weak && index >= 0) return
      const { namePosition, valuePosition } = given.get(from)!
      const setting = { name, value, namePosition, valuePosition }
      if (index >= 0) params[index] = setting
      else params.push(setting)
    },
    error(message, from) {
      findings.errors.push(new ConfigError(message, { position: given.get(from)!.namePosition }))
    },
  }
}

/** Gives the chunk key. */
function bufferTime(given: ReadonlyMap<string, Setting>, chunkKey: string, to: Maker): string {
  const from = [...given.keys()][0]!
  const slice = to.text('time_slice_format')
  if (slice === undefined) {
    if (chunkKey === 'time') to.set('timekey', '86400', from)
    return chunkKey
  }
  const seconds = ['%S', '%M', '%H', '%d'].findIndex((letter) => slice.includes(letter))
  if (seconds < 0) to.error('time_slice_format only with %Y or %m is too long', 'time_slice_format')
  else to.set('timekey', String([1, 60, 3600, 86_400][seconds]), 'time_slice_format')
  if (to.has('localtime')) to.set('timekey_use_utc', String(!to.isTrue('localtime')), 'localtime')
  else if (to.has('utc')) to.set('timekey_use_utc', String(to.isTrue('utc')), 'utc')
  return 'time'
}

function parseFormat(given: ReadonlyMap<string, Setting>, to: Maker): void {
  const format = to.text('format')
  if (format?.startsWith('/') && format.endsWith('/')) {
    to.set('@type', 'regexp', 'format')
    to.set('expression', format, 'format')
  } else if (format !== undefined) to.set('@type', format, 'format')
  const types = to.text('types')
  if (types === undefined || types.startsWith('{') || !given.has('types')) return
  const byName: Record<string, string> = {}
  for (const pair of types.split(to.text('types_delimiter') ?? ',')) {
    const [name = '', ...rest] = pair.split(to.text('types_label_delimiter') ?? ':')
    byName[name] = rest.join(to.text('types_label_delimiter') ?? ':')
  }
  to.set('types', JSON.stringify(byName), 'types')
}

function timeAndTag(part: Part, to: Maker): void {
  if (part === 'inject' && to.isTrue('include_time_key')) {
    to.set('time_key', 'time', 'include_time_key', true)
    to.set('time_type', 'string', 'include_time_key', true)
  }
  if (to.isTrue('time_as_epoch')) {
    to.set('time_key', 'time', 'time_as_epoch', true)
    to.set('time_type', 'unixtime', 'time_as_epoch')
  }
  if (part === 'inject' && to.isTrue('include_tag_key')) {
    to.set('tag_key', 'tag', 'include_tag_key', true)
  }
}

function zone(given: ReadonlyMap<string, Setting>, to: Maker): void {
  if (given.has('localtime') && given.has('utc') && to.isTrue('localtime') === to.isTrue('utc')) {
    to.error('both of utc and localtime are specified, use only one of them', 'utc')
  } else if (given.has('localtime'))
    to.set('localtime', String(to.isTrue('localtime')), 'localtime')
  else if (given.has('utc')) to.set('localtime', String(!to.isTrue('utc')), 'utc')
}

import type { PluginDefinition } from '../src/config/define.ts'
import { refusedPlugins } from '../src/config/known-plugins.ts'
import type { Param, PluginKind, PluginSection, Section, Shape } from '../src/config/schema.ts'
import { isLineMatcher } from '../src/text/regexp.ts'

/** Fluentd's parameters, as its own classes list them (test/fixtures), against what our plugins declare. */

export interface FluentdParam {
  readonly type?: string | null
  readonly default?: unknown
  readonly required?: boolean
  readonly list?: readonly string[]
  readonly alias?: string
  readonly secret?: boolean
  readonly obsoleted?: boolean
  readonly argument?: boolean
  readonly value_type?: string
}
export interface FluentdShape {
  readonly params?: Readonly<Record<string, FluentdParam>>
  readonly sections?: Readonly<Record<string, FluentdShape>>
}
/** Kind → plugin → shape. */
export type FluentdList = Readonly<Record<string, Readonly<Record<string, FluentdShape>>>>

export type Status = 'same' | 'differs' | 'refused' | 'missing'

export interface Row {
  /** `<buffer> timekey` */
  readonly name: string
  readonly status: Status
  /** Fluentd's default, where ours is another. */
  readonly theirs?: string | undefined
  readonly ours?: string | undefined
  readonly text: string
  /** Set where the schema must be mended: what is not explained. */
  readonly gap?: string | undefined
}

/** Beside the kinds of plugins that we have: what stands inside of others here. */
export type RowsKind = PluginKind | 'service_discovery' | 'storage'

export interface PluginRows {
  readonly kind: RowsKind
  readonly name: string
  /** The plugin's own name, where `name` is an alias. */
  readonly page: string
  /** undefined: not built. */
  readonly rows: readonly Row[] | undefined
}

const kinds: Readonly<Record<string, PluginKind>> = {
  input: 'source',
  filter: 'filter',
  output: 'output',
  parser: 'parser',
  formatter: 'formatter',
  buffer: 'buffer',
}

/** Every plugin gets these, whatever it declares; secondary sections hold an output, compared by itself. */
const reserved = new Set(['@type', '@id', '@label', '@log_level'])

export function comparePlugins(
  plugins: readonly PluginDefinition[],
  fluentd: FluentdList,
): PluginRows[] {
  const find = (kind: PluginKind, name: string) =>
    plugins.find(
      (plugin) => plugin.kind === kind && [plugin.name, ...(plugin.aliases ?? [])].includes(name),
    )
  const buffer = find('buffer', 'memory')
  const compared = Object.entries(kinds).flatMap(([theirs, kind]) =>
    Object.entries(fluentd[theirs] ?? {}).map(([name, shape]) => {
      const ours = find(kind, name)
      const why = refusedPlugins[`${kind} ${name}`]
      if (why !== undefined) return { kind, name, page: name, rows: refusedRows(shape, why, '') }
      const rows =
        ours === undefined ? undefined : compareShape(ours.shape, shape, { path: '', buffer })
      return { kind, name, page: ours?.name ?? name, rows }
    }),
  )
  const discovery = find('output', 'forward')?.shape.sections?.service_discovery
  const storage = find('source', 'sample')?.shape.sections?.storage
  return [
    ...compared,
    ...compareInner({ kind: 'service_discovery', page: 'forward' }, discovery, fluentd),
    ...compareInner({ kind: 'storage', page: 'sample' }, storage, fluentd),
  ]
}

/** Plugins of Fluentd that are sections here, which know by their `@type` what counts of their parameters. */
function compareInner(
  of: { kind: RowsKind; page: string },
  ours: Section | PluginSection | undefined,
  fluentd: FluentdList,
): PluginRows[] {
  return Object.entries(fluentd[of.kind] ?? {}).map(([name, shape]) => {
    if (ours === undefined) return { ...of, name, rows: undefined }
    const { unsupported } = ours.options
    if (unsupported !== undefined) {
      return { ...of, name, rows: refusedRows(shape, unsupported, '') }
    }
    if (ours.kind !== 'section') return { ...of, name, rows: undefined }
    // What one type requires is checked when it is made: the other types do not have it.
    const params = Object.entries(shape.params ?? {}).map(([param, it]) => [
      param,
      { ...it, required: false },
    ])
    const theirs = { ...shape, params: Object.fromEntries(params) as FluentdShape['params'] }
    return { ...of, name, rows: compareShape(ours.shape, theirs, { path: '', buffer: undefined }) }
  })
}

/** A row for each parameter of what is refused as a whole. */
function refusedRows(shape: FluentdShape, why: string, path: string): Row[] {
  const params = Object.keys(shape.params ?? {}).filter((name) => !reserved.has(name))
  return [
    ...params.map((name): Row => ({ name: `${path}${name}`, status: 'refused', text: why })),
    ...Object.entries(shape.sections ?? {}).flatMap(([name, section]) =>
      refusedRows(section, why, `${path}<${name}> `),
    ),
  ]
}

/** <system>, which is no plugin. */
export function compareSystem(ours: Shape, theirs: FluentdShape): Row[] {
  return compareShape(ours, theirs, { path: '', buffer: undefined })
}

interface Place {
  readonly path: string
  readonly buffer: PluginDefinition | undefined
}

function compareShape(ours: Shape, theirs: FluentdShape, place: Place): Row[] {
  const rows: Row[] = []
  for (const [name, param] of Object.entries(theirs.params ?? {})) {
    if (reserved.has(name)) continue
    const own = ours.params[name]
    rows.push(compareParam(name, own, own === undefined ? param : withType(param, own), place))
  }
  for (const [name, section] of Object.entries(theirs.sections ?? {})) {
    rows.push(...compareSection(name, ours.sections?.[name], section, place))
  }
  return rows
}

function compareSection(
  name: string,
  ours: Section | PluginSection | undefined,
  theirs: FluentdShape,
  place: Place,
): Row[] {
  const path = `${place.path}<${name}> `
  const title = path.trim()
  if (ours === undefined) return [missing(title, 'the section is not declared')]
  const { unsupported } = ours.options
  if (unsupported !== undefined) return [{ name: title, status: 'refused', text: unsupported }]
  if (ours.kind === 'section') return compareShape(ours.shape, theirs, { ...place, path })
  const rows = [comparePluginType(title, ours, theirs)]
  for (const [param, { argument }] of Object.entries(theirs.params ?? {})) {
    if (argument !== true || name === 'buffer') continue
    const text = 'The argument of the section: a name that nothing asks for, as in Fluentd.'
    rows.push({ name: `${path}${param}`, status: 'same', text })
  }
  if (name === 'buffer' && place.buffer !== undefined) {
    rows.push(...compareBuffer(ours, theirs, { ...place, path }))
  }
  return rows
}

function comparePluginType(title: string, ours: PluginSection, theirs: FluentdShape): Row {
  const name = `${title} @type`
  const wanted = theirs.params?.['@type']?.default ?? undefined
  const given = ours.options.defaultType
  const { differs } = ours.options
  if (wanted === undefined || wanted === given) return { name, status: 'same', text: differs ?? '' }
  return {
    name,
    status: 'differs',
    theirs: shown(wanted),
    ours: shown(given),
    text: differs ?? '',
    gap: differs === undefined ? `@type is ${given}, Fluentd's ${String(wanted)}` : undefined,
  }
}

/** What outputs say of their <buffer>, where it is not what all outputs have. */
function compareBuffer(ours: PluginSection, theirs: FluentdShape, place: Place): Row[] {
  const base = place.buffer?.shape.params ?? {}
  const defaults = ours.options.defaults ?? {}
  const rows: Row[] = []
  for (const [name, param] of Object.entries(theirs.params ?? {})) {
    const own = base[name]
    if (reserved.has(name)) continue
    if (own === undefined) {
      rows.push(missing(`${place.path}${name}`, 'not declared'))
      continue
    }
    const replaced = Object.hasOwn(defaults, name)
    const options = replaced ? { ...own.options, default: defaults[name] } : own.options
    const row = compareParam(name, { ...own, options }, withType(param, own), place)
    const listed = replaced || (row.gap !== undefined && row.status !== 'same')
    if (listed) rows.push(row)
  }
  return rows
}

/** A default alone, as plugins give for the parameters of sections they share, says nothing of the type. */
function withType(param: FluentdParam, own: Param<unknown>): FluentdParam {
  return param.type === undefined ? { ...param, type: own.kind, list: own.values ?? [] } : param
}

function missing(name: string, gap: string): Row {
  return { name, status: 'missing', text: '', gap }
}

function compareParam(
  name: string,
  ours: Param<unknown> | undefined,
  theirs: FluentdParam,
  place: Place,
): Row {
  const title = `${place.path}${name}`
  if (ours === undefined) {
    if (theirs.obsoleted) {
      return { name: title, status: 'refused', text: 'Fluentd refuses it as well.' }
    }
    return missing(title, 'not declared')
  }
  const { options } = ours
  if (options.unsupported !== undefined) {
    return { name: title, status: 'refused', text: options.unsupported }
  }
  const problems = differences(ours, theirs)
  const status: Status = problems.length > 0 || options.differs !== undefined ? 'differs' : 'same'
  const defaultsDiffer = defaultOf(ours) !== defaultText(theirs)
  return {
    name: title,
    status,
    theirs: defaultsDiffer ? defaultText(theirs) : undefined,
    ours: defaultsDiffer ? defaultOf(ours) : undefined,
    text: options.differs ?? '',
    gap: options.differs === undefined && problems.length > 0 ? problems.join('; ') : undefined,
  }
}

function differences(ours: Param<unknown>, theirs: FluentdParam): string[] {
  const problems: string[] = []
  const type = typeText(theirs.type ?? 'string', theirs.list)
  if (typeText(ours.kind, ours.values) !== type) {
    problems.push(`type ${typeText(ours.kind, ours.values)}, Fluentd's ${type}`)
  }
  if (defaultOf(ours) !== defaultText(theirs)) {
    problems.push(`default ${defaultOf(ours)}, Fluentd's ${defaultText(theirs)}`)
  }
  const required = theirs.required === true && (theirs.default ?? undefined) === undefined
  if ((ours.options.required ?? false) !== required) {
    problems.push(required ? 'is not required' : 'is required')
  }
  if (theirs.secret && !ours.options.secret) problems.push('is not secret')
  if (theirs.alias && ours.options.alias !== theirs.alias) problems.push(`no alias ${theirs.alias}`)
  return problems
}

function typeText(type: string, list: readonly string[] | undefined): string {
  return type === 'enum' ? [...(list ?? [])].sort().join(', ') : type
}

function defaultOf(param: Param<unknown>): string {
  const { default: value } = param.options
  return isLineMatcher(value) ? regexpText(value.source) : shown(value)
}

function defaultText({ type, default: value }: FluentdParam): string {
  // The list was made on a machine whose local zone, which is the default, was UTC.
  if (value === '+0000') return 'none'
  if (type === 'regexp' && typeof value === 'string') {
    return regexpText(value.replace(/^\(\?-mix:([\s\S]*)\)$/, '$1'))
  }
  // Parameters without a type are modes of files: the list has them as numbers.
  if (type === null && typeof value === 'number') return `0${value.toString(8)}`
  return shown(value)
}

/** As read: a backslash before a character that stands for itself anyway changes nothing. */
function regexpText(source: string): string {
  return `/${source.replace(/\\(["/])/g, '$1')}/`
}

function shown(value: unknown): string {
  if (value === undefined || value === null) return 'none'
  return typeof value === 'string' && value !== '' ? value : JSON.stringify(value)
}

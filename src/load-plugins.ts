import type { PluginDefinition } from './config/define.ts'
import {
  bindConfig,
  createRegistry,
  type Element,
  type PluginRegistry,
  type RegisteredPlugin,
} from './config/index.ts'
import type { PluginKind } from './config/schema.ts'

/**
 * Where each built-in plugin is, so that a start reads and keeps only what its configuration names
 * (docs/decisions/0007-load-late.md). These are the plugins of plugins.ts: a test compares the two.
 */
export const places: Readonly<Record<string, () => Promise<object>>> = {
  'source dummy': () => import('./sources/sample/index.ts'),
  'source exec': () => import('./sources/exec/index.ts'),
  'source forward': () => import('./sources/forward/index.ts'),
  'source gc_stat': () => import('./sources/gc_stat/index.ts'),
  'source http': () => import('./sources/http/index.ts'),
  'source monitor_agent': () => import('./sources/monitor-agent/index.ts'),
  'source prometheus': () => import('./sources/prometheus/index.ts'),
  'source prometheus_monitor': () => import('./sources/prometheus-monitor/index.ts'),
  'source prometheus_output_monitor': () => import('./sources/prometheus-output-monitor/index.ts'),
  'source prometheus_tail_monitor': () => import('./sources/prometheus-tail-monitor/index.ts'),
  'source sample': () => import('./sources/sample/index.ts'),
  'source syslog': () => import('./sources/syslog/index.ts'),
  'source tail': () => import('./sources/tail/index.ts'),
  'source tcp': () => import('./sources/tcp/index.ts'),
  'source udp': () => import('./sources/udp/index.ts'),
  'source unix': () => import('./sources/forward/unix.ts'),

  'filter concat': () => import('./filters/concat/index.ts'),
  'filter grep': () => import('./filters/grep/index.ts'),
  'filter parser': () => import('./filters/parser/index.ts'),
  'filter prometheus': () => import('./filters/prometheus/index.ts'),
  'filter record_modifier': () => import('./filters/record_modifier/index.ts'),
  'filter record_transformer': () => import('./filters/record_transformer/index.ts'),
  'filter rename_key': () => import('./filters/rename_key/index.ts'),
  'filter stdout': () => import('./filters/stdout/index.ts'),

  'output buffer': () => import('./outputs/buffer/index.ts'),
  'output copy': () => import('./outputs/copy/index.ts'),
  'output detect_exceptions': () => import('./outputs/detect_exceptions/index.ts'),
  'output exec': () => import('./outputs/exec/index.ts'),
  'output exec_filter': () => import('./outputs/exec_filter/index.ts'),
  'output file': () => import('./outputs/file/index.ts'),
  'output forward': () => import('./outputs/forward/index.ts'),
  'output http': () => import('./outputs/http/index.ts'),
  'output null': () => import('./outputs/null/index.ts'),
  'output prometheus': () => import('./outputs/prometheus/index.ts'),
  'output record_modifier': () => import('./outputs/record_modifier/index.ts'),
  'output relabel': () => import('./outputs/relabel/index.ts'),
  'output rename_key': () => import('./outputs/rename_key/index.ts'),
  'output rewrite_tag_filter': () => import('./outputs/rewrite_tag_filter/index.ts'),
  'output roundrobin': () => import('./outputs/roundrobin/index.ts'),
  'output secondary_file': () => import('./outputs/secondary_file/index.ts'),
  'output stdout': () => import('./outputs/stdout/index.ts'),
}

/** Small ones that are seldom alone. */
const groups: Readonly<Partial<Record<PluginKind, () => Promise<object>>>> = {
  parser: () => import('./parsers/index.ts'),
  formatter: () => import('./formatters/index.ts'),
  buffer: () => import('./buffer/types.ts'),
}

/** What a plugin of the kind and name would be loaded from; undefined: there is none. */
function placeOf(kind: PluginKind, name: string): (() => Promise<object>) | undefined {
  return (
    groups[kind] ??
    (Object.hasOwn(places, `${kind} ${name}`) ? places[`${kind} ${name}`] : undefined)
  )
}

/** All built-in plugins. */
export async function allPlugins(): Promise<readonly PluginDefinition[]> {
  return (await import('./plugins.ts')).plugins
}

/**
 * The plugins that a configuration names, of the built-in ones and `own`. All of them where it has errors, which say what
 * plugins there are.
 */
export async function pluginsFor(
  root: Element,
  options: {
    own: readonly PluginDefinition[]
    workers?: number | undefined
    workerId?: number | undefined
  },
): Promise<readonly PluginDefinition[]> {
  const { own, ...of } = options
  const loaded = new Set<PluginDefinition>()
  const tried = new Set<() => Promise<object>>()
  for (;;) {
    const wanted = new Set<() => Promise<object>>()
    const registry = watched(createRegistry([...own, ...loaded]), (kind, name) => {
      const place = placeOf(kind, name)
      if (place !== undefined && !tried.has(place)) wanted.add(place)
    })
    const { bound } = bindConfig(root, { registry, ...of })
    if (wanted.size === 0) {
      return bound === undefined ? [...(await allPlugins()), ...own] : [...loaded, ...own]
    }
    for (const place of wanted) {
      tried.add(place)
      for (const definition of definitionsIn(await place())) loaded.add(definition)
    }
  }
}

/** The registry; `missed` is told of each name that is not in it. */
function watched(
  registry: PluginRegistry,
  missed: (kind: PluginKind, name: string) => void,
): PluginRegistry {
  return {
    names: (kind) => registry.names(kind),
    lookup(kind, type): RegisteredPlugin | undefined {
      const found = registry.lookup(kind, type)
      if (found === undefined) missed(kind, type)
      return found
    },
  }
}

/** Those that a module exports, one by one or as a list. */
export function definitionsIn(module: object): PluginDefinition[] {
  return Object.values(module)
    .flat()
    .filter((value): value is PluginDefinition => {
      return typeof value === 'object' && value !== null && 'kind' in value && 'shape' in value
    })
}

import type { PluginKind, Shape } from './schema.ts'

/** What binding needs to know of a plugin; every definition of define.ts is one. */
export interface RegisteredPlugin {
  readonly kind: PluginKind
  /** The @type. */
  readonly name: string
  readonly aliases?: readonly string[]
  readonly shape: Shape
}

export interface PluginRegistry {
  lookup(kind: PluginKind, type: string): RegisteredPlugin | undefined
  /** Names without aliases, sorted. */
  names(kind: PluginKind): readonly string[]
}

/** Throws where two plugins of a kind share a name: that is a bug in the list of plugins. */
export function createRegistry(plugins: Iterable<RegisteredPlugin>): PluginRegistry {
  const byKey = new Map<string, RegisteredPlugin>()
  const names = new Map<PluginKind, string[]>()
  for (const plugin of plugins) {
    for (const name of [plugin.name, ...(plugin.aliases ?? [])]) {
      const key = `${plugin.kind} ${name}`
      if (byKey.has(key)) throw new Error(`bug: two plugins are named ${key}`)
      byKey.set(key, plugin)
    }
    names.set(plugin.kind, [...(names.get(plugin.kind) ?? []), plugin.name].sort())
  }
  return {
    lookup: (kind, type) => byKey.get(`${kind} ${type}`),
    names: (kind) => names.get(kind) ?? [],
  }
}

import type { PluginDefinition } from '../config/define.ts'
import { ConfigError, ConfigErrors } from '../core/errors.ts'
import type { Host } from '../core/host.ts'
import { filesIn, importByName, importFile } from '../host/node-modules.ts'

/**
 * Plugins of others: ES modules in the directories of -p, and the modules of -r. What they export that is a plugin
 * definition can be named in the configuration, like the built-in ones (docs/PLUGINS.md).
 */
export interface PluginPlaces {
  readonly pluginDirectories: readonly string[]
  readonly modules: readonly string[]
}

/** Fluentd's own place for plugins; looked at where it is there. */
const usualDirectory = '/etc/fluent/plugin'

const kinds = ['source', 'filter', 'output', 'parser', 'formatter']

/**
 * Loads them, after the built-in ones: names that are taken are an error. Rejects with ConfigErrors, of everything that
 * is wrong.
 */
export async function loadOwnPlugins(
  places: PluginPlaces,
  {
    log,
    env,
    builtIn,
  }: Pick<Host, 'log' | 'env'> & { builtIn: () => Promise<readonly PluginDefinition[]> },
): Promise<readonly PluginDefinition[]> {
  const usual = env.FLUENT_PLUGIN ?? usualDirectory
  const paths = [usual, ...places.pluginDirectories].flatMap((directory) =>
    modulesIn(directory, { log, quiet: directory === usual }),
  )
  const found: { from: string; definition: PluginDefinition }[] = []
  const errors: ConfigError[] = []
  const collect = async (from: string, load: () => Promise<object>): Promise<void> => {
    try {
      const definitions = definitionsOf(await load(), from)
      if (definitions.length === 0) log.warn('this module has no plugins', { module: from })
      found.push(...definitions.map((definition) => ({ from, definition })))
    } catch (error) {
      errors.push(error instanceof ConfigError ? error : cannotLoad(from, error))
    }
  }
  for (const path of new Set(paths)) await collect(path, () => importFile(path))
  for (const name of places.modules) await collect(name, () => importByName(name))
  if (found.length > 0) errors.push(...clashes(found, await builtIn()))
  if (errors.length > 0) throw new ConfigErrors(errors)
  for (const { from, definition } of found) {
    log.info('plugin loaded', { kind: definition.kind, name: definition.name, from })
  }
  return found.map(({ definition }) => definition)
}

function modulesIn(
  directory: string,
  { log, quiet }: Pick<Host, 'log'> & { quiet: boolean },
): string[] {
  const names = filesIn(directory)
  if (names === undefined && !quiet) log.warn('there is no such plugin directory', { directory })
  const ruby = names?.filter((name) => name.endsWith('.rb')) ?? []
  if (ruby.length > 0) {
    const hint = 'Sluice runs no Ruby: docs/PLUGINS.md says how to write plugins for it'
    log.warn('plugins in Ruby are left out', { directory, files: ruby.join(' '), hint })
  }
  return (names ?? []).filter((name) => /\.m?js$/.test(name)).map((name) => `${directory}/${name}`)
}

function cannotLoad(from: string, error: unknown): ConfigError {
  const { name, message } = error instanceof Error ? error : new Error(String(error))
  return new ConfigError(`cannot load plugins from ${from}: ${name}: ${message}`, {
    hint: 'plugins are ES modules: docs/PLUGINS.md',
  })
}

/** The exports that are definitions, or arrays of them; other things that a module exports are its own business. */
function definitionsOf(exported: object, from: string): PluginDefinition[] {
  const definitions = Object.values(exported).flat().filter(looksLikeDefinition)
  for (const definition of definitions) check(definition, from)
  // What is exported by name and as the default is one.
  return [...new Set(definitions)]
}

function looksLikeDefinition(value: unknown): value is PluginDefinition {
  return typeof value === 'object' && value !== null && 'kind' in value && 'shape' in value
}

function check(definition: PluginDefinition, from: string): void {
  const { kind, name, shape, summary } = definition as unknown as Record<string, unknown>
  const has = (field: string) =>
    typeof (definition as unknown as Record<string, unknown>)[field] === 'function'
  const makes = has('create') || (kind === 'output' && has('createSink'))
  const wrong =
    typeof kind !== 'string' || !kinds.includes(kind)
      ? `kind must be one of ${kinds.join(', ')}`
      : typeof name !== 'string' || !/^[A-Za-z0-9_.-]{1,100}$/.test(name)
        ? 'name must be a text of letters, digits, _, . and -'
        : typeof summary !== 'string'
          ? 'summary must be a text'
          : typeof (shape as { params?: unknown } | null)?.params !== 'object'
            ? 'shape must have params'
            : makes
              ? undefined
              : 'create is missing'
  if (wrong === undefined) return
  throw new ConfigError(`a plugin of ${from} is no definition: ${wrong}`, {
    hint: 'make it with defineFilter and the like, of sluice/plugin',
  })
}

function clashes(
  found: readonly { from: string; definition: PluginDefinition }[],
  builtIn: readonly PluginDefinition[],
): ConfigError[] {
  const taken = new Map<string, string>()
  const namesOf = ({ kind, name, aliases }: PluginDefinition) =>
    [name, ...(aliases ?? [])].map((one) => `${kind} ${one}`)
  for (const definition of builtIn) {
    for (const name of namesOf(definition)) taken.set(name, 'built in')
  }
  const errors: ConfigError[] = []
  for (const { from, definition } of found) {
    for (const name of namesOf(definition)) {
      const before = taken.get(name)
      taken.set(name, from)
      if (before === undefined) continue
      errors.push(
        new ConfigError(`${name} of ${from} is there already (${before})`, {
          hint: 'give it another name',
        }),
      )
    }
  }
  return errors
}

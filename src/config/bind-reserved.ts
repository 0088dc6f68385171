import { ConfigError, type Position } from '../core/errors.ts'
import { logLevels } from '../core/log.ts'
import type { ConfigWarning, Findings } from './diagnostics.ts'
import type { Element, Setting } from './element.ts'
import { kindWords, notBuilt } from './known-plugins.ts'
import type { PluginRegistry, RegisteredPlugin } from './registry.ts'
import type { PluginKind } from './schema.ts'
import { didYouMean } from './suggest.ts'

/** What every plugin's section has: @type, @id, @label, @log_level. */

export interface BindContext extends Findings {
  readonly registry: PluginRegistry
  /** Where each @id was written, for finding it twice. */
  readonly ids: Map<string, Position | undefined>
}

export function createBindContext(registry: PluginRegistry): BindContext {
  return { registry, errors: [] as ConfigError[], warnings: [] as ConfigWarning[], ids: new Map() }
}

const oldNames: Readonly<Record<string, string>> = {
  type: '@type',
  id: '@id',
  log_level: '@log_level',
}

/** `@type` and the like, by their name of today; the old names without `@` work with a warning. */
export function reservedOf(
  kind: PluginKind,
  element: Element,
  context: BindContext,
): Map<string, Setting> {
  const found = new Map<string, Setting>()
  const names = new Set(['@type', '@id', '@label', '@log_level'])
  for (const setting of element.params) {
    if (names.has(setting.name)) found.set(setting.name, setting)
  }
  for (const [old, now] of Object.entries(oldNames)) {
    const setting = element.params.findLast(({ name }) => name === old)
    if (setting === undefined || found.has(now)) continue
    const type = now === '@type' ? setting.value : found.get('@type')?.value
    const shape = type === undefined ? undefined : context.registry.lookup(kind, type)?.shape
    // The plugin may have a parameter of that name; then it means that one.
    if (Object.hasOwn(shape?.params ?? {}, old)) continue
    found.set(now, setting)
    context.warnings.push({
      message: `'${old}' is deprecated parameter name. use '${now}' instead.`,
      position: setting.namePosition,
    })
  }
  return found
}

export function unknownType(from: {
  kind: PluginKind
  type: string
  position: Position
  registry: PluginRegistry
}): ConfigError {
  const { kind, type, position, registry } = from
  const names = registry.names(kind)
  const known = `${kindWords[kind]} plugins are: ${names.join(', ') || 'none'}`
  const elsewhere = notBuilt(kind, type)
  if (elsewhere !== undefined) {
    return new ConfigError(elsewhere.message, { position, hint: elsewhere.hint ?? known })
  }
  const hint = otherKind(kind, type, registry) ?? didYouMean(type, names) ?? known
  return new ConfigError(`Unknown ${kindWords[kind]} plugin '${type}'`, { position, hint })
}

/** The type is one of another section. */
function otherKind(kind: PluginKind, type: string, registry: PluginRegistry): string | undefined {
  const kinds: readonly PluginKind[] = [
    'source',
    'filter',
    'output',
    'parser',
    'formatter',
    'buffer',
  ]
  const found = kinds.filter((one) => one !== kind && registry.lookup(one, type) !== undefined)
  if (found.length === 0) return undefined
  const places = found.map((one) => `${kindWords[one]} plugin, for <${sectionNames[one]}>`)
  return `'${type}' is the name of an ${places.join(', and of an ')}`.replaceAll(
    /\ban (filter|parser|formatter|buffer)/g,
    'a $1',
  )
}

const sectionNames: Readonly<Record<PluginKind, string>> = {
  source: 'source',
  filter: 'filter',
  output: 'match',
  parser: 'parse',
  formatter: 'format',
  buffer: 'buffer',
}

export function idOf(setting: Setting | undefined, context: BindContext): string | undefined {
  const id = setting?.value
  if (setting === undefined || id === undefined || id === '') return undefined
  const before = context.ids.get(id)
  if (context.ids.has(id)) {
    const hint = before && `it stands at ${before.file}:${before.line} already`
    context.errors.push(
      new ConfigError(`Duplicated plugin id \`${id}\``, {
        position: setting.valuePosition,
        ...(hint !== undefined && { hint }),
      }),
    )
  }
  context.ids.set(id, setting.valuePosition)
  return id
}

export function logLevelOf(setting: Setting | undefined, context: BindContext): string | undefined {
  const level = setting?.value
  if (setting === undefined || level === undefined) return undefined
  if (!(logLevels as readonly string[]).includes(level)) {
    const hint = didYouMean(level, logLevels)
    context.errors.push(
      new ConfigError(`'@log_level' must be one of ${logLevels.join(', ')} but got ${level}`, {
        position: setting.valuePosition,
        ...(hint !== undefined && { hint }),
      }),
    )
  }
  return level
}

/**
 * The definition that a plugin section's element has, for whoever walks a tree without binding it.
 */
export function definitionOf(
  kind: PluginKind,
  element: Element,
  registry: PluginRegistry,
  defaultType?: string,
): RegisteredPlugin | undefined {
  const named = (name: string) => element.params.findLast((one) => one.name === name)?.value
  const type = named('@type') ?? named('type') ?? defaultType
  return type === undefined ? undefined : registry.lookup(kind, type)
}

import { ConfigError, type Position } from '../core/errors.ts'
import {
  type BindContext,
  createBindContext,
  idOf,
  logLevelOf,
  reservedOf,
  unknownType,
} from './bind-reserved.ts'
import type { BindResult } from './bind-types.ts'
import { withCompatSections } from './compat.ts'
import type { ConfigWarning } from './diagnostics.ts'
import type { Element, ScalarValue, Setting } from './element.ts'
import { bindParams, camelCase, type Written } from './params.ts'
import type { PluginRegistry } from './registry.ts'
import {
  type Bound,
  type BoundPlugin,
  ORIGIN,
  type PluginKind,
  type PluginSection,
  type Section,
  type Shape,
} from './schema.ts'
import { didYouMean } from './suggest.ts'

/**
 * Elements → values, by the shapes that plugins declare. Everything found is collected; nothing is
 * thrown.
 */

/** Who a section belongs to, for messages. */
interface Owner {
  /** `match **`, `buffer`. */
  readonly title: string
  readonly pluginName: string | undefined
}

/** Binds one plugin's section by its @type. For whole configurations see bindConfig. */
export function bindPlugin(
  kind: PluginKind,
  element: Element,
  registry: PluginRegistry,
): BindResult<BoundPlugin> {
  const context = createBindContext(registry)
  const bound = bindPluginElement(kind, element, context)
  return finish(bound, context)
}

/** Binds a section that is no plugin: <system>, or anything with a shape. */
export function bindSection<S extends Shape>(
  element: Element,
  shape: S,
  registry: PluginRegistry,
): BindResult<Bound<S>> {
  const context = createBindContext(registry)
  const bound = bindPlain(element, shape, context)
  return finish(bound as Bound<S>, context)
}

function finish<T>(bound: T | undefined, { errors, warnings }: BindContext): BindResult<T> {
  return { bound: errors.length === 0 ? bound : undefined, errors, warnings }
}

export function bindPlain(element: Element, shape: Shape, context: BindContext): object {
  const owner = { title: titleOf(element), pluginName: undefined }
  return bindBody({ element, shape, owner, context })
}

export function titleOf({ name, argument }: Element): string {
  return argument === '' ? name : `${name} ${argument}`
}

export interface PluginBinding {
  readonly defaultType?: string | undefined
  /** Stands in for the plugin's own defaults. */
  readonly defaults?: Readonly<Record<string, unknown>> | undefined
  /** Name of the parameter that takes the section's argument. */
  readonly argument?: string | undefined
  readonly written?: boolean
  /** The argument where the file has none (`**` of <match>). */
  readonly defaultArgument?: string
}

/** undefined: the type is missing or unknown; that is among the errors then. */
export function bindPluginElement(
  kind: PluginKind,
  written: Element,
  context: BindContext,
  options: PluginBinding = {},
): BoundPlugin | undefined {
  const reserved = reservedOf(kind, written, context)
  const type = reserved.get('@type')?.value ?? options.defaultType
  if (type === undefined || type === '') {
    const message = `Missing '@type' parameter on <${written.name}> directive`
    const hint = `add a line such as: @type ${context.registry.names(kind)[0] ?? 'forward'}`
    context.errors.push(new ConfigError(message, { position: written.position, hint }))
    return undefined
  }
  const definition = context.registry.lookup(kind, type)
  if (definition === undefined) {
    const position = reserved.get('@type')?.valuePosition ?? written.position
    context.errors.push(unknownType({ kind, type, position, registry: context.registry }))
    return undefined
  }
  const { element, consumed } = withCompatSections(kind, definition, written, context)
  const params = bindBody({
    element,
    shape: definition.shape,
    owner: { title: titleOf(written), pluginName: definition.name },
    context,
    argument: options.argument,
    defaults: options.defaults,
    ignore: new Set([...consumed, ...[...reserved.values()].map(({ name }) => name)]),
    pluginSection: kind !== 'source' && kind !== 'filter' && kind !== 'output',
  })
  return {
    kind,
    type: definition.name,
    id: idOf(reserved.get('@id'), context),
    label: reserved.get('@label')?.value,
    logLevel: logLevelOf(reserved.get('@log_level'), context),
    argument: written.argument === '' ? (options.defaultArgument ?? '') : written.argument,
    definition,
    params: params as BoundPlugin['params'],
    position: written.position,
    written: options.written ?? true,
  }
}

// ---- bodies

interface Body {
  readonly element: Element
  readonly shape: Shape
  readonly owner: Owner
  readonly context: BindContext
  readonly argument?: string | undefined
  readonly defaults?: Readonly<Record<string, unknown>> | undefined
  /** Names that are dealt with already. */
  readonly ignore?: ReadonlySet<string>
  readonly open?: boolean | undefined
  /** A section whose argument means something only by `argument`. */
  readonly pluginSection?: boolean
}

function bindBody(body: Body): object {
  const { element, shape, context } = body
  const { values, positions, left } = bindParams(body)
  bindSections(body, values)
  if (body.open) Object.defineProperties(values, Object.getOwnPropertyDescriptors(extraOf(left)))
  else for (const setting of left) context.warnings.push(unusedParameter(setting, body))
  if (body.pluginSection && body.argument === undefined && element.argument !== '') {
    context.warnings.push({
      message: `the argument of <${titleOf(element)}> is not used.`,
      position: element.argumentPosition,
    })
  }
  for (const child of element.children) {
    if (Object.hasOwn(shape.sections ?? {}, child.name)) continue
    context.warnings.push(unusedSection(child, body))
  }
  Object.defineProperty(values, ORIGIN, { value: { section: element.position, values: positions } })
  return values
}

function extraOf(settings: readonly Written[]) {
  const extra = new Map<string, string>()
  const extraTyped = new Map<string, ScalarValue>()
  const extraPlaces = new Map<string, Position>()
  for (const { name, value, typed, valuePosition } of settings) {
    extra.set(name, value ?? '')
    extraPlaces.set(name, valuePosition)
    if (value === undefined) extraTyped.set(name, null)
    else if (typed !== undefined) extraTyped.set(name, typed)
  }
  // Not among what two sections are compared by: a line further down it says the same.
  return Object.defineProperty({ extra, extraTyped }, 'extraPlaces', { value: extraPlaces })
}

function unusedParameter(setting: Setting, { shape, owner }: Body): ConfigWarning {
  return {
    message: `parameter '${setting.name}' in <${owner.title}> is not used.`,
    position: setting.namePosition,
    hint: didYouMean(setting.name, Object.keys(shape.params)),
  }
}

function unusedSection(child: Element, { shape, owner }: Body): ConfigWarning {
  const of = owner.pluginName === undefined ? '' : ` of ${owner.pluginName} plugin`
  return {
    message: `section <${child.name}> is not used in <${owner.title}>${of}`,
    position: child.position,
    hint: didYouMean(child.name, Object.keys(shape.sections ?? {})),
  }
}

function bindSections(body: Body, values: Record<string, unknown>): void {
  const { element, shape, context } = body
  for (const [name, declared] of Object.entries(shape.sections ?? {})) {
    const children = element.children.filter((child) => child.name === name)
    const { options } = declared
    const first = children[0]
    if (options.unsupported !== undefined && first !== undefined) {
      context.errors.push(new ConfigError(options.unsupported, { position: first.position }))
      continue
    }
    if (first === undefined && options.required) {
      const of = body.owner.pluginName === undefined ? '' : ` (${body.owner.pluginName})`
      // Fluentd ends the sentence at "required".
      context.errors.push(
        new ConfigError(`<${name}> section is required.`, {
          position: element.position,
          hint: `<${body.owner.title}>${of} needs it`,
        }),
      )
    }
    if (children.length > 1 && !options.multi) {
      const message = `'<${name}>' section cannot be written twice or more`
      context.errors.push(new ConfigError(message, { position: children[1]!.position }))
    }
    const bound = children.map((child) => bindChild(declared, child, context))
    if (first === undefined && declared.kind === 'plugin' && declared.options.always) {
      bound.push(bindAlways(name, declared, element, context))
    }
    if (declared.kind === 'plugin') showOuter(declared, values, bound)
    // A parameter and a section may have one name, as `service` of forward's discovery: what is written counts.
    if (bound.length === 0 && values[camelCase(name)] !== undefined) continue
    values[camelCase(name)] = options.multi ? bound : bound[0]
  }
}

/** Hands in what the plugin around a section lets the one inside see. */
function showOuter(
  { options }: PluginSection,
  values: Readonly<Record<string, unknown>>,
  bound: readonly (object | undefined)[],
): void {
  for (const [name, outer] of Object.entries(options.shows ?? {})) {
    for (const inner of bound) {
      if (inner !== undefined)
        Object.assign((inner as BoundPlugin).params, { [name]: values[outer] })
    }
  }
}

function bindChild(
  declared: Section | PluginSection,
  child: Element,
  context: BindContext,
): object | undefined {
  if (declared.kind === 'plugin') {
    const { defaultType, defaults, argument, own, typeParam } = declared.options
    const options = { defaultType, defaults, argument }
    const typed = typeParam === undefined ? child : withType(child, typeParam)
    if (own === undefined) return bindPluginElement(declared.plugin, typed, context, options)
    return bindWithOwn(declared, own, typed, context)
  }
  return bindBody({
    element: child,
    shape: declared.shape,
    owner: { title: titleOf(child), pluginName: undefined },
    context,
    argument: declared.options.argument,
    open: declared.options.open,
    pluginSection: true,
  })
}

/** With `@type` in the place of the parameter that names the type. */
function withType(child: Element, typeParam: string): Element {
  if (child.params.some(({ name }) => name === '@type')) return child
  const params = child.params.flatMap((setting): Setting[] => {
    if (setting.name !== typeParam) return [setting]
    const isExpression = /^\/[\s\S]*\/[imx]*$/.test(setting.value ?? '')
    const type = { ...setting, name: '@type', value: isExpression ? 'regexp' : setting.value }
    return isExpression ? [type, { ...setting, name: 'expression' }] : [type]
  })
  return { ...child, params }
}

/**
 * A plugin's section in which parameters of the plugin around it stand as well (roundrobin's
 * weight).
 */
function bindWithOwn(
  declared: PluginSection,
  own: Shape['params'],
  child: Element,
  context: BindContext,
): BoundPlugin | undefined {
  const { defaultType, defaults, argument } = declared.options
  const isOwn = ({ name }: Setting) => Object.hasOwn(own, name)
  const inner = { ...child, params: child.params.filter((setting) => !isOwn(setting)) }
  const bound = bindPluginElement(declared.plugin, inner, context, {
    defaultType,
    defaults,
    argument,
  })
  const values = bindBody({
    element: { ...child, params: child.params.filter(isOwn), children: [] },
    shape: { params: own },
    owner: { title: titleOf(child), pluginName: undefined },
    context,
  })
  return bound && { ...bound, own: values as Record<string, unknown> }
}

/** The plugin of a section that is not in the file, made of its defaults. */
function bindAlways(
  name: string,
  declared: PluginSection,
  parent: Element,
  context: BindContext,
): BoundPlugin | undefined {
  const { defaultType, defaults, argument } = declared.options
  const { position } = parent
  const element: Element = {
    name,
    argument: '',
    params: [],
    children: [],
    position,
    argumentPosition: undefined,
  }
  const options = { defaultType, defaults, argument, written: false }
  return bindPluginElement(declared.plugin, element, context, options)
}

import { ConfigError, type Position } from '../core/errors.ts'
import { type Findings, maskedFrom } from './diagnostics.ts'
import type { Element, Setting } from './element.ts'
import type { Param, Shape } from './schema.ts'
import { mask } from './secrets.ts'
import { didYouMean } from './suggest.ts'
import { parseValue } from './values.ts'

/** The parameters of one section, by its shape. */

export type Written = Setting

export interface ParamsRequest {
  readonly element: Element
  readonly shape: Shape
  readonly context: Findings
  readonly argument?: string | undefined
  readonly defaults?: Readonly<Record<string, unknown>> | undefined
  readonly ignore?: ReadonlySet<string>
}

export interface ParamsResult {
  /** By camelCase name; every declared parameter is there. */
  readonly values: Record<string, unknown>
  readonly positions: Record<string, Position | undefined>
  /** What is not declared, in the file's order; of one written twice, the last. */
  readonly left: readonly Written[]
}

/** `flush_interval` → flushInterval, `@label` → label. */
export function camelCase(name: string): string {
  return name.replace(/^@/, '').replace(/_([a-z0-9])/gi, (_, c: string) => c.toUpperCase())
}

export function bindParams(request: ParamsRequest): ParamsResult {
  const { shape, context } = request
  const written = lastOfEach(request)
  const values: Record<string, unknown> = Object.create(null)
  const positions: Record<string, Position | undefined> = Object.create(null)
  for (const [name, param] of Object.entries(shape.params)) {
    const key = camelCase(name)
    const setting = settingOf(name, param, request, written)
    written.delete(name)
    if (param.options.alias !== undefined) written.delete(param.options.alias)
    if (setting === undefined) {
      values[key] = defaultOf(name, param, request)
      if (values[key] === undefined && param.options.required) {
        context.errors.push(missing(name, request.element))
      }
      continue
    }
    positions[key] = setting.valuePosition
    values[key] = valueFor(name, param, setting, request)
  }
  for (const name of request.ignore ?? []) written.delete(name)
  return { values, positions, left: [...written.values()] }
}

/** A Map keeps the place of the first and the value of the last, as Ruby's Hash does. */
function lastOfEach({ element, context }: ParamsRequest): Map<string, Written> {
  const written = new Map<string, Written>()
  for (const setting of element.params) {
    if (written.has(setting.name)) {
      context.warnings.push({
        message: `parameter '${setting.name}' is written twice; the last one counts`,
        position: setting.namePosition,
      })
    }
    written.set(setting.name, setting)
  }
  return written
}

function settingOf(
  name: string,
  param: Param<unknown>,
  { element, argument }: ParamsRequest,
  written: ReadonlyMap<string, Written>,
): Written | undefined {
  if (name === argument && element.argument !== '') {
    const position = element.argumentPosition ?? element.position
    return { name, value: element.argument, namePosition: position, valuePosition: position }
  }
  const { alias } = param.options
  return written.get(name) ?? (alias === undefined ? undefined : written.get(alias))
}

function missing(name: string, element: Element): ConfigError {
  const where = element.argument === '' ? element.name : `${element.name} ${element.argument}`
  return new ConfigError(`'${name}' parameter is required in <${where}>`, {
    position: element.position,
  })
}

/** A section's `defaults` may be written as a file has them (`'1d'`), or as values. */
function defaultOf(name: string, param: Param<unknown>, { defaults }: ParamsRequest): unknown {
  if (defaults === undefined || !Object.hasOwn(defaults, name)) return param.options.default
  const value = defaults[name]
  if (typeof value !== 'string' || param.kind === 'string' || param.kind === 'enum') return value
  const outcome = parseValue(param, value)
  if (!outcome.ok) throw new Error(`bug: the default of ${name}: ${outcome.problem}`)
  return outcome.value
}

function valueFor(
  name: string,
  param: Param<unknown>,
  setting: Written,
  request: ParamsRequest,
): unknown {
  const { context } = request
  const { options } = param
  const place = setting.valuePosition
  const position = options.secret ? maskedFrom(place, place.column) : place
  const fail = (message: string, hint?: string) => {
    const details = hint === undefined ? { position } : { position, hint }
    context.errors.push(new ConfigError(message, details))
    return undefined
  }
  if (options.unsupported !== undefined) {
    context.errors.push(
      new ConfigError(`'${setting.name}': ${options.unsupported}`, {
        position: setting.namePosition,
      }),
    )
    return undefined
  }
  if (options.deprecated !== undefined) {
    context.warnings.push({
      message: `'${setting.name}' parameter is deprecated: ${options.deprecated}`,
      position: setting.namePosition,
    })
  }
  const standard = defaultOf(name, param, request)
  if (setting.useDefault) {
    return standard === undefined && options.required
      ? fail(`'${name}' doesn't have default value`)
      : standard
  }
  if (setting.value === undefined) {
    return standard === undefined && !options.required
      ? undefined
      : fail(`'${name}' parameter is required but nil is specified`)
  }
  const outcome = parseValue(param, setting.value)
  if (!outcome.ok) {
    const near = param.values && didYouMean(setting.value, param.values)
    return fail(`'${setting.name}' ${masked(param, outcome.problem)}`, near ?? outcome.hint)
  }
  const wrong = options.check?.(outcome.value as never)
  if (wrong !== undefined) {
    const got = setting.value === '' ? 'nothing' : setting.value
    return fail(`'${setting.name}' ${wrong}, but got ${options.secret ? mask : got}`)
  }
  return outcome.value
}

/** A secret's text is not repeated in an error. */
function masked(param: Param<unknown>, problem: string): string {
  return param.options.secret ? problem.replace(/,? but got .*$/s, '') : problem
}

import type { Position } from '../core/errors.ts'
import type { LineMatcher } from '../text/regexp.ts'
import type { ScalarValue } from './element.ts'

/**
 * The parameter DSL: a plugin declares its parameters and sections once, and gets parsing, TypeScript types, errors
 * with a place, "did you mean", unused-parameter warnings, masking of secrets and reference pages from it.
 * Names are Fluentd's (`flush_interval`); in TypeScript they are camelCase (`params.flushInterval`).
 */

// ---- parameters

export interface ParamOptions<T> {
  /** One sentence or more, for the reference page. */
  readonly description: string
  readonly default?: T
  readonly required?: boolean
  /** Another name that is accepted. */
  readonly alias?: string
  /** Still works; a warning says this sentence. */
  readonly deprecated?: string
  /** Value is never printed: in logs, dumps, the monitor API. */
  readonly secret?: boolean
  /** Accepted by Fluentd, not by us (yet): using it is a configuration error that says this sentence. */
  readonly unsupported?: string
  /** A sentence where our default or meaning differs from Fluentd's, for COMPATIBILITY.md. */
  readonly differs?: string
  /** Not Fluentd's: a parameter of our own. */
  readonly ours?: boolean
  /** Returns what is wrong with the value, as `expected …`, or undefined. */
  readonly check?: (value: T) => string | undefined
}

export type ParamKind =
  | 'string' // '' stays ''
  | 'integer' // 12, 0x1f, -3: nothing behind the digits
  | 'float'
  | 'bool' // true yes on / false no off; a parameter without a value is true
  | 'size' // bytes: 8m, 1g, 512k, 100 (powers of 1024)
  | 'time' // seconds as a float: 10s, 5m, 1h, 2d, 0.5
  | 'enum'
  | 'array' // JSON array, or a,b,c
  | 'hash' // JSON object, or a:b,c:d
  | 'regexp' // /…/ with i, m, x; Ruby's syntax translated where it differs

/** A declared parameter. The type argument is what `params.name` has. */
export interface Param<T> {
  readonly kind: ParamKind
  readonly options: ParamOptions<unknown>
  /** enum: the words allowed. */
  readonly values?: readonly string[]
  /** array, hash: kind of the items (default 'string' for array; hash values stay as they are). */
  readonly items?: ParamKind | undefined
  /** Only for types. */
  readonly _type?: T
}

type Outcome<T, O> = O extends { required: true } | { default: T } ? T : T | undefined

function make<T>(kind: ParamKind) {
  return <const O extends ParamOptions<T>>(options: O): Param<Outcome<T, O>> => ({
    kind,
    options: options as ParamOptions<unknown>,
  })
}

export const string = make<string>('string')
export const integer = make<number>('integer')
export const float = make<number>('float')
export const bool = make<boolean>('bool')
/** Bytes. */
export const size = make<number>('size')
/** Seconds. */
export const time = make<number>('time')
/** Ruby's syntax; tried on texts of up to 1 Mi characters. */
export const regexp = make<LineMatcher>('regexp')

export function enumeration<
  const V extends readonly string[],
  const O extends ParamOptions<V[number]>,
>(values: V, options: O): Param<Outcome<V[number], O>> {
  return { kind: 'enum', values, options: options as ParamOptions<unknown> }
}

export function array<const O extends ParamOptions<readonly string[]>>(
  options: O,
): Param<Outcome<readonly string[], O>> {
  return { kind: 'array', items: 'string', options: options as ParamOptions<unknown> }
}

export function integers<const O extends ParamOptions<readonly number[]>>(
  options: O,
): Param<Outcome<readonly number[], O>> {
  return { kind: 'array', items: 'integer', options: options as ParamOptions<unknown> }
}

/** JSON values as JSON.parse gives them; in the `k:v,…` form all are strings. */
export type HashValue = { readonly [key: string]: unknown }
export function hash<const O extends ParamOptions<HashValue>>(
  options: O,
): Param<Outcome<HashValue, O>> {
  return { kind: 'hash', options: options as ParamOptions<unknown> }
}

// ---- sections

export interface SectionOptions {
  readonly description: string
  readonly required?: boolean
  /** May stand more than once: the bound value is an array. */
  readonly multi?: boolean
  /** Name of the parameter that takes the section's argument (`<buffer tag,time>` → 'chunk_keys'). */
  readonly argument?: string
  /** Accepted by Fluentd, not by us (yet): a configuration error that says this sentence. */
  readonly unsupported?: string
  /** A sentence where the section's meaning, or its default @type, differs from Fluentd's. */
  readonly differs?: string
  /**
   * Parameters that are not declared are kept as written, in `extra` (record_transformer's <record>,
   * prometheus' <labels>), with their evaluated text.
   */
  readonly open?: boolean
}

export interface Shape {
  readonly params: Readonly<Record<string, Param<unknown>>>
  readonly sections?: Readonly<Record<string, Section | PluginSection>>
}

export interface Section<S extends Shape = Shape, O extends SectionOptions = SectionOptions> {
  readonly kind: 'section'
  readonly shape: S
  readonly options: O
}

export function section<const S extends Shape, const O extends SectionOptions>(
  shape: S,
  options: O,
): Section<S, O> {
  return { kind: 'section', shape, options }
}

export type PluginKind = 'source' | 'filter' | 'output' | 'parser' | 'formatter' | 'buffer'

/** A section that holds a plugin of its own: <store>, <secondary> (output), <parse>, <format>, <buffer>. */
export interface PluginSection<O extends PluginSectionOptions = PluginSectionOptions> {
  readonly kind: 'plugin'
  readonly plugin: PluginKind
  readonly options: O
}

export interface PluginSectionOptions extends SectionOptions {
  /** The @type where none is written. Without a default a missing @type is an error. */
  readonly defaultType?: string
  /**
   * Bind it with its defaults even where the section is absent (`<format>` of most outputs). Then the
   * bound value is never undefined.
   */
  readonly always?: boolean
  /** Values that stand in for the plugin's own defaults here (out_file: timekey 1d). Names are Fluentd's. */
  readonly defaults?: Readonly<Record<string, unknown>>
  /** Parameters of the plugin around it that the one inside is shown too: its camelCase name for each → their name. */
  readonly shows?: Readonly<Record<string, string>>
  /**
   * Parameters that stand in the section and belong to the plugin around it, not to the one inside (roundrobin's
   * `weight`). Bound to `own` of the BoundPlugin.
   */
  readonly own?: Readonly<Record<string, Param<unknown>>>
  /**
   * A parameter that names the type where no @type is written (multi_format's `format`); `/…/` in it is the expression of a
   * regexp parser.
   */
  readonly typeParam?: string
}

export function plugin<const O extends PluginSectionOptions>(
  kind: PluginKind,
  options: O,
): PluginSection<O> {
  return { kind: 'plugin', plugin: kind, options }
}

// ---- types of what binding gives

export type CamelCase<S extends string> = S extends `@${infer R}`
  ? CamelCase<R>
  : S extends `${infer A}_${infer B}`
    ? `${A}${Capitalize<CamelCase<B>>}`
    : S

export type ParamsOf<S extends Shape> = {
  readonly [K in keyof S['params'] & string as CamelCase<K>]: S['params'][K] extends Param<infer T>
    ? T
    : never
} & (S['sections'] extends infer Sections
  ? {
      readonly [K in keyof Sections & string as CamelCase<K>]: SectionValue<Sections[K]>
    }
  : unknown)

type SectionValue<X> =
  X extends Section<infer S, infer O>
    ? Multiplicity<
        Bound<S> &
          (O extends { open: true }
            ? {
                readonly extra: ExtraParams
                readonly extraTyped: ExtraTyped
                /** Where each value was written. */
                readonly extraPlaces?: ReadonlyMap<string, Position>
              }
            : unknown),
        O
      >
    : X extends PluginSection<infer O>
      ? Multiplicity<BoundPlugin, O>
      : never

type Multiplicity<T, O> = O extends { multi: true }
  ? readonly T[]
  : O extends { required: true } | { always: true }
    ? T
    : T | undefined

/** Undeclared parameters of an open section, in the file's order, by their name as written. */
export type ExtraParams = ReadonlyMap<string, string>

/**
 * Of the parameters in `extra`, those that are no text: null by use_nil, numbers and booleans of the YAML form.
 * Their text stands in `extra` too ('' for null).
 */
export type ExtraTyped = ReadonlyMap<string, ScalarValue>

/** A bound section: its values, and where each was written. */
export type Bound<S extends Shape> = ParamsOf<S> & { readonly [ORIGIN]?: Origin }

/** A plugin's section after binding: which plugin, with which values. `context.create*` makes it. */
export interface BoundPlugin {
  readonly kind: PluginKind
  readonly type: string
  readonly id: string | undefined
  readonly label: string | undefined
  readonly logLevel: string | undefined
  /** The argument of <match …>, <filter …>. */
  readonly argument: string
  readonly definition: { readonly name: string; readonly shape: Shape }
  readonly params: Readonly<Record<string, unknown>> & { readonly [ORIGIN]?: Origin }
  readonly position: Position | undefined
  /** Whether the section stands in the file (false: made by `always`). */
  readonly written: boolean
  /** Values of PluginSectionOptions.own, by camelCase name. */
  readonly own?: Readonly<Record<string, unknown>>
  /** Of a plugin in a <worker> section: how many workers run it. */
  readonly workerCount?: number
}

export const ORIGIN: unique symbol = Symbol('origin')

/** Where a bound section came from. */
export interface Origin {
  /** The section's opening line. */
  readonly section: Position | undefined
  /** By camelCase name: where the value was written. Absent: a default. */
  readonly values: Readonly<Record<string, Position | undefined>>
}

/** Where a value was written (or, for a default, its section), for errors that plugins find themselves. */
export function positionOf(bound: object, name?: string): Position | undefined {
  const origin = (bound as { [ORIGIN]?: Origin })[ORIGIN]
  return (name === undefined ? undefined : origin?.values[name]) ?? origin?.section
}

/** Whether the file has the parameter, other than by a default. */
export function isWritten(bound: object, name: string): boolean {
  return (bound as { [ORIGIN]?: Origin })[ORIGIN]?.values[name] !== undefined
}

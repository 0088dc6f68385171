import type { Batch } from '../core/batch.ts'
import type { Component } from '../core/component.ts'
import type { Consumer } from '../core/consumer.ts'
import type { Filter } from '../core/filter.ts'
import type { Formatter } from '../core/formatter.ts'
import type { Host } from '../core/host.ts'
import type { Logger } from '../core/log.ts'
import type { Output, OutputStatistics, Sink } from '../core/output.ts'
import type { Parser } from '../core/parser.ts'
import type { FollowedFile, Source } from '../core/source.ts'
import type { Kernel } from '../kernel/index.ts'
import type { Bound, BoundPlugin, Shape } from './schema.ts'

/** What a plugin is handed when it is made. Creation is pure: no I/O, no timers, only checks of values. */
export interface PluginContext {
  readonly host: Host
  /** The @id, or one made from type and place ('forward_0'); label `plugin_id` of its metrics. */
  readonly id: string
  readonly type: string
  /** Whether the id was written (@id). */
  readonly idWritten?: boolean
  /** The @label as written; `router` leads there. */
  readonly label?: string | undefined
  /** `host.log.child({id, level: @log_level})` */
  readonly log: Logger
  readonly kernel: Kernel
  readonly system: SystemSettings
  /** Makes the plugin of a bound section: <format>, <parse>, <store>, <secondary>. Throws ConfigError. */
  createFormatter(bound: BoundPlugin): Formatter
  createParser(bound: BoundPlugin): Parser
  /** With its buffer, retries and secondary around it where it has them. Started and stopped by its parent. */
  createOutput(bound: BoundPlugin): Output
  /**
   * Set where the plugin is made for a <secondary>: the primary output's <buffer>, whose chunks it gets, already
   * formatted. It has no buffer and no formatter of its own then.
   */
  readonly primaryBuffer?: BoundPlugin
  /** Where events of the label go; 'ROOT' is the top level. Throws ConfigError (at `position`) if there is no such label. */
  route(label: string, from: BoundPlugin | object): Consumer
  /** Where this plugin's events go on: its @label's pipeline or the top level. For sources and re-emitting filters. */
  readonly router: Consumer
  /**
   * An event that cannot be processed goes to the label @ERROR if there is one, is logged once otherwise, and
   * is counted as dropped{reason} here if nobody takes it.
   */
  emitError(batch: Batch, error: Error): void
  /** The running application: for monitor_agent, prometheus_monitor and the like. */
  readonly app: AppView
}

/** What <system> and the command line say, as plugins need it. */
export interface SystemSettings {
  readonly workers: number
  readonly workerId: number
  readonly rootDir: string | undefined
  readonly filePermission: number | undefined
  readonly dirPermission: number | undefined
  readonly strictConfigValue: boolean
  /** How seldom errors of emitting are logged; undefined: the usual interval. */
  readonly emitErrorLogIntervalMs?: number | undefined
}

/** Read-only view of the running graph. */
export interface AppView {
  readonly startedMs: number
  readonly configPath: string | undefined
  /** The configuration as text with secrets masked. */
  configDump(): string
  plugins(): readonly PluginView[]
  /** The output that an event of this tag goes to first, at the top level. */
  outputOf?(tag: string): PluginView | undefined
  /** True from the moment all sources listen until stop begins. */
  ready(): boolean
  flush(): Promise<void>
}

export interface PluginView {
  readonly id: string
  /** Whether the id was written (@id) or made. */
  readonly idWritten: boolean
  readonly category: 'input' | 'filter' | 'output'
  readonly type: string
  readonly bound: BoundPlugin
  readonly emittedRecords: number
  readonly emittedBytes: number
  statistics(): OutputStatistics | undefined
  /** Of a source that follows files: which, and how far it is. */
  files?(): readonly FollowedFile[] | undefined
  /** More counts of a source, by Fluentd's names. */
  counts?(): Readonly<Record<string, number>> | undefined
}

interface Definition<S extends Shape> {
  /** The @type. */
  readonly name: string
  readonly aliases?: readonly string[]
  /** One sentence for the reference page, and more paragraphs in `description`. */
  readonly summary: string
  readonly description?: string
  readonly shape: S
  /** false: with several workers it is an error outside of a `<worker N>` section. */
  readonly multiWorkersReady?: boolean
}

type Creates<S extends Shape, T> = {
  create(params: Bound<S>, context: PluginContext): T
}

export type SourceDefinition<S extends Shape = Shape> = Definition<S> &
  Creates<S, Source> & { readonly kind: 'source' }
export type FilterDefinition<S extends Shape = Shape> = Definition<S> &
  Creates<S, Filter> & { readonly kind: 'filter' }
export type ParserDefinition<S extends Shape = Shape> = Definition<S> &
  Creates<S, Parser> & { readonly kind: 'parser' }
export type FormatterDefinition<S extends Shape = Shape> = Definition<S> &
  Creates<S, Formatter> & { readonly kind: 'formatter' }

/**
 * An output without a buffer has `create`; one with a buffer has `createSink`; stdout has both, and is buffered where
 * its section has a <buffer>. The shape of one with `createSink` declares the sections `buffer` (plugin 'buffer') and
 * `secondary`, by bufferSection() and secondarySection() of src/buffer/sections.ts.
 */
export type OutputDefinition<S extends Shape = Shape> = Definition<S> & {
  readonly kind: 'output'
  create?(params: Bound<S>, context: PluginContext): Output
  createSink?(params: Bound<S>, context: PluginContext): Sink
}

/** A buffer type: the @type of <buffer>. What it makes is known to src/buffer. */
export type BufferDefinition<S extends Shape = Shape> = Definition<S> & { readonly kind: 'buffer' }

export type PluginDefinition =
  | BufferDefinition
  | SourceDefinition
  | FilterDefinition
  | OutputDefinition
  | ParserDefinition
  | FormatterDefinition

export function defineSource<const S extends Shape>(
  d: Omit<SourceDefinition<S>, 'kind'>,
): SourceDefinition {
  return { ...d, kind: 'source' } as unknown as SourceDefinition
}
export function defineFilter<const S extends Shape>(
  d: Omit<FilterDefinition<S>, 'kind'>,
): FilterDefinition {
  return { ...d, kind: 'filter' } as unknown as FilterDefinition
}
export function defineParser<const S extends Shape>(
  d: Omit<ParserDefinition<S>, 'kind'>,
): ParserDefinition {
  return { ...d, kind: 'parser' } as unknown as ParserDefinition
}
export function defineFormatter<const S extends Shape>(
  d: Omit<FormatterDefinition<S>, 'kind'>,
): FormatterDefinition {
  return { ...d, kind: 'formatter' } as unknown as FormatterDefinition
}
export function defineOutput<const S extends Shape>(
  d: Omit<OutputDefinition<S>, 'kind'>,
): OutputDefinition {
  return { ...d, kind: 'output' } as unknown as OutputDefinition
}

/** A source that only serves (prometheus, monitor_agent) claims its port like any other. */
export type { Component }

import type {
  AppView,
  FilterDefinition,
  FormatterDefinition,
  OutputDefinition,
  ParserDefinition,
  PluginContext,
  PluginDefinition,
  PluginView,
  SourceDefinition,
  SystemSettings,
} from '../config/define.ts'
import type { BoundConfig, BoundPipeline } from '../config/index.ts'
import { didYouMean } from '../config/index.ts'
import { type BoundPlugin, isWritten, positionOf } from '../config/schema.ts'
import type { Batch } from '../core/batch.ts'
import type { Consumer } from '../core/consumer.ts'
import { ConfigError, ConfigErrors, type Position } from '../core/errors.ts'
import type { Host } from '../core/host.ts'
import type { LogLevel } from '../core/log.ts'
import type { Output } from '../core/output.ts'
import type { Kernel } from '../kernel/index.ts'
import { ErrorEvents } from './error-events.ts'
import { PluginIds } from './ids.ts'
import { type Depth, LabelRoute } from './label-route.ts'
import { checkWorkers, settingsOf } from './multi-workers.ts'
import { FilterNode, type NodeInfo, OutputNode, SourceNode, viewOf } from './nodes.ts'
import { compilePattern } from './pattern.ts'
import { Router, type Rule } from './router.ts'
import { Unmatched, type UnmatchedCounts } from './unmatched.ts'

/** Everything a configuration describes, made and not started. */
export interface Graph {
  readonly bound: BoundConfig
  readonly sources: readonly SourceNode[]
  readonly filters: readonly FilterNode[]
  /**
   * Of <match> sections, all labels. Those inside copy and the like are their parents' business.
   */
  readonly outputs: readonly OutputNode[]
  /** The same with those inside of outputs. */
  readonly allOutputs: readonly OutputNode[]
  readonly system: SystemSettings
  /** Inputs, filters, outputs, in the file's order; with the outputs inside of outputs. */
  readonly views: readonly PluginView[]
  /** By label, 'ROOT' for the top level. */
  readonly routers: ReadonlyMap<string, Router>
}

/**
 * Makes the output of a section whose definition has createSink, with its buffer around it. May
 * throw ConfigError.
 */
export type CreateBuffered = (bound: BoundPlugin, context: PluginContext) => Output

export interface BuildOptions {
  readonly bound: BoundConfig
  readonly plugins: readonly PluginDefinition[]
  readonly host: Host
  readonly kernel: Kernel
  readonly system: SystemSettings
  readonly app: AppView
  readonly unmatchedCounts: UnmatchedCounts
  readonly createBuffered: CreateBuffered
  readonly withoutSource?: boolean
}

/** Makes the graph: no I/O, no timers. Throws ConfigErrors with all that its plugins find wrong. */
export function buildGraph(options: BuildOptions): Graph {
  return new Builder(options).build()
}

const errorLabelName = '@ERROR'
const logLabelName = '@FLUENT_LOG'

class Builder {
  readonly #options: BuildOptions
  readonly #errors: ConfigError[] = []
  readonly #ids: PluginIds
  readonly #routers = new Map<string, Router>()
  readonly #depth: Depth = { value: 0, circle: false }
  readonly #errorEvents: ErrorEvents
  readonly #sources: SourceNode[] = []
  readonly #filters: FilterNode[] = []
  readonly #outputs: OutputNode[] = []
  readonly #allOutputs: OutputNode[] = []
  readonly #definitions = new Map<string, PluginDefinition>()

  constructor(options: BuildOptions) {
    this.#options = options
    this.#errorEvents = new ErrorEvents(options.host.clock, options.system.emitErrorLogIntervalMs)
    this.#ids = new PluginIds(options.bound)
    for (const definition of options.plugins) {
      for (const name of [definition.name, ...(definition.aliases ?? [])]) {
        this.#definitions.set(`${definition.kind} ${name}`, definition)
      }
    }
  }

  build(): Graph {
    const { bound } = this.#options
    const pipelines = [bound.root, ...bound.labels.values()]
    for (const pipeline of pipelines) this.#routers.set(pipeline.label, this.#router(pipeline))
    if (bound.labels.has(errorLabelName)) {
      this.#errorEvents.errorLabel = this.#route(errorLabelName, undefined)
    }
    for (const pipeline of pipelines) this.#fill(pipeline)
    if (!this.#options.withoutSource) {
      for (const source of bound.sources) this.#collect(() => this.#source(source))
    }
    if (this.#errors.length > 0) throw new ConfigErrors(this.#errors)
    return {
      bound,
      sources: this.#sources,
      filters: this.#filters,
      outputs: this.#outputs,
      allOutputs: this.#allOutputs,
      system: this.#options.system,
      views: [...this.#sources, ...this.#filters, ...this.#allOutputs].map(viewOf),
      routers: this.#routers,
    }
  }

  /**
   * Runs one plugin's creation; its configuration errors are kept, and the others go on being made.
   */
  #collect<T>(make: () => T): T | undefined {
    try {
      return make()
    } catch (error) {
      if (error instanceof ConfigError) this.#errors.push(error)
      else if (error instanceof ConfigErrors) this.#errors.push(...error.errors)
      else throw error
      return undefined
    }
  }

  #router(pipeline: BoundPipeline): Router {
    const { label } = pipeline
    const { host, unmatchedCounts } = this.#options
    return new Router({
      depth: this.#depth,
      unmatched: new Unmatched({
        log: host.log,
        counts: unmatchedCounts,
        label,
        patterns: pipeline.stages.filter((s) => s.kind === 'output').map((s) => s.argument),
        quiet: label === logLabelName,
      }),
      failed: this.#errorEvents.failedEmit({
        log: host.log,
        inErrorLabel: label === errorLabelName,
      }),
    })
  }

  #fill(pipeline: BoundPipeline): void {
    const rules: Rule[] = []
    for (const bound of pipeline.stages) {
      const rule = this.#collect((): Rule => {
        const made =
          bound.kind === 'filter'
            ? { filter: this.#filter(bound, pipeline.label) }
            : { output: this.#topOutput(bound, pipeline.label) }
        return { pattern: compilePattern(bound.argument, bound.position), ...made }
      })
      if (rule !== undefined) rules.push(rule)
    }
    this.#routers.get(pipeline.label)!.setRules(rules)
  }

  // ---- plugins

  #source(bound: BoundPlugin): void {
    const info = this.#info(bound)
    const node = new SourceNode(info, {
      next: this.#route(bound.label ?? 'ROOT', bound),
      emitError: this.#errorEvents.reporter({
        log: this.#log(info),
        inErrorLabel: false,
        lost: this.#counterOfLost('sluice_input_invalid_events_total', info),
      }),
    })
    // The node gets another one if it keeps the source of a graph before it.
    const { entry } = node
    const context = this.#context(info, {
      label: 'ROOT',
      router: () => {
        node.emits = true
        return entry
      },
      emitError: (batch, error) => entry.emitError(batch, error),
    })
    node.source = this.#definition<SourceDefinition>(bound).create(bound.params as never, context)
    this.#sources.push(node)
  }

  #filter(bound: BoundPlugin, label: string): FilterNode {
    const info = this.#info(bound)
    const inErrorLabel = label === errorLabelName
    const node: FilterNode = new FilterNode(info, {
      emitError: this.#errorEvents.reporter({
        log: this.#log(info),
        inErrorLabel,
        lost: (count) => {
          node.lostEvents += count
        },
      }),
      toErrorLabel: this.#errorEvents.reachable(inErrorLabel),
    })
    const context = this.#context(info, {
      label,
      router: () => this.#route(bound.label ?? label, bound),
      emitError: (batch, error) => node.report(batch, error),
    })
    node.filter = this.#definition<FilterDefinition>(bound).create(bound.params as never, context)
    this.#filters.push(node)
    return node
  }

  #topOutput(bound: BoundPlugin, label: string): OutputNode {
    const node = this.#output(bound, label)
    this.#outputs.push(node)
    return node
  }

  #output(
    bound: BoundPlugin,
    label: string,
    parent?: { node: OutputNode | undefined; system: SystemSettings },
  ): OutputNode {
    const info = this.#info(bound)
    const node = new OutputNode(
      info,
      this.#errorEvents.reporter({
        log: this.#log(info),
        inErrorLabel: label === errorLabelName,
        lost: this.#counterOfLost('sluice_output_dropped_events_total', info),
      }),
    )
    const { reports } = node
    // A parent's place in the file comes before that of what it holds.
    this.#allOutputs.push(node)
    node.stands = label
    const reemits = (to: string): void => {
      for (const one of [node, parent?.node]) {
        if (one === undefined) continue
        one.reemits = true
        one.leadsTo.add(to === '@ROOT' ? 'ROOT' : to)
      }
    }
    const context = this.#context(info, {
      label,
      router: () => {
        reemits(bound.label ?? label)
        return this.#route(bound.label ?? label, bound)
      },
      reemits,
      node,
      system: parent?.system,
      emitError: (batch, error) => reports.emitError(batch, error),
    })
    node.output = this.#makeOutput(bound, context)
    return node
  }

  #makeOutput(bound: BoundPlugin, context: PluginContext): Output {
    const definition = this.#definition<OutputDefinition>(bound)
    const { create, createSink } = definition
    const buffered = (bound.params as { buffer?: BoundPlugin }).buffer !== undefined
    if (createSink !== undefined && (buffered || create === undefined)) {
      return this.#options.createBuffered(bound, context)
    }
    return create!(bound.params as never, context)
  }

  // ---- what plugins are handed

  #context(
    info: NodeInfo,
    way: {
      /** The pipeline the plugin stands in. */
      label: string
      router: () => Consumer
      reemits?: (to: string) => void
      node?: OutputNode
      /** Of the plugin it stands in. */
      system?: SystemSettings | undefined
      emitError: (batch: Batch, error: Error) => void
    },
  ): PluginContext {
    const { host, kernel, app } = this.#options
    const system = way.system ?? settingsOf(info.bound, this.#options.system)
    checkWorkers(this.#definition(info.bound), info.bound, system)
    const route = (label: string, from: BoundPlugin | object): Consumer => {
      way.reemits?.(label)
      return this.#route(label, from)
    }
    let router: Consumer | undefined
    const context: PluginContext = {
      host,
      kernel,
      system,
      app,
      id: info.id,
      idWritten: info.idWritten,
      type: info.type,
      label: info.bound.label,
      log: this.#log(info),
      route,
      get router() {
        router ??= way.router()
        return router
      },
      emitError: way.emitError,
      createFormatter: (bound) =>
        this.#definition<FormatterDefinition>(bound).create(bound.params as never, context),
      createParser: (bound) =>
        this.#definition<ParserDefinition>(bound).create(bound.params as never, context),
      createOutput: (bound) => {
        if (way.node !== undefined) way.node.hasChildren = true
        return this.#output(bound, way.label, { node: way.node, system })
      },
    }
    return context
  }

  /**
   * Counts events that a source or an output reported and nobody took. The metric is made with the
   * first of them.
   */
  #counterOfLost(name: string, info: NodeInfo): (count: number) => void {
    const labels = { plugin_id: info.id, type: info.type, reason: 'error' }
    const help = 'Events that could not be processed, by reason.'
    return (count) => this.#options.host.metrics.counter({ name, help, labels }).add(count)
  }

  #route(label: string, from: BoundPlugin | object | undefined): Consumer {
    const name = label === '@ROOT' ? 'ROOT' : label
    const router = this.#routers.get(name)
    if (router === undefined) throw this.#noSuchLabel(name, from)
    return new LabelRoute({
      next: router,
      depth: this.#depth,
      giveUp: this.#errorEvents.circle(this.#options.host, name),
    })
  }

  #noSuchLabel(name: string, from: BoundPlugin | object | undefined): ConfigError {
    const known = [...this.#routers.keys()].filter((label) => label !== 'ROOT')
    const params = (from as Partial<BoundPlugin> | undefined)?.params ?? from
    return new ConfigError(`${name} label not found`, {
      position: params === undefined ? undefined : placeOfLabel(params),
      hint: didYouMean(name, known) ?? `add a \`<label ${name}>\` section`,
    })
  }

  #definition<T extends PluginDefinition>(bound: BoundPlugin): T {
    const definition = this.#definitions.get(`${bound.kind} ${bound.type}`)
    if (definition === undefined) {
      throw new ConfigError(`Unknown ${bound.kind} plugin '${bound.type}'`, {
        position: bound.position,
      })
    }
    return definition as T
  }

  #info(bound: BoundPlugin): NodeInfo {
    return { bound, type: bound.type, ...this.#ids.of(bound) }
  }

  #log(info: NodeInfo) {
    const level = info.bound.logLevel as LogLevel | undefined
    return this.#options.host.log.child({ ...(info.idWritten ? { id: info.id } : {}), level })
  }
}

/** Where a plugin's parameters name a label that is not there. */
function placeOfLabel(params: object): Position | undefined {
  return positionOf(params, isWritten(params, 'timeoutLabel') ? 'timeoutLabel' : 'label')
}

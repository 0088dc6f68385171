import { createBuffered } from './buffer/index.ts'
import type { AppView, PluginDefinition, SystemSettings } from './config/define.ts'
import {
  type BoundConfig,
  bindConfig,
  type ConfigWarning,
  createRegistry,
  dumpConfig,
  type Element,
  modeOf,
  placeOf,
  type SystemConfig,
} from './config/index.ts'
import type { Component } from './core/component.ts'
import { ConfigErrors } from './core/errors.ts'
import type { Host } from './core/host.ts'
import type { Kernel } from './kernel/index.ts'
import { buildGraph, type CreateBuffered, type Graph } from './routing/build.ts'
import { conflictsOf } from './routing/claims.ts'
import { LogEvents } from './routing/log-events.ts'
import { checkAll, flushAll } from './routing/many.ts'
import { probeClaims } from './routing/probe.ts'
import { checkRootDir, makeRootDir } from './routing/root-dir.ts'
import { GraphRunner, holdersOf } from './routing/running.ts'
import { UnmatchedCounts } from './routing/unmatched.ts'

/** A configuration that was read: what parseConfig gives, without its errors. */
export interface AppConfig {
  readonly root: Element
  /** The file, for the monitor API. */
  readonly path?: string | undefined
  readonly warnings?: readonly ConfigWarning[]
  /** Those it may name, in place of AppOptions.plugins. */
  readonly plugins?: readonly PluginDefinition[]
}

/** What the command line says and no file can. */
export interface AppOverrides {
  readonly workers?: number | undefined
  readonly workerId?: number | undefined
  readonly withoutSource?: boolean | undefined
  /** Seconds. */
  readonly emitErrorLogInterval?: number | undefined
  /** Warnings about the configuration were given already: by the process that started this one. */
  readonly warned?: boolean | undefined
  readonly strictConfigValue?: boolean | undefined
}

export interface AppOptions {
  readonly host: Host
  readonly plugins: readonly PluginDefinition[]
  /** Made of the compiled module by createKernel; all plugins share it. */
  readonly kernel: Kernel
  readonly config: AppConfig
  readonly overrides?: AppOverrides
  /** In place of src/buffer, for tests. */
  readonly createBuffered?: CreateBuffered
}

export interface App extends Component {
  /**
   * Checks what only a start would find: addresses and paths. Rejects with ConfigErrors. Starts
   * nothing.
   */
  check(): Promise<void>
  /** Delivers what all outputs hold, now. */
  flush(): Promise<void>
  /**
   * Puts a new configuration in place. Rejects with ConfigErrors, and nothing has changed, if it is
   * wrong; with another error if it could not start: then the old one runs again, or, where that
   * fails too (`running` is false), nothing does. `deadline` is for what the old graph still holds.
   */
  reload(config: AppConfig, deadline: AbortSignal): Promise<void>
  readonly running: boolean
  readonly view: AppView
  /** Addresses and paths that it will hold or holds: 'tcp:0.0.0.0:24224'. */
  readonly claims: readonly string[]
  /** <system> of the configuration in place. */
  readonly system: SystemConfig
}

/**
 * Makes the application from its parts: binds the configuration and makes every plugin, without any
 * I/O. Throws ConfigErrors with everything that can be found at once.
 */
export function createApp(options: AppOptions): App {
  return new Sluice(options)
}

class Sluice implements App {
  readonly #options: AppOptions
  readonly #host: Host
  readonly #logEvents: LogEvents
  readonly #runner: GraphRunner
  readonly #unmatchedCounts: UnmatchedCounts
  readonly view: AppView
  #config: AppConfig
  #graph: Graph
  #state: 'made' | 'running' | 'stopped' = 'made'
  #ready = false
  #starting: Promise<void> | undefined
  #reloading: Promise<void> | undefined
  readonly #hurry = new AbortController()
  #startedMs = 0

  constructor(options: AppOptions) {
    const { host } = options
    this.#logEvents = new LogEvents(host)
    this.#host = { ...host, log: this.#logEvents.wrap(host.log) }
    this.#options = options
    this.#runner = new GraphRunner(this.#host, this.#logEvents)
    this.#unmatchedCounts = new UnmatchedCounts(host.metrics)
    this.view = this.#createView()
    this.#config = options.config
    this.#graph = this.#build(options.config)
  }

  get system(): SystemConfig {
    return this.#graph.bound.system
  }

  get claims(): readonly string[] {
    return holdersOf(this.#graph).flatMap(({ claims }) => claims)
  }

  get running(): boolean {
    return this.#state === 'running'
  }

  async check(): Promise<void> {
    const errors = await probeClaims(holdersOf(this.#graph), this.#host)
    if (errors.length > 0) throw new ConfigErrors(errors)
    await checkRootDir(this.system, this.#host.disk)
    await checkAll([...this.#graph.sources, ...this.#graph.outputs])
  }

  async start(): Promise<void> {
    this.#startedMs = this.#host.clock.wallMs()
    this.#starting = this.#startGraph()
    await this.#starting
  }

  async #startGraph(): Promise<void> {
    await makeRootDir(this.system, this.#host.disk)
    this.#runner.collectLog(this.#graph)
    await this.#runner.start(this.#graph)
    this.#state = 'running'
    this.#ready = true
  }

  async stop(deadline: AbortSignal): Promise<void> {
    // What is half started has to be whole before it can be stopped. Why it failed, start's caller
    // is told.
    if (this.#state === 'made') await Promise.allSettled([this.#starting])
    const hurry = () => this.#hurry.abort()
    if (deadline.aborted) hurry()
    else deadline.addEventListener('abort', hurry, { once: true })
    await Promise.allSettled([this.#reloading])
    this.#ready = false
    if (this.#state !== 'running') return
    this.#state = 'stopped'
    await this.#runner.stop(this.#graph, deadline)
    await this.#host.stdout.drain()
  }

  flush(): Promise<void> {
    return flushAll(this.#graph.outputs)
  }

  async reload(config: AppConfig, deadline: AbortSignal): Promise<void> {
    // A stop in the meantime waits, as long as its own deadline lets it.
    this.#reloading = this.#reload(config, AbortSignal.any([deadline, this.#hurry.signal]))
    await this.#reloading
  }

  async #reload(config: AppConfig, deadline: AbortSignal): Promise<void> {
    const next = this.#build(config)
    if (this.#state !== 'running') throw new Error('nothing runs that could be reloaded')
    const old = this.#graph
    let taken = false
    try {
      await this.#runner.swap(
        { old, next },
        {
          deadline,
          taken: () => {
            taken = true
            this.#graph = next
          },
        },
      )
      this.#config = config
    } catch (error) {
      if (taken) await this.#back(error)
      throw error
    }
  }

  /**
   * The new graph could not start when the old one had stopped: the old configuration starts again.
   */
  async #back(cause: unknown): Promise<void> {
    this.#state = 'stopped'
    this.#ready = false
    this.#host.log.error('the new configuration could not start: back to the old one', {
      error: cause,
    })
    this.#graph = this.#build(this.#config)
    await this.#startGraph()
  }

  #build(config: AppConfig): Graph {
    const bound = this.#bind(config)
    const graph = buildGraph({
      bound,
      plugins: this.#pluginsOf(config),
      host: this.#host,
      kernel: this.#options.kernel,
      system: this.#settings(bound.system),
      app: this.view,
      unmatchedCounts: this.#unmatchedCounts,
      createBuffered: this.#options.createBuffered ?? createBuffered,
      withoutSource: this.#options.overrides?.withoutSource ?? bound.system.withoutSource ?? false,
    })
    const conflicts = conflictsOf(holdersOf(graph))
    if (conflicts.length > 0) throw new ConfigErrors(conflicts)
    return graph
  }

  #pluginsOf(config: AppConfig): readonly PluginDefinition[] {
    return config.plugins ?? this.#options.plugins
  }

  #bind(config: AppConfig): BoundConfig {
    const registry = createRegistry(this.#pluginsOf(config))
    const { workers, workerId } = this.#options.overrides ?? {}
    const { bound, errors, warnings } = bindConfig(config.root, { registry, workers, workerId })
    for (const warning of [...(config.warnings ?? []), ...warnings]) this.#warn(warning)
    if (bound === undefined) throw new ConfigErrors(errors)
    return bound
  }

  #warn(warning: ConfigWarning): void {
    if (this.#options.overrides?.warned) return
    const fields: Record<string, string> = {}
    const place = placeOf(warning.position)
    if (place !== undefined) fields.at = place
    if (warning.hint !== undefined) fields.hint = warning.hint
    this.#host.log.warn(warning.message, fields)
  }

  #settings(system: SystemConfig): SystemSettings {
    const overrides = this.#options.overrides ?? {}
    const emitErrorLogInterval = overrides.emitErrorLogInterval ?? system.emitErrorLogInterval
    return {
      workers: overrides.workers ?? system.workers,
      workerId: overrides.workerId ?? 0,
      rootDir: system.rootDir,
      filePermission: modeOf(system.filePermission),
      dirPermission: modeOf(system.dirPermission),
      emitErrorLogIntervalMs:
        emitErrorLogInterval === undefined ? undefined : emitErrorLogInterval * 1000,
      strictConfigValue: overrides.strictConfigValue ?? system.strictConfigValue ?? false,
    }
  }

  #text(config: AppConfig): string {
    return dumpConfig(config.root, createRegistry(this.#pluginsOf(config)))
  }

  #createView(): AppView {
    const path = () => this.#config.path
    const startedMs = () => this.#startedMs
    return {
      get startedMs() {
        return startedMs()
      },
      get configPath() {
        return path()
      },
      configDump: () => this.#text(this.#config),
      plugins: () => this.#graph.views,
      outputOf: (tag) => {
        const output = this.#graph.routers.get('ROOT')?.outputFor(tag)
        const node = this.#graph.outputs.find((one) => one === output)
        return this.#graph.views.find(({ id }) => id === node?.id)
      },
      ready: () => this.#ready,
      flush: () => this.flush(),
    }
  }
}

import type { Consumer } from '../core/consumer.ts'
import type { Host } from '../core/host.ts'
import { sayAcksInMemory } from './acks-in-memory.ts'
import type { Graph } from './build.ts'
import { type ClaimHolder, claimsCollide } from './claims.ts'
import { Keeping } from './keeping.ts'
import { type Living, startGraph, stopGraph } from './lifecycle.ts'
import { handOverMs } from './limits.ts'
import { type LogEvents, logEventConsumer } from './log-events.ts'
import type { OutputNode } from './nodes.ts'

/** What holds addresses and paths, for claims. */
export function holdersOf(graph: Graph): readonly ClaimHolder[] {
  return [...graph.sources, ...graph.outputs].map((node) => ({
    id: node.id,
    claims: node.claims,
    position: node.info.bound.position,
  }))
}

/** Everything that is started and stopped. */
function livingOf(graph: Graph): readonly Living[] {
  return [...graph.sources, ...graph.filters, ...graph.outputs]
}

/** Starts a graph's parts, swaps graphs, stops them. Knows nothing of configurations. */
export class GraphRunner {
  readonly #host: Host
  readonly #logEvents: LogEvents
  #logConsumer: Consumer | undefined

  constructor(host: Host, logEvents: LogEvents) {
    this.#host = host
    this.#logEvents = logEvents
  }

  /**
   * From here on what is said becomes events, where the graph has a place for them: they wait for
   * its start.
   */
  collectLog(graph: Graph): void {
    this.#logConsumer = logEventConsumer(graph, this.#host.log)
    if (this.#logConsumer !== undefined) this.#logEvents.collect()
  }

  /**
   * Downstream first. Rejects with the error of the one that could not; the others are stopped
   * again.
   */
  async start(graph: Graph): Promise<void> {
    this.#publish(graph)
    await startGraph(livingOf(graph))
    sayAcksInMemory(graph, this.#host.log)
    this.#connectLog()
  }

  /** Upstream first, until the deadline; what fails is logged. */
  async stop(graph: Graph, deadline: AbortSignal): Promise<void> {
    this.#logEvents.disconnect()
    await this.#stop(livingOf(graph), deadline)
  }

  /**
   * Puts `next` in the place of `old` with the smallest gap. What says the same in both is kept
   * (Keeping): it never stops. Outputs of the new graph start beside the old one's, except where both
   * want the same path; then the old sources that changed stop; outputs in the way stop and their
   * heirs start, while events of kept sources wait; then the new sources start; then the old outputs
   * deliver what they hold. Until `taken` was called an error leaves the old graph running;
   * afterwards neither runs.
   */
  async swap(
    graphs: { old: Graph; next: Graph },
    options: { deadline: AbortSignal; taken: () => void },
  ): Promise<void> {
    const { old, next } = graphs
    const { deadline } = options
    const keeping = new Keeping(old, next)
    const oldClaims = old.outputs.flatMap((output) => output.claims)
    const nextClaims = next.outputs.flatMap((output) => output.claims)
    const early = next.outputs.filter((output) => !claimsCollide(output.claims, oldClaims))
    const late = next.outputs.filter((output) => !early.includes(output))
    const inTheWay = old.outputs.filter((output) => claimsCollide(output.claims, nextClaims))

    try {
      await startGraph(early)
    } catch (error) {
      keeping.giveBack()
      throw error
    }
    options.taken()
    this.#logEvents.disconnect()
    keeping.take()
    let begun: readonly OutputNode[] = early
    try {
      await this.#stop(old.sources, deadline)
      if (late.length > 0) {
        keeping.hold()
        // What waits inside of them for other events still finds the outputs it was to go to.
        const holding = old.outputs.filter((output) => output.reemits && !output.hasChildren)
        await this.#stop([...old.filters, ...holding], deadline)
        await this.#makeWay(inTheWay, deadline)
        await startGraph(late)
        begun = next.outputs
      }
      await startGraph(next.sources.filter((source) => source.tenure.starts))
    } catch (error) {
      keeping.refuse(error as Error)
      const kept = [...keeping.sources.map((pair) => pair.next), ...keeping.outputs]
      await this.#stop([...kept, ...begun, ...old.filters, ...old.outputs], deadline)
      throw error
    }
    keeping.connect()
    this.#publish(next)
    sayAcksInMemory(next, this.#host.log)
    this.collectLog(next)
    this.#connectLog()
    const rest = old.outputs.filter((output) => !inTheWay.includes(output))
    await this.#stop([...old.filters, ...rest], deadline)
    this.#forget(old, next)
  }

  /**
   * Stops outputs whose paths the new graph wants. What a buffer on disk holds is the heir's to
   * deliver, so it is not waited for long.
   */
  async #makeWay(inTheWay: readonly OutputNode[], deadline: AbortSignal): Promise<void> {
    const hurry = new AbortController()
    const timer = this.#host.clock.after(handOverMs, () => hurry.abort())
    const soon = AbortSignal.any([deadline, hurry.signal])
    try {
      await Promise.all([
        this.#stop(
          inTheWay.filter((output) => output.persistent),
          soon,
        ),
        this.#stop(
          inTheWay.filter((output) => !output.persistent),
          deadline,
        ),
      ])
    } finally {
      timer.cancel()
    }
  }

  #stop(living: readonly Living[], deadline: AbortSignal): Promise<void> {
    const { clock, log } = this.#host
    return stopGraph(living, { deadline, clock, log })
  }

  #publish(graph: Graph): void {
    for (const source of graph.sources) source.publish(this.#host.metrics)
    for (const filter of graph.filters) filter.publish(this.#host.metrics)
  }

  /** Series of plugins that are no more. */
  #forget(old: Graph, next: Graph): void {
    const kept = new Set(next.views.map((view) => view.id))
    for (const { id } of old.views) {
      if (!kept.has(id)) this.#host.metrics.forget({ plugin_id: id })
    }
  }

  #connectLog(): void {
    if (this.#logConsumer !== undefined) this.#logEvents.connect(this.#logConsumer)
  }
}

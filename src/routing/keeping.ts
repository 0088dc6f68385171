import type { Graph } from './build.ts'
import type { OutputNode, SourceNode } from './nodes.ts'
import { sameSection } from './same-section.ts'

type Pair<N> = { readonly old: N; readonly next: N }

/**
 * What a reload leaves as it is: sources and outputs whose sections say the same before and after.
 * Their listeners, connections, buffers and retries go on; only their places in the graph are new.
 * An output that holds others or hands events on refers to the old graph, and is made anew; what it
 * holds can be kept.
 */
export class Keeping {
  readonly sources: readonly Pair<SourceNode>[]
  readonly #outputs: readonly Pair<OutputNode>[]

  /** Lets the new graph's nodes borrow what is kept. Starts and stops nothing. */
  constructor(old: Graph, next: Graph) {
    const comparable = sameSystem(old, next)
    this.sources = comparable ? pairs(old.sources, next.sources) : []
    this.#outputs = comparable
      ? pairs(old.allOutputs.filter(isLeaf), next.allOutputs.filter(isLeaf))
      : []
    for (const { old, next } of this.sources) next.borrow(old)
    for (const { old, next } of this.#outputs) next.borrow(old)
  }

  /** The new nodes of outputs. */
  get outputs(): readonly OutputNode[] {
    return this.#outputs.map(({ next }) => next)
  }

  /** The reload is off: everything is the old graph's as before. */
  giveBack(): void {
    for (const { next } of [...this.sources, ...this.#outputs]) next.tenure.giveBack()
  }

  /** From here on the new graph's nodes stop what is kept, and the old ones do not. */
  take(): void {
    for (const { next } of [...this.sources, ...this.#outputs]) next.tenure.moveIn()
    for (const { old, next } of this.#outputs) next.moveIn(old)
  }

  /** What sources emit waits. */
  hold(): void {
    for (const { old } of this.sources) old.entry.hold()
  }

  /** What sources emit goes into the new graph, with what has waited in front. */
  connect(): void {
    for (const { old, next } of this.sources) {
      next.moveIn(old)
      next.entry.release()
    }
  }

  /** The new graph could not start. */
  refuse(error: Error): void {
    for (const { old, next } of this.sources) {
      old.entry.refuse(error)
      next.entry.refuse(error)
    }
  }
}

function isLeaf(node: OutputNode): boolean {
  return !node.reemits && !node.hasChildren
}

function pairs<N extends SourceNode | OutputNode>(old: readonly N[], next: readonly N[]) {
  const byId = new Map(old.map((node) => [node.id, node]))
  const found: Pair<N>[] = []
  for (const node of next) {
    const before = byId.get(node.id)
    if (before === undefined || before.info.idWritten !== node.info.idWritten) continue
    if (sameSection(before.info.bound, node.info.bound)) found.push({ old: before, next: node })
  }
  return found
}

/** Plugins were made with it. */
function sameSystem(old: Graph, next: Graph): boolean {
  const names = Object.keys(old.system) as (keyof Graph['system'])[]
  return names.every((name) => old.system[name] === next.system[name])
}

import type { BoundConfig } from '../config/index.ts'
import type { BoundPlugin } from '../config/schema.ts'

/**
 * Every plugin's id: the @id where one is written, otherwise type and place ('forward_0'), the same
 * at every start with the same file, so that metrics can be followed. That no @id is used twice was
 * seen to by binding.
 */
export class PluginIds {
  readonly #written = new Set<string>()
  readonly #next = new Map<string, number>()

  constructor(bound: BoundConfig) {
    const pipelines = [bound.root, ...bound.labels.values()]
    const all = [...bound.sources, ...pipelines.flatMap((pipeline) => pipeline.stages)]
    for (const plugin of all) this.#collect(plugin)
  }

  of(bound: BoundPlugin): { id: string; idWritten: boolean } {
    if (bound.id !== undefined) return { id: bound.id, idWritten: true }
    for (;;) {
      const number = this.#next.get(bound.type) ?? 0
      this.#next.set(bound.type, number + 1)
      const id = `${bound.type}_${number}`
      if (!this.#written.has(id)) return { id, idWritten: false }
    }
  }

  /** Written ids, those of plugins inside of plugins too: <store>, <buffer>, <format>. */
  #collect(bound: BoundPlugin): void {
    if (bound.id !== undefined) this.#written.add(bound.id)
    for (const value of Object.values(bound.params)) {
      for (const item of Array.isArray(value) ? value : [value]) {
        if (isBoundPlugin(item)) this.#collect(item)
      }
    }
  }
}

function isBoundPlugin(value: unknown): value is BoundPlugin {
  return typeof value === 'object' && value !== null && 'definition' in value && 'params' in value
}

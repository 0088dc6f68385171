import {
  bufferSection,
  outputParams,
  secondarySection,
  unusedFormatter,
} from '../../src/buffer/index.ts'
import { defineOutput, defineSource, type PluginDefinition } from '../../src/config/define.ts'
import { plugin, string } from '../../src/config/schema.ts'
import type { Batch } from '../../src/core/batch.ts'
import type { Consumer } from '../../src/core/consumer.ts'
import { plugins } from '../../src/plugins.ts'
import type { Destination } from './sinks.ts'

/** The plugins of a simulated world: all real ones, a source that the run emits from, and outputs to destinations that fail. */
export interface Stage {
  readonly plugins: readonly PluginDefinition[]
  /** Whether a source is there to emit from. */
  readonly open: boolean
  emit(batch: Batch): void | Promise<void>
  /** The process is gone: nothing can be emitted any more. */
  clear(): void
}

export function createStage(destinations: ReadonlyMap<string, Destination>): Stage {
  const routers: Consumer[] = []

  const tap = defineSource({
    name: 'tap',
    summary: 'Emits what a simulation hands it.',
    shape: { params: {} },
    create(_params, { router }) {
      return {
        claims: [],
        start: async () => void routers.push(router),
        stop: async () => {
          const at = routers.indexOf(router)
          if (at >= 0) routers.splice(at, 1)
        },
      }
    },
  })

  const flaky = defineOutput({
    name: 'flaky',
    summary: 'Delivers to a destination of the simulation.',
    shape: {
      params: { ...outputParams, to: string({ description: 'Its name.', required: true }) },
      sections: {
        format: plugin('formatter', { description: 'Lines.', defaultType: 'json', always: true }),
        buffer: bufferSection(),
        secondary: secondarySection('flaky'),
      },
    },
    createSink(params, context) {
      const destination = destinations.get(params.to)
      if (destination === undefined) throw new Error(`bug: no destination ${params.to}`)
      const { clock } = context.host
      return {
        formatter:
          context.primaryBuffer === undefined
            ? context.createFormatter(params.format)
            : unusedFormatter,
        start: async () => undefined,
        stop: async () => undefined,
        write: (chunk, signal) => destination.write(chunk, signal, clock),
      }
    },
  })

  return {
    plugins: [...plugins, tap, flaky],
    get open() {
      return routers.length > 0
    },
    emit: (batch) => (routers.at(-1) as Consumer).emit(batch),
    clear() {
      routers.length = 0
    },
  }
}

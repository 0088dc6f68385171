import { bufferTypes } from '../../src/buffer/index.ts'
import {
  defineFilter,
  defineOutput,
  defineSource,
  type PluginContext,
  type PluginDefinition,
} from '../../src/config/define.ts'
import { bool, integer, positionOf, string } from '../../src/config/schema.ts'
import type { Batch } from '../../src/core/batch.ts'
import type { Consumer } from '../../src/core/consumer.ts'
import { ConfigError } from '../../src/core/errors.ts'
import { copyOutput } from '../../src/outputs/copy/index.ts'
import { nullOutput } from '../../src/outputs/null/index.ts'
import { relabelOutput } from '../../src/outputs/relabel/index.ts'
import { roundrobinOutput } from '../../src/outputs/roundrobin/index.ts'

/** What the test's plugins did, and how to make them do it. */
export interface Stage {
  /** `name tag xCount` of what spy outputs got. */
  readonly taken: string[]
  /** `+name`, `-name` of starts and stops. */
  readonly lives: string[]
  /** Emits from the source with that @id (or 'button_0'). */
  press(id: string, batch: Batch): void | Promise<void>
  /** Contexts that plugins were made with, by id: the newest. */
  readonly contexts: Map<string, PluginContext>
  /** What sources were given as their way on, by id: the newest. */
  readonly routers: Map<string, Consumer>
  /** What the spy of that name does when it is stopped. */
  readonly onStop: Map<string, () => Promise<void>>
  readonly plugins: readonly PluginDefinition[]
}

export function createStage(): Stage {
  const taken: string[] = []
  const lives: string[] = []
  const contexts = new Map<string, PluginContext>()
  const routers = new Map<string, Consumer>()
  const onStop = new Map<string, () => Promise<void>>()

  const button = defineSource({
    name: 'button',
    summary: 'Emits when a test presses it.',
    shape: {
      params: {
        port: integer({ description: 'Claimed.', default: 0 }),
        fail: bool({ description: 'Cannot start.', default: false }),
      },
    },
    create(params, context) {
      contexts.set(context.id, context)
      routers.set(context.id, context.router)
      return {
        claims: [`tcp:127.0.0.1:${params.port}`],
        start: async () => {
          if (params.fail) throw new Error('the button is stuck')
          context.log.info('the button is there')
          lives.push(`+${context.id}`)
        },
        stop: async () => void lives.push(`-${context.id}`),
      }
    },
  })

  const spy = defineOutput({
    name: 'spy',
    summary: 'Notes what it gets.',
    shape: {
      params: {
        name: string({ description: 'In the notes.', default: 'spy' }),
        path: string({ description: 'Claimed.' }),
        refuse: string({ description: 'Refuses this tag with an exception.' }),
        late: string({ description: 'Refuses this tag by a rejection.' }),
        unready: bool({ description: 'Its check fails.', default: false }),
        stuck: bool({ description: 'Cannot start.', default: false }),
        bad: bool({ description: 'Its creation fails.', default: false }),
      },
    },
    create(params, context) {
      contexts.set(context.id, context)
      if (params.bad) {
        throw new ConfigError(`'bad' is bad`, { position: positionOf(params, 'bad') })
      }
      return {
        claims: params.path === undefined ? [] : [`file:${params.path}`],
        check: async () => {
          if (params.unready) throw new ConfigError('the spy is not ready')
        },
        emit(batch) {
          if (batch.tag === params.refuse) throw new Error('refused')
          if (batch.tag === params.late) return Promise.reject(new Error('refused late'))
          taken.push(`${params.name} ${batch.tag} x${batch.count}`)
          return undefined
        },
        start: async () => {
          if (params.stuck) throw new Error('the spy is stuck')
          lives.push(`+${params.name}`)
        },
        stop: async () => {
          lives.push(`-${params.name}`)
          await onStop.get(params.name)?.()
        },
        flush: async () => void lives.push(`flush ${params.name}`),
      }
    },
  })

  const pick = defineFilter({
    name: 'pick',
    summary:
      'By the time of each event: 1 stays, 2 is left out, 3 is reported. Throws for tag `throw`.',
    shape: { params: {} },
    create: (_params, context) => {
      // Reused, as the contract allows.
      const buffer = new Uint8Array(64 * 1024)
      return {
        apply(batch) {
          if (batch.tag === 'throw') throw new TypeError('filter broke')
          let count = 0
          for (let at = 0; at < batch.packed.length; at += 3) {
            const packed = batch.packed.subarray(at, at + 3)
            if (packed[1] === 3) {
              context.emitError({ tag: batch.tag, packed, count: 1 }, new Error('odd event'))
            } else if (packed[1] === 1) buffer.set(packed, 3 * count++)
          }
          if (count === 0) return undefined
          return { tag: batch.tag, packed: buffer.subarray(0, count * 3), count }
        },
      }
    },
  })

  return {
    taken,
    lives,
    contexts,
    routers,
    onStop,
    press: (id, batch) => routers.get(id)!.emit(batch),
    plugins: [
      button,
      spy,
      pick,
      copyOutput,
      relabelOutput,
      roundrobinOutput,
      nullOutput,
      ...bufferTypes,
    ],
  }
}

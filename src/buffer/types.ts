import type { BufferDefinition, PluginContext } from '../config/define.ts'
import { type BoundPlugin, positionOf } from '../config/schema.ts'
import { ConfigError } from '../core/errors.ts'
import { createMemoryStore } from './memory-store.ts'
import { fileBufferShape, fileSingleBufferShape, memoryBufferShape } from './sections.ts'
import type { ChunkStore } from './store.ts'

/** A buffer type that can make its store. */
export type BufferType = BufferDefinition & {
  /** Pure; throws ConfigError. */
  createStore(params: BoundPlugin['params'], context: PluginContext): ChunkStore
}

export const memoryBuffer: BufferType = {
  kind: 'buffer',
  name: 'memory',
  summary: 'Chunks in memory: fast, and gone with the process.',
  shape: memoryBufferShape,
  createStore: (_params, context) => createMemoryStore(context.host),
}

export const fileBuffer: BufferType = {
  kind: 'buffer',
  name: 'file',
  summary: 'Chunks in files, two for each: they outlive the process.',
  description: 'Declared with all its parameters; not available yet.',
  shape: fileBufferShape,
  createStore: (params) => notYet('file', params),
}

export const fileSingleBuffer: BufferType = {
  kind: 'buffer',
  name: 'file_single',
  summary: 'Chunks in files, one for each: they outlive the process.',
  description: 'Declared with all its parameters; not available yet.',
  shape: fileSingleBufferShape,
  createStore: (params) => notYet('file_single', params),
}

/** All buffer types, for the list of plugins. */
export const bufferTypes: readonly BufferType[] = [memoryBuffer, fileBuffer, fileSingleBuffer]

function notYet(type: string, params: object): never {
  throw new ConfigError(`buffer plugin '${type}' is not available in this version of Sluice`, {
    position: positionOf(params, 'type') ?? positionOf(params),
    hint: 'use `@type memory`; what it holds is flushed at shutdown and lost if the process is killed',
  })
}

/** The store that a bound <buffer> asks for. Throws ConfigError. */
export function storeOf(buffer: BoundPlugin, context: PluginContext): ChunkStore {
  const type = buffer.definition as Partial<BufferType>
  if (type.createStore === undefined) {
    throw new Error(`bug: buffer type ${buffer.type} makes no store`)
  }
  return type.createStore(buffer.params, context)
}

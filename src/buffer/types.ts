import type { BufferDefinition, PluginContext } from '../config/define.ts'
import type { BoundPlugin } from '../config/schema.ts'
import { type Codec, codecOf } from './compress.ts'
import { createFileBuffer, createFileSingleBuffer } from './file-buffers.ts'
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
  createStore: ({ compress }, context) =>
    createMemoryStore(context.host, codecOf(compress as 'text' | Codec)),
}

export const fileBuffer: BufferType = {
  kind: 'buffer',
  name: 'file',
  summary: 'Chunks in files, two for each: they outlive the process.',
  description:
    'In Fluentd’s layout: what Fluentd left in the directory is delivered, and the other way round after a stop (after a kill, Sluice is started and stopped first). Acknowledged events survive a kill -9 at any moment; behind the .meta file’s content stand checksums, by which recovery finds torn and damaged parts.',
  shape: fileBufferShape,
  createStore: createFileBuffer,
}

export const fileSingleBuffer: BufferType = {
  kind: 'buffer',
  name: 'file_single',
  summary: 'Chunks in files named after their tag: they outlive the process.',
  description:
    'In Fluentd’s layout. Beside each chunk Sluice keeps a .meta file, as buffer type `file` does: Fluentd does not look at it.',
  shape: fileSingleBufferShape,
  createStore: createFileSingleBuffer,
}

/** All buffer types, for the list of plugins. */
export const bufferTypes: readonly BufferType[] = [memoryBuffer, fileBuffer, fileSingleBuffer]

/** The store that a bound <buffer> asks for. Throws ConfigError. */
export function storeOf(buffer: BoundPlugin, context: PluginContext): ChunkStore {
  const type = buffer.definition as Partial<BufferType>
  if (type.createStore === undefined) {
    throw new Error(`bug: buffer type ${buffer.type} makes no store`)
  }
  return type.createStore(buffer.params, context)
}

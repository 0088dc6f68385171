import type { ChunkMetadata } from '../core/output.ts'
import type { Chunking } from './chunk-keys.ts'

/**
 * The key by which staging would find a chunk with this metadata (see createSplitter's parts); undefined where these
 * chunk keys make no such chunk: the configuration has changed since.
 */
export function stagingKeyOf(metadata: ChunkMetadata, chunking: Chunking): string | undefined {
  const { timekey, tag, variables } = metadata
  if ((timekey === undefined) !== (chunking.timekeySeconds === undefined)) return undefined
  if ((tag === undefined) === chunking.byTag) return undefined
  const names = Object.keys(variables ?? {})
  if (names.length !== chunking.fields.length) return undefined
  if (chunking.fields.some(({ name }) => !names.includes(name))) return undefined
  const key = timekey === undefined ? (tag ?? '') : `${timekey} ${tag ?? ''}`
  if (chunking.fields.length === 0) return key
  return `${key} ${JSON.stringify(chunking.fields.map(({ name }) => variables?.[name] ?? null))}`
}

/** The public face of buffering: what outputs declare, and what wraps their sinks. */
export { type Books, createBooks, exposeBooks } from './books.ts'
export {
  type BufferedOutputOptions,
  createBuffered,
  createBufferedOutput,
} from './buffered-output.ts'
export {
  bytesOf,
  type ChunkBytes,
  compressed,
  isWhole,
  ownPieces,
  streamFromBytes,
} from './chunk-bytes.ts'
export { type ChunkFiles, createChunkFiles } from './chunk-file.ts'
export { type Chunking, chunkingOf, chunkKeysOf } from './chunk-keys.ts'
export { type Codec, compressPieces, hasCodec } from './compress.ts'
export { createFilePaths, type FilePaths } from './file-paths.ts'
export { injectingFormatter } from './injecting-formatter.ts'
export {
  compileTemplate,
  placeholdersIn,
  type Template,
  validatePlaceholders,
} from './placeholders.ts'
export {
  type BufferParams,
  bufferSection,
  optionalBufferSection,
  outputParams,
  secondarySection,
} from './sections.ts'
export { countsOf } from './statistics.ts'
export type { ChunkStore, RecoveredChunk, StoredChunk } from './store.ts'
export { bufferTypes } from './types.ts'
export { unusedFormatter } from './unused-formatter.ts'

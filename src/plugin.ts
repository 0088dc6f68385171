/**
 * What plugins of others are made of: `import { defineFilter, string } from 'sluice/plugin'`. The built-in ones use the
 * same; docs/PLUGINS.md shows how. What stands here changes only with a major version.
 */
export {
  bufferSection,
  optionalBufferSection,
  outputParams,
  secondarySection,
} from './buffer/sections.ts'
export {
  defineFilter,
  defineFormatter,
  defineOutput,
  defineParser,
  defineSource,
  type PluginContext,
  type PluginDefinition,
  type SystemSettings,
} from './config/define.ts'
export {
  array,
  type Bound,
  bool,
  enumeration,
  float,
  hash,
  integer,
  integers,
  isWritten,
  plugin,
  positionOf,
  regexp,
  type Shape,
  section,
  size,
  string,
  time,
} from './config/schema.ts'
export { type Batch, maxDepth } from './core/batch.ts'
export type { Component } from './core/component.ts'
export type { Consumer } from './core/consumer.ts'
export { ConfigError, PermanentError, RetryableError } from './core/errors.ts'
export type { Filter } from './core/filter.ts'
export type { Formatter } from './core/formatter.ts'
export type { Host, Timer } from './core/host.ts'
export type { Logger } from './core/log.ts'
export type { Chunk, Output, Sink } from './core/output.ts'
export { type Parsed, type ParseItem, type Parser, ParserError } from './core/parser.ts'
export type { Source } from './core/source.ts'
export { EventTime, MsgExt, MsgFloat, type MsgMap, type MsgValue, RawString } from './core/value.ts'
export { decode } from './msgpack/decode.ts'
export { Encoder, encode } from './msgpack/encode.ts'
export {
  decodeBatch,
  decodeRecord,
  decodeTime,
  eachEntry,
  type FieldKey,
  fieldKey,
  findField,
  textAt,
  valueAt,
} from './msgpack/entries.ts'
export { type Event, packEvents, recordFilter, textFormatter } from './records/simple.ts'

import type { PluginContext } from '../../config/define.ts'
import { positionOf } from '../../config/schema.ts'
import { ConfigError } from '../../core/errors.ts'
import type { Formatter } from '../../core/formatter.ts'
import type { HttpParams } from './shape.ts'

/**
 * With json_array a chunk holds each event's JSON and newline with a comma behind it, as Fluentd's does; a request's body is
 * the chunk without its last comma, in brackets. JSON has no newline inside, so newlines are where events end.
 */

const newline = 0x0a
const comma = 0x2c

/** Throws ConfigError for another format than json. */
export function jsonArrayFormatter(params: HttpParams, context: PluginContext): Formatter {
  const { format } = params
  if (format.type !== 'json') {
    throw new ConfigError('json_array option could be used with json formatter only', {
      position: positionOf(params, 'jsonArray'),
      hint: 'write <format> with `@type json`, or leave json_array out',
    })
  }
  const plain = context.createFormatter(format)
  const bare = format.params.addNewline === false
  const lines = bare ? (plain.asLines?.() ?? plain) : plain
  return {
    format(batch, maxPieceBytes, piece) {
      lines.format(batch, maxPieceBytes, (bytes, count) =>
        piece(withCommas(bytes, { count, keepNewlines: !bare }), count),
      )
    },
  }
}

/** The bytes with a comma behind, or in place of, each newline, of which there are `count` at most. */
export function withCommas(
  bytes: Uint8Array,
  options: { count: number; keepNewlines: boolean },
): Uint8Array {
  if (!options.keepNewlines) return bytes.map((byte) => (byte === newline ? comma : byte))
  const out = Buffer.allocUnsafe(bytes.byteLength + options.count)
  let written = 0
  let start = 0
  for (let end = bytes.indexOf(newline); end >= 0; end = bytes.indexOf(newline, start)) {
    out.set(bytes.subarray(start, end + 1), written)
    written += end + 1 - start
    out[written] = comma
    written += 1
    start = end + 1
  }
  // A block of a chunk may end inside an event.
  out.set(bytes.subarray(start), written)
  written += bytes.byteLength - start
  return out.subarray(0, written)
}

const opening = Buffer.from('[')
const closing = Buffer.from(']')

/** A chunk's bytes as one array. */
export function asArray(pieces: readonly Uint8Array[]): Uint8Array[] {
  const filled = pieces.filter((piece) => piece.byteLength > 0)
  const last = filled.at(-1)
  if (last === undefined) return [opening, closing]
  const end = last[last.byteLength - 1] === comma ? last.byteLength - 1 : last.byteLength
  return [opening, ...filled.slice(0, -1), last.subarray(0, end), closing]
}

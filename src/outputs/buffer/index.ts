import { bufferSection, chunkingOf, outputParams, secondarySection } from '../../buffer/index.ts'
import { defineOutput, type PluginContext } from '../../config/define.ts'
import { type Bound, bool, positionOf } from '../../config/schema.ts'
import { ConfigError, PermanentError } from '../../core/errors.ts'
import type { Sink } from '../../core/output.ts'
import { integerTimeEntries, packedEntries } from '../../formatters/packed-entries.ts'
import { decodeTime, eachEntry, pairCount } from '../../msgpack/entries.ts'
import { MsgpackError } from '../../msgpack/walk.ts'
import { emitKept } from '../../routing/slip.ts'

const shape = {
  params: {
    ...outputParams,
    hold: bool({
      description: 'Keep everything, and hand on nothing: for another start to deliver. Our own.',
      default: false,
    }),
  },
  sections: {
    buffer: bufferSection(
      { chunk_keys: ['tag'], flush_mode: 'interval', flush_interval: 10 },
      'file',
    ),
    secondary: secondarySection('buffer'),
  },
} as const

/** `<match> @type buffer`: holds events, and hands them on to a label. */
export const bufferOutput = defineOutput({
  name: 'buffer',
  summary: 'Keeps events in a buffer, in files by default, and hands them on to a <label>.',
  description:
    'So outputs without a buffer of their own, or filters that fail, get one: `@label` names where the events of a flushed chunk go. A chunk that is refused there is handed on again, whole.',
  shape,
  createSink: createBufferSink,
})

function createBufferSink(params: Bound<typeof shape>, context: PluginContext): Sink {
  const { host, label, primaryBuffer } = context
  if (primaryBuffer !== undefined) {
    throw new ConfigError(
      'buffer cannot be a <secondary>: its chunks have the form of the primary',
      {
        position: positionOf(params),
      },
    )
  }
  if (label === undefined) {
    throw new ConfigError(
      "'@label' parameter is required: without it events would come back here",
      {
        position: positionOf(params),
        hint: 'add `@label @NAME` for a `<label @NAME>` section, or `@label @ROOT` within a label',
      },
    )
  }
  if (!chunkingOf(params.buffer, host.clock).byTag) {
    throw new ConfigError('chunk keys must include tag: it is what events are handed on with', {
      position: positionOf(params.buffer.params) ?? positionOf(params),
      hint: 'write <buffer tag>',
    })
  }
  const { router } = context
  return {
    formatter: params.timeAsInteger ? integerTimeEntries() : packedEntries,
    eventEnd: 'msgpack',
    start: async () => undefined,
    async write(chunk, signal) {
      if (params.hold) return await untilAborted(signal)
      const { tag } = chunk.metadata
      if (tag === undefined) throw new PermanentError('no_tag', 'a chunk without a tag')
      const pieces = await chunk.read()
      const packed = pieces.length === 1 ? (pieces[0] as Uint8Array) : Buffer.concat(pieces)
      const count = countOf(packed)
      if (count > 0) await emitKept(router, { tag, packed, count })
    },
    stop: async () => undefined,
  }
}

function untilAborted(signal: AbortSignal): Promise<never> {
  return new Promise((_, reject) => {
    const abort = () => reject(signal.reason)
    if (signal.aborted) abort()
    else signal.addEventListener('abort', abort, { once: true })
  })
}

/** Chunks may be what another program left in our directory. Throws PermanentError for what are no events. */
function countOf(packed: Uint8Array): number {
  let count = 0
  try {
    eachEntry(packed, (start, timeEnd) => {
      decodeTime(packed, start)
      pairCount(packed, timeEnd)
      count += 1
    })
  } catch (error) {
    if (!(error instanceof MsgpackError)) throw error
    throw new PermanentError('malformed', `a chunk holds what are no events: ${error.message}`)
  }
  return count
}

import { chunkKeysOf, injectingFormatter } from '../../buffer/index.ts'
import type { PluginContext } from '../../config/define.ts'
import { type Bound, positionOf } from '../../config/schema.ts'
import { ConfigError } from '../../core/errors.ts'
import type { Formatter } from '../../core/formatter.ts'
import type { Sink } from '../../core/output.ts'
import { commandFormatter } from '../../formatters/command-lines.ts'
import { createInject } from '../../formatters/inject.ts'
import { withTextTime } from '../../parsers/text-time.ts'
import { Children } from './children.ts'
import type { shape } from './index.ts'

export type ExecFilterParams = Bound<typeof shape>

/** Throws ConfigError. */
export function createExecFilterSink(params: ExecFilterParams, context: PluginContext): Sink {
  if (params.tag === undefined && params.extract?.tagKey === undefined) {
    throw new ConfigError(
      "'tag' or '<extract> tag_key </extract>' option is required on exec_filter output",
      { position: positionOf(params), hint: 'write `tag`, or an <extract> with `tag_key`' },
    )
  }
  if (context.primaryBuffer !== undefined) {
    throw new ConfigError(
      'exec_filter cannot be a <secondary>: its chunks have the form of the primary',
      { position: positionOf(params) },
    )
  }
  const children = new Children(params, respawnsOf(params), context)
  return {
    formatter: formatterOf(params, context),
    start: async () => children.start(),
    write: (chunk, signal) => children.write(chunk, signal),
    stop: (deadline) => children.stop(deadline),
  }
}

function respawnsOf(params: ExecFilterParams): number {
  const { childRespawn: written = 'none' } = params
  if (written === 'none') return 0
  if (written === 'inf' || written === '-1') return Number.POSITIVE_INFINITY
  if (/^\d{1,9}$/.test(written)) return Number(written)
  throw new ConfigError(
    'child_respawn option argument invalid: none(or 0), inf(or -1) or positive number',
    { position: positionOf(params, 'childRespawn') },
  )
}

function formatterOf(params: ExecFilterParams, context: PluginContext): Formatter {
  const { host, system } = context
  const inject = createInject(withTextTime(params.inject), {
    hostname: host.hostname,
    workerId: system.workerId,
    clock: host.clock,
    chunkKeys: chunkKeysOf(params.buffer),
  })
  const formatter = injectingFormatter(commandFormatter(params.format, context), inject)
  const { removePrefix } = params
  if (removePrefix === undefined) return formatter
  const start = `${removePrefix}.`
  return {
    format(batch, maxPieceBytes, piece) {
      const { tag } = batch
      const own = tag.startsWith(start) ? { ...batch, tag: tag.slice(start.length) } : batch
      formatter.format(own, maxPieceBytes, piece)
    },
  }
}

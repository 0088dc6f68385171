import type { OutputDefinition, PluginContext } from '../config/define.ts'
import { type BoundPlugin, positionOf } from '../config/schema.ts'
import { ConfigError } from '../core/errors.ts'
import type { Sink } from '../core/output.ts'

/** Makes the sink of a <secondary>. It gets its primary's chunks as they are. Throws ConfigError. */
export function createSecondary(
  secondary: BoundPlugin,
  buffer: BoundPlugin,
  context: PluginContext,
): Sink {
  const position = secondary.position
  const { createSink } = secondary.definition as Partial<OutputDefinition>
  if (createSink === undefined) {
    throw new ConfigError(`output '${secondary.type}' cannot be used as <secondary>`, {
      position,
      hint: 'a secondary gets whole chunks: use secondary_file, file, http or stdout',
    })
  }
  const own = secondary.params.buffer as BoundPlugin | undefined
  for (const [name, section] of [
    ['buffer', own?.written === true ? own : undefined],
    ['secondary', secondary.params.secondary as BoundPlugin | undefined],
  ] as const) {
    if (section === undefined) continue
    throw new ConfigError(`<secondary> section cannot have <${name}> section`, {
      position: section.position ?? positionOf(secondary.params),
    })
  }
  return createSink(secondary.params as never, secondaryContext(secondary, buffer, context))
}

/** The primary's context in all else. It is not copied: asking for its router has effects. */
function secondaryContext(
  secondary: BoundPlugin,
  buffer: BoundPlugin,
  context: PluginContext,
): PluginContext {
  const own: Partial<PluginContext> = {
    id: secondary.id ?? `${context.id}_secondary`,
    type: secondary.type,
    primaryBuffer: buffer,
  }
  return Object.assign(Object.create(context), own)
}

import type { PluginContext } from '../config/define.ts'
import type { BoundPlugin } from '../config/schema.ts'
import type { Formatter } from '../core/formatter.ts'

/** A formatter for what programs read: text has one newline at the end of each event, whatever the format says; MessagePack has none. */
export function commandFormatter(bound: BoundPlugin, context: PluginContext): Formatter {
  const formatter = context.createFormatter(bound)
  return bound.type === 'msgpack' ? formatter : (formatter.asLines?.() ?? formatter)
}

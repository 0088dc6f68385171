import type { GrokSeries } from './grok-names.ts'
import { commonPatterns } from './grok-patterns.ts'
import { columnPatterns } from './grok-patterns-columns.ts'
import { ecsPatterns } from './grok-patterns-ecs.ts'
import { legacyPatterns } from './grok-patterns-legacy.ts'
import { netfilterPatterns } from './grok-patterns-netfilter.ts'
import { networkPatterns } from './grok-patterns-network.ts'
import { servicePatterns } from './grok-patterns-services.ts'

/** All that a series has, by name. Strings only: an expression is compiled where a pattern names it. */
export function builtInPatterns(series: GrokSeries): Map<string, string> {
  const all = {
    ...commonPatterns,
    ...(series === 'legacy' ? legacyPatterns : ecsPatterns),
    ...columnPatterns(series),
    ...netfilterPatterns(series),
    ...networkPatterns(series),
    ...servicePatterns(series),
  }
  return new Map(Object.entries(all))
}

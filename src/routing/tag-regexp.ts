import type { Position } from '../core/errors.ts'
import { compileRegexpSource, regexpInputLimitChars } from '../text/regexp.ts'

/**
 * `/…/` as a match pattern. Fluentd puts the text between \A and \Z without a group around it, so
 * that `/a|b/` means "begins with a, or ends with b"; so does this. Throws ConfigError.
 */
export function tagRegexp(
  source: string,
  position: Position | undefined,
): (tag: string) => boolean {
  // By itself first: what is wrong with it should be said of what is written.
  compileRegexpSource(source, position)
  const matcher = compileRegexpSource(`\\A${source}\\Z`, position)
  return (tag) => tag.length <= regexpInputLimitChars && matcher.test(tag)
}
